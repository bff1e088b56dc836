"""The sandbox as one object: for tests, and for the management command."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from ulid import ULID

from pac.dgi.ruc import RucType, check_digit
from pac.sandbox.application import Application, utc_now
from pac.sandbox.options import Options
from pac.sandbox.records import SUBSCRIBED, Company, Document, Office
from pac.sandbox.server import Server
from pac.sandbox.storage import StateFile

SETTLE_SECONDS = 10.0


class Ids(NamedTuple):
    """What a client keeps of a company that may issue."""

    company_id: str
    office_id: str


class Sandbox:
    """A running PAC.

        with Sandbox(Options(dgi_delay=0)) as box:
            ids = box.add_subscribed_company(token="t")
            requests.post(f"{box.url}/pan/v1/invoices?idCompany={ids.company_id}", ...)

    `port` 0 takes a free one. `clock` tells the present as an aware datetime. With a
    `state_file`, companies and documents outlive the process.
    """

    def __init__(
        self,
        options: Options | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = utc_now,
        state_file: Path | None = None,
    ) -> None:
        self.options = options or Options()
        """Live: change them while the sandbox runs."""
        self._application = Application(self.options, clock)
        self._state = self._application.state
        self._file = StateFile(state_file, self._state) if state_file else None
        self._server = Server((host, port), self._application)

    def start(self) -> None:
        """Serve until `stop`, in threads of its own."""
        if self._file:
            self._file.start()
        self._application.start()
        self._server.start()

    def stop(self) -> None:
        """Close connections and threads; the state file is then up to date."""
        self._server.stop()
        self._application.stop()
        if self._file:
            self._file.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash: fit for `PAC_BASE_URL`."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def documents(self) -> list[Document]:
        """The documents that the PAC accepted, oldest first."""
        return self._application.control.accepted()

    @property
    def posts(self) -> Counter[str]:
        """How many POSTs asked to issue each `numeration`, answered or not."""
        counted: Counter[str] = Counter()
        with self._state.lock:
            for post, times in self._state.posts.items():
                counted[post.numeration] += times
        return counted

    @property
    def routes(self) -> Counter[str]:
        """How often each call was processed, like `GET /pan/v1/invoices/{document}`."""
        with self._state.lock:
            return Counter(self._state.routes)

    @property
    def faults(self) -> Counter[str]:
        """How often each kind of fault struck."""
        return self._application.injector.counts

    def settle(self) -> None:
        """Make the DGI decide now on everything that waits, and see its webhooks off.

        Raises TimeoutError where the webhooks cannot be delivered or given up in 10 seconds.
        """
        self._application.verdicts.decide_due(everything=True)
        if not self._application.webhooks.drain(SETTLE_SECONDS):
            raise TimeoutError(f"webhooks are still under way after {SETTLE_SECONDS} s")

    def reset(self) -> None:
        """Forget companies, documents and counts; options are again those of the start."""
        self._application.reset()

    def add_subscribed_company(
        self,
        *,
        name: str = "Comercial Ejemplo, S.A.",
        ruc: str = "155700000-2-2021",
        ruc_type: RucType = RucType.JURIDICO,
        dv: str | None = None,
        token: str = "sandbox",  # noqa: S107 (any token will do)
        webhook_url: str = "",
        webhook_secret: str = "",
        office_code: str = "0001",
    ) -> Ids:
        """A company that went through onboarding, with one office."""
        details: dict[str, object] = {
            "name": name,
            "ruc": ruc,
            "checkDigit": dv or check_digit(ruc, ruc_type),
            "type": "associated",
            "typeRuc": {"code": ruc_type.code},
        }
        if webhook_url:
            headers = {"X-Pac-Signature": webhook_secret}
            target = {"status": "active", "url": webhook_url, "headers": headers}
            details["webhooks"] = {"documents": {"emissionFinished": target}}
        office = Office(
            str(ULID()),
            {
                "code": office_code,
                "type": "main",
                "coordinates": "+9.0017832,-79.5275519",
                "address": "Avenida Balboa, Ciudad de Panamá",
                "telephone": "269-1234",
                "location": "8-8-11",
            },
        )
        company = Company(str(ULID()), token, details, SUBSCRIBED, {office.id: office})
        self._state.add_company(company)
        return Ids(company.id, office.id)
