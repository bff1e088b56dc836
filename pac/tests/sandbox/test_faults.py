"""What goes wrong on demand, and whether the document was taken all the same."""

import time

import pytest
import requests

from pac.sandbox import Options, Sandbox
from pac.tests.sandbox.caller import Caller, codes

CONNECTION_LOST = requests.ConnectionError
TIMED_OUT = requests.Timeout
NOW_OR_NEVER = 0.15
"""Seconds that a client waits for an answer that never comes."""


def wait_for(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def numbers(box):
    return [document.numeration for document in box.documents]


def test_a_lost_answer_hides_an_accepted_document(alice, box):
    box.options.drop_next = 1
    with pytest.raises(CONNECTION_LOST):
        alice.issue(alice.invoice(1))
    assert numbers(box) == ["0000000001"]
    assert codes(alice.issue(alice.invoice(1))) == ["1513"]
    alice.issued(alice.invoice(2))


def test_a_lost_answer_may_hide_a_refusal(alice, box):
    box.options.drop_next = 1
    with pytest.raises(CONNECTION_LOST):
        alice.issue({})
    assert numbers(box) == []


def test_a_502_may_hide_an_accepted_document(alice, box):
    box.options.error_after_next = 1
    answer = alice.issue(alice.invoice(1))
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "text/html"
    assert numbers(box) == ["0000000001"]


def test_a_call_that_hangs_may_have_been_processed(alice, box):
    box.options.hang_next = 1
    with pytest.raises(TIMED_OUT):
        alice.issue(alice.invoice(1), timeout=NOW_OR_NEVER)
    assert numbers(box) == ["0000000001"]


def test_a_hanging_call_ends_in_a_lost_connection(alice, box):
    box.options.hang_next, box.options.hang_seconds = 1, 0.01
    with pytest.raises(CONNECTION_LOST):
        alice.issue(alice.invoice(1))


def test_429_says_when_to_come_back_and_processes_nothing(alice, box):
    box.options.rate_limit_next = 1
    answer = alice.issue(alice.invoice(1))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert numbers(box) == []
    alice.issued(alice.invoice(1))


def test_counters_strike_the_next_writing_calls_and_no_reading_ones(alice, box):
    box.options.rate_limit_next = 2
    assert alice.about("GET", "invoices").status_code == 200
    assert alice.call("POST", "/pan/v1/companies", {}).status_code == 429
    assert alice.about("DELETE", "invoices/1", {}).status_code == 429
    assert alice.issue(alice.invoice(1)).status_code == 201


@pytest.mark.parametrize("path", ["invoices", "check-digit"])
def test_a_pac_that_is_down_resets_every_connection(alice, box, path):
    box.options.down = "refuse"
    with pytest.raises(CONNECTION_LOST):
        alice.about("GET", path)
    assert box.posts == {}


def test_a_pac_that_is_down_may_say_503(alice, box):
    box.options.down = "503"
    assert alice.issue(alice.invoice(1)).status_code == 503
    assert box.posts == {"0000000001": 1}
    assert numbers(box) == []


def test_a_revoked_token_is_401_on_every_call(alice, box):
    box.options.unauthorized = True
    assert alice.issue(alice.invoice(1)).status_code == 401
    assert alice.call("GET", "/pan/v1/companies").status_code == 401


def test_rates_strike_documents_and_spare_onboarding(alice, box):
    box.options.error_rate = 1
    assert alice.issue(alice.invoice(1)).status_code == 500
    assert alice.about("GET", "invoices").status_code == 500
    assert numbers(box) == []
    assert alice.call("GET", "/pan/v1/companies").status_code == 200


def test_a_share_of_answers_is_lost_after_acceptance(alice, box):
    box.options.lost_answer_rate = 1
    with pytest.raises(CONNECTION_LOST):
        alice.issue(alice.invoice(1))
    assert alice.about("GET", "invoices").json()["metadata"]["total"] == 1


def test_a_share_of_calls_hangs_processed_or_not(alice, box):
    box.options.timeout_rate, box.options.hang_seconds = 1, 0.001
    for number in range(1, 21):
        with pytest.raises(CONNECTION_LOST):
            alice.issue(alice.invoice(number))
    assert 0 < len(box.documents) < 20


def test_a_share_of_answers_is_a_502_that_hides_an_accepted_document(alice, box):
    box.options.error_after_rate = 1
    assert alice.issue(alice.invoice(1)).status_code == 502
    assert numbers(box) == ["0000000001"]
    assert alice.about("GET", "invoices").status_code == 200


def test_a_share_of_connections_is_reset_and_nothing_processed(alice, box):
    box.options.reset_rate = 1
    with pytest.raises(CONNECTION_LOST):
        alice.issue(alice.invoice(1))
    with pytest.raises(CONNECTION_LOST):
        alice.about("GET", "invoices")
    assert numbers(box) == []


def test_a_late_call_is_taken_though_its_caller_has_given_up(alice, box):
    box.options.late_rate, box.options.late_seconds = 1, 3 * NOW_OR_NEVER
    taken_in_time = 0
    while not (box.faults["late_answer"] and box.faults["late_processing"]):
        before, number = len(box.documents), box.faults.total() + 1
        with pytest.raises(TIMED_OUT):
            alice.issue(alice.invoice(number), timeout=NOW_OR_NEVER)
        taken_in_time += len(box.documents) - before
        wait_for(lambda number=number: len(box.documents) == number)
    assert taken_in_time == box.faults["late_answer"]


def test_it_counts_the_faults_that_struck(alice, box):
    box.options.error_rate, box.options.rate_limit_next = 1, 1
    for _ in range(3):
        alice.issue(alice.invoice(1))
    counted = alice.call("GET", "/__sandbox__/requests").json()["faults"]
    assert counted == {"rate_limited": 1, "server_error": 2}
    box.reset()
    assert box.faults == {}


def test_a_share_of_documents_is_rejected_by_the_dgi(alice, box):
    box.options.reject_rate = 1
    assert alice.authorized(alice.invoice(1))["legalStatus"] == "DGI_REJECTED"


def fate_of_thirty(seed):
    with Sandbox(Options(error_rate=0.5, seed=seed)) as box:
        caller = Caller(box, ids=box.add_subscribed_company(token="t0ken"))
        with caller.session:
            return [caller.about("GET", "invoices").status_code for _ in range(30)]


def test_a_seed_makes_faults_reproducible():
    assert fate_of_thirty(1) == fate_of_thirty(1) != fate_of_thirty(2)


def test_stopping_does_not_wait_for_calls_that_hang():
    box = Sandbox(Options(hang_next=1))
    with box:
        caller = Caller(box)
        with caller.session, pytest.raises(TIMED_OUT):
            caller.call("POST", "/pan/v1/companies", {}, timeout=NOW_OR_NEVER)
