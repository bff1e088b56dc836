"""The pages of libraries, as ours: to look at, in Spanish, without secrets."""

from __future__ import annotations

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Task
from django_q.tasks import async_task

from tenants.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def make(number: int) -> None:
    """A row on each of the pages."""
    now = timezone.now()
    where = {"username": f"user{number}", "ip_address": f"192.0.2.{number}", "user_agent": "UA"}
    AccessAttempt.objects.create(**where, failures_since_start=2)
    AccessFailureLog.objects.create(**where)
    AccessLog.objects.create(**where)
    Task.objects.create(
        id=f"task{number}", name=f"tarea {number}", func="invoicing.tasks.pump",
        started=now, stopped=now, success=False, result="Traceback: <script>alert(1)</script>",
    )  # fmt: skip
    Schedule.objects.create(name=f"plan {number}", func="invoicing.tasks.pump")
    async_task("invoicing.tasks.pump", number)
    LogEntry.objects.log_actions(
        User.objects.first().pk,
        [User.objects.first()],
        CHANGE,
        f"hecho {number}",
        single_object=True,
    )


PAGES = {
    "axes/accessattempt": (AccessAttempt, "192.0.2.1"),
    "axes/accessfailurelog": (AccessFailureLog, "192.0.2.1"),
    "axes/accesslog": (AccessLog, "192.0.2.1"),
    "django_q/failure": (Failure, "tarea 1"),
    "django_q/schedule": (Schedule, "plan 1"),
    "django_q/ormq": (OrmQ, "invoicing.tasks.pump"),
    "admin/logentry": (LogEntry, "hecho 1"),
}


@pytest.mark.parametrize("path", PAGES)
def test_it_shows_and_changes_nothing(root: Client, path: str) -> None:
    make(1)
    model, told = PAGES[path]
    row = model.objects.order_by("pk").last()
    list_url, page_url = f"/admin/{path}/", f"/admin/{path}/{row.pk}/change/"
    assert told in root.get(list_url).content.decode()
    page = root.get(page_url).content.decode()
    assert told in page
    assert "<script>alert" not in page
    before = list(model.objects.order_by("pk").values())
    for url in (page_url, f"/admin/{path}/add/", f"/admin/{path}/{row.pk}/delete/"):
        assert root.post(url, {"post": "yes", "name": "otro"}).status_code == 403
    for action in ("delete_selected", "resubmit_task", "cleanup_expired_attempts"):
        root.post(list_url, {"action": action, "_selected_action": [row.pk], "post": "yes"})
    assert list(model.objects.order_by("pk").values()) == before
    assert root.get(list_url, {"q": told}).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_list_costs_the_same_for_many_rows(root: Client, path: str) -> None:
    url = f"/admin/{path}/"
    make(1)
    root.get(url)
    with CaptureQueriesContext(connection) as few:
        root.get(url)
    for number in range(2, 8):
        make(number)
    with CaptureQueriesContext(connection) as many:
        assert root.get(url).status_code == 200
    assert len(many) == len(few)


def test_a_role_is_not_changed_by_hand_and_another_group_is(root: Client) -> None:
    role, own = Group.objects.get(name="operador"), Group.objects.create(name="caja")
    for group, status in ((role, 403), (own, 302)):
        assert (
            root.post(f"/admin/auth/group/{group.pk}/change/", {"name": "x"}).status_code == status
        )
    assert root.post(f"/admin/auth/group/{role.pk}/delete/", {"post": "yes"}).status_code == 403
