"""What the sandbox is told: pace, faults, and what it pretends about the outside world."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

RATES = (
    "reject_rate",
    "error_rate",
    "error_after_rate",
    "reset_rate",
    "timeout_rate",
    "late_rate",
    "lost_answer_rate",
    "webhook_loss_rate",
    "webhook_late_rate",
)
DOWN = ("", "refuse", "503")


class OptionError(ValueError):
    """A name that is no option, or a value that the option cannot take."""


@dataclass(slots=True)
class Options:
    """Live settings: whoever holds the object may change them while the sandbox runs.

    Rates are probabilities from 0 to 1 and strike *document* calls only, so that a company can
    be onboarded at a sandbox that misbehaves. The `*_next` counters strike the next n calls
    that write (POST, PATCH or DELETE under `/pan`), onboarding included, and count down.
    """

    dgi_delay: float = 1.0
    """Seconds between the PAC's acceptance and the DGI's verdict."""
    latency: float = 0.0
    """Milliseconds added to every call under `/pan` and `/files`."""

    reject_rate: float = 0.0
    """Share of accepted documents that the DGI then rejects."""
    error_rate: float = 0.0
    """Share of document calls answered 5xx; nothing was processed."""
    error_after_rate: float = 0.0
    """Share of writing document calls that are processed and then answered 502."""
    reset_rate: float = 0.0
    """Share of document calls whose connection is reset; nothing was processed."""
    timeout_rate: float = 0.0
    """Share of document calls never answered; a coin decides whether they were processed."""
    late_rate: float = 0.0
    """Share of document calls answered `late_seconds` late; a coin decides whether they are also
    processed as late, when the caller has long given up and perhaps asked what became of them."""
    late_seconds: float = 4.0
    lost_answer_rate: float = 0.0
    """Share of writing document calls that are processed and then cut off without an answer."""

    drop_next: int = 0
    """Processed, then the connection is reset without an answer."""
    error_after_next: int = 0
    """Processed, then answered 502."""
    hang_next: int = 0
    """Processed, then never answered."""
    rate_limit_next: int = 0
    """Answered 429 with `Retry-After: 1`; nothing was processed."""
    hang_seconds: float = 120.0
    """How long a call hangs before the sandbox resets its connection."""

    down: str = ""
    """`refuse` resets every call under `/pan` unprocessed, `503` answers so; empty: up."""
    unauthorized: bool = False
    """Every call under `/pan` is answered 401, as with a revoked token."""
    list_missing: bool = False
    """The list of documents answers 404, as where the PAC has no such call."""
    list_behind: bool = False
    """The list of documents answers and shows none, as where it lags behind."""
    reject_inside_2xx: bool = False
    """A document that is refused is answered 200 with `PAC_REJECTED`, not 400."""
    withhold_pdf: bool = False
    """No `pdf` link yet."""
    affiliation_pending: bool = False
    """The taxpayer has not accepted the QR: affiliationType 1 fails with AP1010."""
    unknown_rucs: frozenset[str] = frozenset()
    """RUCs that do not exist, beside `lookups.NO_SUCH_RUC`."""

    no_webhooks: bool = False
    duplicate_webhooks: bool = False
    """Each webhook is sent two or three times."""
    webhook_loss_rate: float = 0.0
    """Share of webhooks that are never sent."""
    webhook_late_rate: float = 0.0
    """Share of webhooks that are held back for `webhook_late_seconds`: later ones overtake them."""
    webhook_late_seconds: float = 5.0

    seed: int | None = None
    """Makes the random faults the same for the same sequence of calls; read at the start."""
    environment: int = 2
    """The DGI environment in every CUFE: 1 production, 2 test."""
    link_seconds: float = 300.0
    """How long a signed link to a PDF or an XML lives."""

    def update(self, changes: Mapping[str, object]) -> None:
        """Set several options by name, all or none.

        Raises OptionError with a sentence for the caller.
        """
        accepted = {name: self._accept(name, value) for name, value in changes.items()}
        for name, value in accepted.items():
            setattr(self, name, value)

    def copy_from(self, other: "Options") -> None:
        """Take over every value of another set."""
        for name in _DEFAULTS:
            setattr(self, name, getattr(other, name))

    def as_json(self) -> dict[str, object]:
        """All values by name, fit for JSON."""
        values = {name: getattr(self, name) for name in _DEFAULTS}
        return values | {"unknown_rucs": sorted(self.unknown_rucs)}

    def _accept(self, name: str, value: object) -> object:
        if name not in _DEFAULTS:
            raise OptionError(f"{name} is not an option: {', '.join(sorted(_DEFAULTS))}")
        if name == "unknown_rucs":
            return _texts(name, value)
        if name == "down":
            return _down(value)
        return _scalar(name, value, _DEFAULTS[name])


_DEFAULTS: dict[str, object] = {each.name: each.default for each in fields(Options)}


def _texts(name: str, value: object) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise OptionError(f"{name} takes a list of texts")
    return frozenset(str(each) for each in value)


def _down(value: object) -> str:
    if value is True:
        return "refuse"
    if value is False:
        return ""
    if value not in DOWN:
        raise OptionError('down takes "refuse", "503" or false')
    return str(value)


def _scalar(name: str, value: object, default: object) -> object:
    """Check a number or a flag against the type of the option's default."""
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise OptionError(f"{name} takes true or false")
        return value
    if name == "seed" and value is None:
        return None
    if isinstance(value, Decimal):  # what our own JSON reader makes of 0.5
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OptionError(f"{name} takes a number")
    if not isinstance(default, float) and not isinstance(value, int):
        raise OptionError(f"{name} takes a whole number")
    if name != "seed" and (value < 0 or (name in RATES and value > 1)):
        raise OptionError(f"{name} is out of range: {value}")
    return value
