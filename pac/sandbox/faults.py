"""Faults on demand: what goes wrong with a call, decided before it is processed."""

import random
import threading
from enum import Enum, auto

from pac.sandbox.options import Options
from pac.sandbox.wire import Cut, Request, Response

WRITES = ("POST", "PATCH", "DELETE")


class Fault(Enum):
    """What happens to a call."""

    REFUSED = auto()
    UNAVAILABLE = auto()
    UNAUTHORIZED = auto()
    RATE_LIMITED = auto()
    SERVER_ERROR = auto()
    HANG_UNPROCESSED = auto()
    HANG_PROCESSED = auto()
    LOST_ANSWER = auto()
    BAD_GATEWAY = auto()

    @property
    def is_processed(self) -> bool:
        """Whether the call takes effect all the same: only its answer suffers."""
        return self in _PROCESSED


_PROCESSED = {Fault.HANG_PROCESSED, Fault.LOST_ANSWER, Fault.BAD_GATEWAY}

_COUNTED = {
    "rate_limit_next": Fault.RATE_LIMITED,
    "drop_next": Fault.LOST_ANSWER,
    "error_after_next": Fault.BAD_GATEWAY,
    "hang_next": Fault.HANG_PROCESSED,
}


class FaultInjector:
    """Chooses faults from the live options; the only user of chance in the sandbox."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self.reseed()

    def reseed(self) -> None:
        """Start the series of chances anew from the seed."""
        self._random = random.Random(self._options.seed)  # noqa: S311 (faults, no secrets)

    def strikes(self, rate: float) -> bool:
        """True with probability `rate`."""
        if rate <= 0:
            return False
        with self._lock:
            return self._random.random() < rate

    def copies(self) -> int:
        """How often a webhook is sent: once, or two or three times."""
        if not self._options.duplicate_webhooks:
            return 1
        with self._lock:
            return self._random.randint(2, 3)

    def choose(self, request: Request, *, is_document_call: bool) -> Fault | None:
        """What goes wrong with this call under `/pan`, if anything does."""
        options = self._options
        if options.down:
            return Fault.REFUSED if options.down == "refuse" else Fault.UNAVAILABLE
        if options.unauthorized:
            return Fault.UNAUTHORIZED
        writes = request.method in WRITES
        if writes:
            for name, fault in _COUNTED.items():
                if self._take(name):
                    return fault
        if is_document_call:
            return self._by_chance(writes=writes)
        return None

    def _by_chance(self, *, writes: bool) -> Fault | None:
        options = self._options
        if self.strikes(options.error_rate):
            return Fault.SERVER_ERROR
        if self.strikes(options.timeout_rate):
            return Fault.HANG_PROCESSED if self.strikes(0.5) else Fault.HANG_UNPROCESSED
        if writes and self.strikes(options.lost_answer_rate):
            return Fault.LOST_ANSWER
        return None

    def _take(self, name: str) -> bool:
        """Use up one of a counter."""
        with self._lock:
            left = getattr(self._options, name)
            if left > 0:
                setattr(self._options, name, left - 1)
            return bool(left > 0)

    def outcome(self, fault: Fault) -> Response | Cut:
        """What the caller gets instead of the answer."""
        match fault:
            case Fault.REFUSED | Fault.LOST_ANSWER:
                return Cut()
            case Fault.HANG_PROCESSED | Fault.HANG_UNPROCESSED:
                return Cut(self._options.hang_seconds)
            case Fault.UNAUTHORIZED:
                return Response(401, {"message": "Unauthorized"})
            case Fault.RATE_LIMITED:
                return Response(429, {"message": "Too Many Requests"}, headers={"Retry-After": "1"})
            case Fault.UNAVAILABLE:
                return _gateway_page(503, "Service Temporarily Unavailable")
            case Fault.BAD_GATEWAY:
                return _gateway_page(502, "Bad Gateway")
            case Fault.SERVER_ERROR:
                return Response(500, {"message": "Internal server error"})


def _gateway_page(status: int, words: str) -> Response:
    """What a load balancer says: HTML, since a body need not be JSON."""
    page = f"<html><head><title>{status} {words}</title></head><body>{words}</body></html>"
    return Response(status, page.encode(), "text/html")
