"""What `manage.py doctor` looks at: each part that a deployment needs, tried for real.

A check gives findings; one that breaks is a finding too. No finding shows a secret: every sentence
is masked like a log line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import DatabaseError

from cifras.doctor import inside, outside
from cifras.doctor.findings import Finding, Found, Level
from cifras.masking import mask

CHECKS: dict[str, Callable[[], Found]] = {
    "settings": inside.check_settings,
    "database": inside.check_database,
    "migrations": inside.check_migrations,
    "guards": inside.check_guards,
    "cache": inside.check_cache,
    "broker": inside.check_broker,
    "worker": inside.check_worker,
    "schedules": inside.check_schedules,
    "encryption_key": inside.check_encryption_key,
    "pac": outside.check_pac,
    "clock": outside.check_clock,
    "webhook_url": outside.check_webhook_url,
    "email": outside.check_email,
    "files": outside.check_files,
}


def examine() -> Iterator[Finding]:
    """Looks at every part in turn; each gives at least one finding."""
    for name, check in CHECKS.items():
        try:
            for level, sentence in check():
                yield _finding(level, name, sentence)
        except DatabaseError as error:
            yield _finding(
                Level.FAIL,
                name,
                f"The database does not answer as it should: {error}. Check DATABASE_URL, its "
                "server, and that migrations are applied.",
            )
        except Exception as error:  # a check that breaks must not hide what the others find
            told = f"Could not be looked at: {type(error).__name__}: {error}."
            yield _finding(Level.FAIL, name, told)


def _finding(level: Level, name: str, sentence: str) -> Finding:
    return Finding(level, name, mask(" ".join(sentence.split())))
