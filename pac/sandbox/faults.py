"""Faults on demand: what goes wrong with a call, decided before it is processed."""

import random
import threading
from collections import Counter
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
    RESET = auto()
    HANG_UNPROCESSED = auto()
    HANG_PROCESSED = auto()
    LOST_ANSWER = auto()
    BAD_GATEWAY = auto()
    LATE_ANSWER = auto()
    LATE_PROCESSING = auto()

    @property
    def is_processed(self) -> bool:
        """Whether the call takes effect all the same: only its answer suffers."""
        return self in _PROCESSED

    @property
    def is_late(self) -> bool:
        """Whether the call is answered in the end, `late_seconds` late."""
        return self in (Fault.LATE_ANSWER, Fault.LATE_PROCESSING)


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
        """Start the series of chances anew from the seed, and the counts at nothing."""
        with self._lock:
            self._random = random.Random(self._options.seed)  # noqa: S311 (faults, no secrets)
            self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """How often each kind of fault struck."""
        with self._lock:
            return Counter(self._counts)

    def count(self, kind: str, times: int = 1) -> None:
        """Note that a fault struck."""
        with self._lock:
            self._counts[kind] += times

    def strikes(self, rate: float) -> bool:
        """True with probability `rate`."""
        if rate <= 0:
            return False
        with self._lock:
            return self._random.random() < rate

    def copies(self) -> int:
        """How often a webhook is sent: never, once, or two or three times."""
        if self.strikes(self._options.webhook_loss_rate):
            self.count("webhook_lost")
            return 0
        if not self._options.duplicate_webhooks:
            return 1
        with self._lock:
            copies = self._random.randint(2, 3)
        self.count("webhook_repeated", copies - 1)
        return copies

    def holds_back(self) -> bool:
        """Whether a copy of a webhook is sent late."""
        if not self.strikes(self._options.webhook_late_rate):
            return False
        self.count("webhook_late")
        return True

    def choose(self, request: Request, *, is_document_call: bool) -> Fault | None:
        """What goes wrong with this call under `/pan`, if anything does."""
        fault = self._choose(request, is_document_call=is_document_call)
        if fault:
            self.count(fault.name.lower())
        return fault

    def _choose(self, request: Request, *, is_document_call: bool) -> Fault | None:
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
        if self.strikes(options.reset_rate):
            return Fault.RESET
        if self.strikes(options.timeout_rate):
            return Fault.HANG_PROCESSED if self.strikes(0.5) else Fault.HANG_UNPROCESSED
        if self.strikes(options.late_rate):
            return Fault.LATE_ANSWER if self.strikes(0.5) else Fault.LATE_PROCESSING
        if writes and self.strikes(options.error_after_rate):
            return Fault.BAD_GATEWAY
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
        """What the caller gets instead of the answer. ValueError for a fault that `is_late`."""
        match fault:
            case Fault.REFUSED | Fault.LOST_ANSWER | Fault.RESET:
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
            case Fault.LATE_ANSWER | Fault.LATE_PROCESSING:
                raise ValueError("what is late is answered all the same")


def _gateway_page(status: int, words: str) -> Response:
    """What a load balancer says: HTML, since a body need not be JSON."""
    page = f"<html><head><title>{status} {words}</title></head><body>{words}</body></html>"
    return Response(status, page.encode(), "text/html")
