"""What can go wrong here, each with a code for programs and a sentence for people."""


class TenantError(Exception):
    """Base of every error of this app. `code` is stable; the text says what to do."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Conflict(TenantError):
    """The request is sound, but the state of things does not allow it (HTTP 409)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Busy(TenantError):
    """Somebody else held the row for too long: nothing was written, try again (HTTP 503)."""

    code = "busy"


class NumberSeriesExhausted(Conflict):
    def __init__(self, series: str) -> None:
        super().__init__(
            "number_series_exhausted",
            f"The series {series} has used its last number, 9999999999. Use another billing point.",
        )


class OnboardingHalted(TenantError):
    """A step of onboarding failed or waits for a person; running it again continues there.

    `reason` names why, for pages in another language; `said` is what the PAC said, where it did.
    """

    code = "onboarding_halted"

    def __init__(self, message: str, reason: str, said: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.said = said
