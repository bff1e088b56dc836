"""What the two databases say in different words."""

from django.db import OperationalError

POSTGRES_LOCK_NOT_AVAILABLE = "55P03"


def is_lock_timeout(error: OperationalError) -> bool:
    """Whether the statement waited too long for somebody else's lock, and nothing worse."""
    return getattr(
        error.__cause__, "sqlstate", None
    ) == POSTGRES_LOCK_NOT_AVAILABLE or "database is locked" in str(error)
