"""The control door: what tests and demos see and change. Loopback only, outside `/pan`."""

from collections.abc import Callable

from pac.sandbox.faults import FaultInjector
from pac.sandbox.options import OptionError, Options
from pac.sandbox.records import PAC_REJECTED, Document
from pac.sandbox.state import State
from pac.sandbox.verdicts import Verdicts
from pac.sandbox.wire import ApiError, Request, Response


class Control:
    """`/__sandbox__/...`: no Bearer token, no faults, no latency."""

    def __init__(
        self,
        state: State,
        options: Options,
        verdicts: Verdicts,
        injector: FaultInjector,
        reset: Callable[[], None],
    ) -> None:
        self._state = state
        self._options = options
        self._verdicts = verdicts
        self._injector = injector
        self._reset = reset

    def documents(self, request: Request) -> Response:
        """Every accepted document, oldest first, with the payload it was accepted with."""
        self._verdicts.decide_due()
        return Response(200, {"documents": [_summary(each) for each in self.accepted()]})

    def accepted(self) -> list[Document]:
        """The documents that the PAC accepted, oldest first."""
        with self._state.lock:
            everything = list(self._state.documents.values())
        return [each for each in everything if each.legal_status != PAC_REJECTED]

    def requests(self, request: Request) -> Response:
        """How often each route was processed, each number was asked for, each fault struck.

        `posts` also counts the calls that a fault kept from being processed.
        """
        with self._state.lock:
            routes = dict(self._state.routes)
            posts = list(self._state.posts.items())
        names = ("idCompany", "documentType", "billingPoint", "numeration")
        counted = [dict(zip(names, post, strict=True)) | {"count": n} for post, n in posts]
        faults = dict(self._injector.counts)
        return Response(200, {"routes": routes, "posts": counted, "faults": faults})

    def options(self, request: Request) -> Response:
        """All options as they stand."""
        return Response(200, self._options.as_json())

    def faults(self, request: Request) -> Response:
        """Change options while running; answers with all of them as they now stand."""
        try:
            self._options.update(request.json_object())
        except OptionError as error:
            raise ApiError.because(400, str(error)) from None
        return self.options(request)

    def settle(self, request: Request) -> Response:
        """Make the DGI decide now on everything that waits."""
        self._verdicts.decide_due(everything=True)
        return Response(200, {"message": "Settled"})

    def reset(self, request: Request) -> Response:
        """Forget companies, documents and counts; options are again what the start gave."""
        self._reset()
        return Response(200, {"message": "Reset"})


def _summary(document: Document) -> dict[str, object]:
    return {
        "id": document.id,
        "idCompany": document.company_id,
        "kind": document.kind.path,
        "documentType": document.number.document_type,
        "billingPoint": document.number.billing_point,
        "numeration": document.numeration,
        "cufe": document.cufe,
        "legalStatus": document.legal_status,
        "total": document.total,
        "voided": document.is_voided,
        "payload": document.payload,
    }
