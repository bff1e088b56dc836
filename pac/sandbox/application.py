"""The sandbox without its sockets: a request in, an answer (or a cut) out."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pac.sandbox.control import Control
from pac.sandbox.documents import Documents
from pac.sandbox.faults import Fault, FaultInjector
from pac.sandbox.files import SignedLinks
from pac.sandbox.issuing import Issuing
from pac.sandbox.kinds import Kind
from pac.sandbox.lookups import Lookups
from pac.sandbox.onboarding import Onboarding
from pac.sandbox.options import Options
from pac.sandbox.routes import control_routes, public_routes
from pac.sandbox.state import State
from pac.sandbox.verdicts import Verdicts
from pac.sandbox.webhooks import Webhooks
from pac.sandbox.wire import ApiError, Cut, Request, Response

_FAMILIES = "|".join(kind.path for kind in Kind)
ISSUE_PATH = re.compile(f"/pan/v1/({_FAMILIES})")
DOCUMENT_PATH = re.compile(f"/pan/v1/({_FAMILIES}|documents)(/.*)?")

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The clock that the sandbox runs by, unless a test brings its own."""
    return datetime.now(UTC)


class Application:
    """Answers requests; `start` and `stop` frame its background threads."""

    def __init__(self, options: Options, clock: Callable[[], datetime] = utc_now) -> None:
        self.options = options
        self._initial = replace(options)
        self.state = state = State()
        self.injector = injector = FaultInjector(options)
        self.webhooks = webhooks = Webhooks(options, injector)
        self.verdicts = verdicts = Verdicts(state, options, injector, webhooks, clock)
        links = SignedLinks(state, options, clock)
        lookups = Lookups(options)
        self._issuing = Issuing(state, options, lookups, verdicts, webhooks, clock)
        self.control = Control(state, options, verdicts, injector, self.reset)
        self._control_routes = control_routes(self.control)
        self._routes = public_routes(
            Onboarding(state, options),
            lookups,
            self._issuing,
            Documents(state, options, verdicts, webhooks, links, clock),
            links,
        )

    def start(self) -> None:
        """Begin to give verdicts and to send webhooks."""
        self.webhooks.start()
        self.verdicts.start()

    def stop(self) -> None:
        """End the threads; verdicts that are not due stay undecided."""
        self.verdicts.stop()
        self.webhooks.stop()

    def reset(self) -> None:
        """Forget everything; the options are again what they were at the start."""
        with self.state.lock:
            self.verdicts.clear()
            self.state.clear()
            self.options.copy_from(self._initial)
            self.injector.reseed()

    def handle(self, request: Request) -> Response | Cut:
        """Answer one request; never raises."""
        try:
            if request.path.startswith("/__sandbox__/"):
                return self._control(request)
            if self.options.latency > 0:
                time.sleep(self.options.latency / 1000)
            if request.path.startswith("/pan/"):
                return self._pan(request)
            return self._routes.find(request).call(request)
        except ApiError as error:
            return error.response
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return Response(500, {"message": "The sandbox itself failed: see its log"})

    def _control(self, request: Request) -> Response:
        if not request.from_loopback:
            raise ApiError.because(403, "The control door is for loopback only")
        return self._control_routes.find(request).call(request)

    def _pan(self, request: Request) -> Response | Cut:
        if self.options.down != "refuse":
            self._count_post(request)
        fault = self.injector.choose(
            request, is_document_call=DOCUMENT_PATH.fullmatch(request.path) is not None
        )
        if fault is None:
            return self._process(request)
        if fault.is_late:
            return self._late(request, fault)
        if fault.is_processed:
            try:
                self._process(request)
            except ApiError as error:
                logger.debug("%s, and its answer withheld: %s", request.path, error)
        return self.injector.outcome(fault)

    def _late(self, request: Request, fault: Fault) -> Response:
        if fault is Fault.LATE_PROCESSING:
            time.sleep(self.options.late_seconds)
            return self._process(request)
        try:
            return self._process(request)
        finally:
            time.sleep(self.options.late_seconds)

    def _count_post(self, request: Request) -> None:
        if request.method == "POST" and ISSUE_PATH.fullmatch(request.path):
            self._issuing.count(request)

    def _process(self, request: Request) -> Response:
        _ = request.token  # no token, no answer: not even whether the path exists
        match = self._routes.find(request)
        with self.state.lock:
            self.state.routes[match.name] += 1
        return match.call(request)
