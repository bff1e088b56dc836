"""The header Idempotency-Key counts on every POST, found from the URL resolver.

A new POST that nobody explained fails here with a KeyError: say in `asks.MADE` what it is asked,
and let its view wear a decorator of `invoicing.api.once`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from invoicing.api.once import Action, Handler, once_in_one_commit, once_under_a_lease
from invoicing.models import Customer, IdempotencyRecord
from invoicing.services import idempotency, issue
from invoicing.services.idempotency import IdempotencyKey
from invoicing.tests.api import URL, errors
from invoicing.tests.api.asks import (
    ISSUING,
    KEY,
    POSTS,
    REASON,
    WITHOUT_A_KEY,
    Ask,
    Killed,
    ask_of,
    authorised,
    expire,
    is_new,
    is_replay_of,
    issued,
    kill,
    post,
)
from invoicing.tests.test_doors import DOORS, ROOT, everything
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db

EVERY_POST = pytest.mark.parametrize("route", POSTS)
EVERY_ACTION = pytest.mark.parametrize("route", [each for each in POSTS if each not in ISSUING])


@pytest.fixture
def ask(route: str, api: APIClient) -> Ask:
    return ask_of(route, api)


# --- the list itself ----------------------------------------------------------------------------


def test_the_resolver_shows_the_posts_that_are_promised() -> None:
    """Else the tests below would prove nothing."""
    assert {route.rpartition("/")[2] for route in POSTS} >= {
        "invoices",
        "credit-notes",
        "debit-notes",
        "customers",
        "import",
        "submit",
        "retry",
        "void",
        "refresh",
        "email",
        "payments",
        "apply",
    }


def test_every_exception_is_a_door_and_refuses(api: APIClient) -> None:
    """Else a reason that holds no longer would stay on the list."""
    assert set(WITHOUT_A_KEY) <= {door.route.removeprefix(ROOT) for door in DOORS}
    note = authorised(api, "credit-notes")
    payment = Ask(f"/api/v1/credit-notes/{note.pk}/payments", {"amount": "1.00", "method": "02"})
    answer = post(api, payment)
    assert (answer.status_code, errors(answer)) == (409, [(None, "not_payable")])


# --- every door ---------------------------------------------------------------------------------


@EVERY_POST
def test_the_same_request_acts_once_and_another_is_a_conflict(api: APIClient, ask: Ask) -> None:
    first = post(api, ask)
    assert is_new(first), first.content
    before = everything()
    assert is_replay_of(first, post(api, ask))
    with_query = Ask(f"{ask.url}?wait=0", ask.body)
    assert is_replay_of(first, post(api, with_query)), "the query is no part of the request"
    for other in (Ask(ask.url, {"another": "body"}), Ask("/api/v1/customers", ask.body or {})):
        if other != ask:
            answer = post(api, other)
            assert (answer.status_code, errors(answer)) == (409, [(None, "idempotency_conflict")])
    assert everything() == before


@EVERY_POST
def test_a_claim_that_runs_is_in_progress_and_one_that_died_is_taken_over(
    api: APIClient, alice: Tenant, ask: Ask
) -> None:
    said = {} if ask.body is None else ask.body
    key = IdempotencyKey.of(KEY["HTTP_IDEMPOTENCY_KEY"], "POST", ask.url, said)
    IdempotencyRecord.unscoped.create(
        tenant=alice,
        key=key.key,
        fingerprint=key.fingerprint,
        lease_expires_at="2099-01-01T00:00:00Z",
    )
    before = everything()
    answer = post(api, ask)
    assert (answer.status_code, errors(answer)) == (409, [(None, "idempotency_in_progress")])
    assert everything() == before
    expire()
    first = post(api, ask)
    assert is_new(first), first.content
    assert is_replay_of(first, post(api, ask))


# --- killed in the middle -----------------------------------------------------------------------


@EVERY_ACTION
def test_a_kill_between_the_work_and_its_answer_heals(
    route: str, api: APIClient, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "answer", kill)
        with pytest.raises(Killed):
            post(api, ask)
    if route.endswith("/refresh"):  # it asks the PAC: its claim is committed
        assert errors(post(api, ask)) == [(None, "idempotency_in_progress")]
        expire()
    else:
        assert everything() == before
    first = post(api, ask)
    assert is_new(first), first.content
    assert is_replay_of(first, post(api, ask))


@pytest.mark.parametrize("route", ["api/v1/invoices", "api/v1/credit-notes"])
def test_a_kill_after_the_answer_of_an_issue_leaves_nothing(
    api: APIClient, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()
    with monkeypatch.context() as patch:
        patch.setattr(issue, "note", kill)
        with pytest.raises(Killed):
            post(api, ask)
    assert everything() == before
    assert is_new(post(api, ask))


# --- only what succeeded is kept ----------------------------------------------------------------


def test_a_refusal_frees_the_key(api: APIClient) -> None:
    invoice = f"{URL}/{issued(api, 'invoices').pk}"
    nowhere = f"{URL}/00000000-0000-7000-8000-000000000000/void"
    refused = [
        (Ask(f"{invoice}/void", REASON), 409),
        (Ask(f"{invoice}/void", {"reason": "short"}), 400),
        (Ask(f"{invoice}/submit", None), 409),
        (Ask(f"{invoice}/retry?wait=x", None), 400),
        (Ask(f"{invoice}/payments", {"amount": "-1.00"}), 400),
        (Ask(nowhere, REASON), 404),
    ]
    for ask, status in refused:
        assert post(api, ask).status_code == status
        assert not IdempotencyRecord.unscoped.exists()
    paid = Ask(f"{invoice}/payments", {"amount": "1.00", "method": "02"})
    assert is_new(post(api, paid))


def test_a_bad_key_is_refused_and_nothing_happens(api: APIClient) -> None:
    ask = ask_of("api/v1/invoices/<uuid:pk>/payments", api)
    before = everything()
    answer = post(api, ask, HTTP_IDEMPOTENCY_KEY=" ")
    assert (answer.status_code, errors(answer)) == (400, [("Idempotency-Key", "invalid")])
    assert everything() == before


def test_a_get_has_no_use_for_a_key(api: APIClient) -> None:
    url = f"{URL}/{issued(api, 'invoices').pk}/payments"
    assert api.get(url, HTTP_IDEMPOTENCY_KEY=" ").status_code == 200
    assert api.get(url, **KEY).status_code == 200
    assert not IdempotencyRecord.unscoped.exists()


class TestAnAnswerThatIsNoSuccess:
    """What an action answers, and does not raise, is kept on the same terms."""

    @staticmethod
    def call(decorate: Callable[[Action[Any, Any]], Handler[Any, Any]], tenant: Tenant) -> Any:
        def action(view: Any, request: Any) -> Response:
            Customer.unscoped.create(tenant=tenant, type="CONSUMIDOR_FINAL", name="Ana")
            return Response({"ok": False}, status=502)

        view = type("Refusing", (APIView,), {"post": decorate(action)}).as_view()
        request = APIRequestFactory().post("/x", {}, **KEY)
        key, _ = ApiKey.objects.issue(tenant=tenant, name="k", scopes=("read", "write"))
        force_authenticate(request, user=key, token=key)
        return view(request)

    def test_in_one_commit_its_work_is_undone(self, alice: Tenant) -> None:
        assert self.call(once_in_one_commit, alice).status_code == 502
        assert not Customer.unscoped.exists()
        assert not IdempotencyRecord.unscoped.exists()

    def test_under_a_lease_the_key_is_freed(self, alice: Tenant) -> None:
        assert self.call(once_under_a_lease, alice).status_code == 502
        assert Customer.unscoped.count() == 1
        assert not IdempotencyRecord.unscoped.exists()
