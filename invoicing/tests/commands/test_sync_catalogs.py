"""`manage.py sync_catalogs`, and the same in the worker."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ, Schedule
from pytest_django import Settings as SettingsWrapper

from invoicing import schedules, tasks
from invoicing.models import CatalogEntry, PacCatalog
from invoicing.services.catalogs import Catalog, listing
from pac.sandbox import Sandbox
from pac.sandbox.lookups import CATALOGUES

pytestmark = pytest.mark.django_db(transaction=True)


def sync(*arguments: str) -> str:
    """Its last words too where it failed."""
    out = io.StringIO()
    try:
        call_command("sync_catalogs", *arguments, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}exit code {error.returncode}: {error}"
    return out.getvalue()


def stored() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in CatalogEntry.objects.all():
        found.setdefault(row.catalog, {})[row.code] = row.name
    return found


def test_it_takes_over_every_list_of_the_pac(box: Sandbox) -> None:
    said = sync()
    assert stored() == CATALOGUES
    assert "3/7 districts: 3 codes: 3 new, 0 renamed, 0 gone.\n" in said
    assert said.endswith(f"7 catalogues read from {box.url} and kept.\n")


def test_a_second_time_changes_nothing(box: Sandbox) -> None:
    sync()
    before = list(CatalogEntry.objects.order_by("pk").values_list())
    said = sync()
    assert list(CatalogEntry.objects.order_by("pk").values_list()) == before
    assert said.count("0 new, 0 renamed, 0 gone.") == 7


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(box: Sandbox) -> None:
    said = sync("--dry-run")
    assert "3 new" in said
    assert said.endswith("; nothing was changed.\n")
    assert stored() == {}


def test_one_list_that_fails_leaves_the_others_read_and_ends_with_1(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync()
    monkeypatch.delitem(CATALOGUES, "districts")
    monkeypatch.setitem(CATALOGUES, "measurement-units", {"aa": "Nueva"})
    said = sync()
    assert "3/7 districts: not read. Not found\n" in said
    assert f"exit code 1: 6 catalogues read from {box.url}, 1 left as they were" in said
    assert said.endswith("districts: Not found")
    assert stored()["measurement-units"] == {"aa": "Nueva"}
    assert len(stored()["districts"]) == 3


def test_it_goes_on_after_a_run_that_was_cut_off(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(CATALOGUES, "locations")
    sync()
    assert "locations" not in stored()
    monkeypatch.undo()
    sync()
    assert stored() == CATALOGUES


def test_a_pac_that_is_away_is_said_for_each_and_nothing_breaks(settings: SettingsWrapper) -> None:
    settings.PAC_BASE_URL = "http://127.0.0.1:9"
    said = sync()
    assert said.count("not read. ") == 7
    assert "exit code 1: 0 catalogues read from http://127.0.0.1:9, 7 left as they were" in said


def test_the_worker_does_it_once_a_week_each_list_by_itself(box: Sandbox) -> None:
    schedules.install()
    schedule = Schedule.objects.get(name="catalogs")
    assert (schedule.func, schedule.schedule_type) == ("invoicing.tasks.sync_catalogs", "W")
    tasks.sync_catalogs()
    queued = [row.task for row in OrmQ.objects.order_by("pk")]
    assert [task["args"] for task in queued] == [(name,) for name in PacCatalog.values]
    for task in queued:
        assert task["func"] == "invoicing.tasks.sync_catalog"
        tasks.sync_catalog(*task["args"])
    assert stored() == CATALOGUES
    assert listing(Catalog.LOCATIONS).names["8-8-1"] == "Panamá, Panamá, San Felipe"
