"""System checks of the database: what migrations do not bring has to be there all the same."""

import sys
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS

from invoicing import guards


@register(Tags.database)
def check_guards(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An error where sent documents are not guarded by the database itself (`invoicing.guards`).

    Asks the database, so only where one is named: `manage.py check --database default`.
    """
    if DEFAULT_DB_ALIAS not in (databases or ()) or _on_the_mend():
        return []
    missing = guards.missing()
    if not missing:
        return []
    return [
        Error(
            f"The database lacks guards of documents that were sent: {', '.join(sorted(missing))}.",
            hint="Run `manage.py migrate`, which makes them anew.",
            id="invoicing.E001",
        )
    ]


def _on_the_mend() -> bool:
    """`migrate` checks before it works, and is the very remedy: it must not be refused."""
    return sys.argv[1:2] == ["migrate"]
