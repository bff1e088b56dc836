"""What a second start still knows."""

import json
from decimal import Decimal

import pytest

from pac.sandbox import Options, Sandbox
from pac.tests.sandbox.caller import Caller, Clock, codes


@pytest.fixture
def start(tmp_path, clock):
    def make(**options):
        path = tmp_path / "deep" / "state.json"
        return Sandbox(Options(**options), clock=clock, state_file=path)

    return make


def test_companies_and_documents_outlive_the_process(start, clock: Clock):
    with start(dgi_delay=60) as box:
        ids = box.add_subscribed_company(token="t0ken")
        caller = Caller(box, ids=ids)
        with caller.session:
            first = caller.authorized(caller.invoice(1))
            pending = caller.issued(caller.invoice(2))
    clock.advance(seconds=60)
    with start(dgi_delay=60) as box:
        caller = Caller(box, ids=ids)
        with caller.session:
            again = caller.read(first["id"])
            assert again | {"pdf": None} == first | {"pdf": None}
            assert codes(caller.issue(caller.invoice(1))) == ["1513"]
            assert caller.read(pending["id"])["legalStatus"] == "DGI_AUTHORIZED"
            assert [each.total for each in box.documents] == [Decimal("223.30")] * 2
            caller.issued(caller.note(3, first), "credit-notes")


def test_the_file_is_whole_json_without_secrets(start, tmp_path):
    with start() as box:
        box.add_subscribed_company()
    [path] = (tmp_path / "deep").iterdir()
    assert set(json.loads(path.read_text("utf-8"))) == {"companies", "documents"}


def test_a_start_that_changes_nothing_writes_nothing(start, tmp_path):
    with start():
        pass
    assert not (tmp_path / "deep").exists()
