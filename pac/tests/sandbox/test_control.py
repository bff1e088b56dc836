"""The control door."""

import pytest

from pac.sandbox.application import Application
from pac.sandbox.options import OptionError, Options
from pac.sandbox.wire import Request, Response


def ask(alice, method, name, body=None):
    return alice.call(method, f"/__sandbox__/{name}", body)


def test_it_shows_what_was_accepted_with_what(alice):
    issued = alice.issued(alice.invoice(7))
    [document] = ask(alice, "GET", "documents").json()["documents"]
    assert (document["id"], document["cufe"]) == (issued["id"], issued["cufe"])
    assert document["numeration"] == "0000000007"
    assert document["legalStatus"] == "PAC_AUTHORIZED"
    assert document["total"] == 223.30
    assert document["payload"] == alice.invoice(7)


def test_it_counts_calls_and_posts_per_number(alice):
    for _ in range(2):
        alice.issue(alice.invoice(7))
    alice.read(alice.box.documents[0].id)
    counted = ask(alice, "GET", "requests").json()
    assert counted["routes"] == {
        "POST /pan/v1/invoices": 2,
        "GET /pan/v1/invoices/{document}": 1,
    }
    assert counted["posts"] == [
        {
            "idCompany": alice.ids.company_id,
            "documentType": "01",
            "billingPoint": "001",
            "numeration": "0000000007",
            "count": 2,
        }
    ]


def test_options_change_while_it_runs(alice, box):
    changes = {"no_webhooks": True, "dgi_delay": 0.5, "unknown_rucs": ["8-1-1"], "down": "503"}
    shown = ask(alice, "POST", "faults", changes).json()
    assert {name: shown[name] for name in changes} == changes
    assert box.options.unknown_rucs == {"8-1-1"}
    assert ask(alice, "GET", "faults").json() == shown
    assert ask(alice, "POST", "faults", {"down": False}).json()["down"] == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"nonsense": 1},
        {"error_rate": 1.5},
        {"drop_next": -1},
        {"drop_next": 1.5},
        {"drop_next": "1"},
        {"no_webhooks": 1},
        {"down": "up"},
        {"unknown_rucs": "8-1-1"},
        {"dgi_delay": None},
    ],
)
def test_a_wrong_option_changes_nothing(changes):
    options = Options()
    with pytest.raises(OptionError):
        options.update({"seed": 7} | changes)
    assert options == Options()


def test_a_wrong_option_is_told(alice):
    answer = ask(alice, "POST", "faults", {"nonsense": 1})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("nonsense is not an option")


def test_it_can_settle_and_reset(alice, box):
    alice.issued(alice.invoice(7))
    ask(alice, "POST", "settle")
    assert box.documents[0].legal_status == "DGI_AUTHORIZED"
    box.options.drop_next = 5
    ask(alice, "POST", "reset")
    assert (box.documents, box.posts, box.options.drop_next) == ([], {}, 0)
    assert box.options.dgi_delay == 3600
    assert alice.about("GET", "invoices").status_code == 404


def test_it_is_open_to_loopback_only():
    request = Request("GET", "/__sandbox__/documents", {}, {}, from_loopback=False)
    answer = Application(Options()).handle(request)
    assert isinstance(answer, Response)
    assert answer.status == 403
