"""The worker's queue, to look at: django-q's own pages schedule any function of the process."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule
from unfold.admin import ModelAdmin
from unfold.decorators import display

from tenants.admin.scoped import LookOnly, OperatorOnly
from tenants.admin.unregistered import instead_of_theirs


class QueuePage(LookOnly, OperatorOnly, ModelAdmin):
    """The columns are the library's, in the words of the other pages."""

    show_full_result_count = False

    @display(description=_("nombre"), ordering="name")
    def title(self, row: Any) -> str:
        return row.name or "—"

    @display(description=_("función"))
    def function(self, row: Any) -> str:
        return str(row.func)


@instead_of_theirs(Failure)
class FailureAdmin(QueuePage):
    list_display = ("title", "function", "began", "ended", "tries")
    ordering = ("-started",)
    search_fields = ("func__startswith",)
    fields = readonly_fields = ("title", "function", "began", "ended", "tries", "error")

    @display(description=_("comenzó"), ordering="started")
    def began(self, task: Failure) -> datetime:
        return task.started

    @display(description=_("terminó"), ordering="stopped")
    def ended(self, task: Failure) -> datetime:
        return task.stopped

    @display(description=_("intentos"))
    def tries(self, task: Failure) -> int:
        return task.attempt_count

    @display(description=_("error"))
    def error(self, task: Failure) -> str:
        return str(task.result)


@instead_of_theirs(Schedule)
class ScheduleAdmin(QueuePage):
    list_display = ("title", "function", "rhythm", "next_time")
    ordering = ("name",)
    fields = readonly_fields = ("title", "function", "rhythm", "next_time")

    @display(description=_("ritmo"))
    def rhythm(self, schedule: Schedule) -> str:
        return str(schedule.get_schedule_type_display())

    @display(description=_("próxima vez"), ordering="next_run")
    def next_time(self, schedule: Schedule) -> datetime | None:
        return schedule.next_run


@instead_of_theirs(OrmQ)
class QueueAdmin(QueuePage):
    """What waits for a worker; empty where the queue is in Redis."""

    list_display = ("id", "called", "held_until")
    ordering = ("id",)
    fields = readonly_fields = ("called", "held_until")

    @display(description=_("función"))
    def called(self, waiting: OrmQ) -> str:
        return str(waiting.func())

    @display(description=_("apartada hasta"), ordering="lock")
    def held_until(self, waiting: OrmQ) -> datetime | None:
        return waiting.lock
