"""The worker's schedules, made and mended after every migrate."""

from typing import Any

from django_q.models import Schedule

EVERY_MINUTE = {"schedule_type": Schedule.MINUTES, "minutes": 1}
SCHEDULES: dict[str, dict[str, Any]] = {
    "pump pac": {"func": "invoicing.tasks.pump", "args": "'pac'", **EVERY_MINUTE},
    "pump mail": {"func": "invoicing.tasks.pump", "args": "'mail'", **EVERY_MINUTE},
    # Hourly, so that a day begins on time in Panama whenever the schedule was made.
    "past due": {"func": "invoicing.tasks.past_due", "schedule_type": Schedule.HOURLY},
    "reap": {"func": "invoicing.tasks.reap", "schedule_type": Schedule.HOURLY},
    "catalogs": {"func": "invoicing.tasks.sync_catalogs", "schedule_type": Schedule.WEEKLY},
}


def add_hourly(name: str, function: str) -> None:
    """Lets an app above this one have a function run each hour."""
    SCHEDULES[name] = {"func": function, "schedule_type": Schedule.HOURLY}


def install() -> None:
    """Upserts the schedules by name. Whoever deletes or changes one gets it back at a migrate."""
    for name, columns in SCHEDULES.items():
        Schedule.objects.update_or_create(name=name, defaults=columns)
