"""The circuit breaker: one probe, no attempt lost, and the PAC's own wish honoured."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Barrier

import pytest
import responses
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper
from rest_framework.test import APIClient

from conftest import LONG_AGO, body
from invoicing.models import Breaker, Document
from invoicing.services import breaker, claims, submit
from invoicing.services.errands import run
from invoicing.tests.together import together
from pac.sandbox import Sandbox
from tenants.base import new_id
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)
ROW, ANOTHER = new_id(), new_id()


def issue(api: APIClient) -> Document:
    return Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])


def send(*documents: Document) -> None:
    """One try at sending each of these, now."""
    Document.unscoped.filter(next_attempt_at__isnull=False).update(next_attempt_at=None)
    Document.unscoped.filter(pk__in=[document.pk for document in documents]).update(
        next_attempt_at=LONG_AGO
    )
    for sending in submit.claim_due(len(documents)):
        run(sending)


def open_circuit(tenant: Tenant, *, retry_at: datetime = LONG_AGO, failures: int = 10) -> Breaker:
    return Breaker.objects.create(
        key=breaker.key_of(tenant), failures=failures, retry_at=retry_at, reason="away"
    )


def test_two_workers_at_the_same_moment_send_one_probe(alice: Tenant, api: APIClient) -> None:
    for _ in range(4):
        issue(api)
    open_circuit(alice)
    barrier = Barrier(2)

    def worker() -> int:
        barrier.wait()
        return len(submit.claim_due(10))

    assert sorted(together(worker, worker)) == [0, 1]


def test_of_two_that_saw_the_same_rest_end_one_gets_the_probe(alice: Tenant) -> None:
    """However their transactions interleave: both have read the row, then both claim."""
    open_circuit(alice)
    now = timezone.now()
    first, second = Breaker.objects.get(), Breaker.objects.get()
    assert breaker.claim_probe(first, ROW, now)
    assert not breaker.claim_probe(second, ROW, now)


def test_a_probe_whose_worker_died_makes_room_for_another(alice: Tenant, api: APIClient) -> None:
    for _ in range(3):
        issue(api)
    open_circuit(alice)
    assert len(submit.claim_due(10)) == 1  # and here its worker is killed
    now = timezone.now()

    def due(after: timedelta) -> list[Document]:
        return claims.due_documents("next_attempt_at", now=now + after, limit=10)

    with transaction.atomic():
        assert due(breaker.PROBE - timedelta(seconds=5)) == []
        assert len(due(breaker.PROBE + timedelta(seconds=1))) == 1
        assert due(breaker.PROBE + timedelta(seconds=1)) == []


def test_a_probe_that_fails_rests_for_seconds_and_not_until_its_place_expires(
    alice: Tenant,
) -> None:
    """The PAC asked for a rest once; the probe after it was unlucky. That is no long outage."""
    now = timezone.now()
    breaker.failed(alice, ROW, "busy", now=now, retry_after=1)
    now += timedelta(seconds=2)
    assert breaker.claim_probe(Breaker.objects.get(), ROW, now)
    breaker.failed(alice, ROW, "time-out", now=now)
    retry_at = Breaker.objects.get().retry_at
    assert retry_at is not None
    assert now < retry_at <= now + breaker.FIRST_REST


def test_a_straggler_does_not_shorten_the_rest_that_the_pac_asked_for(alice: Tenant) -> None:
    now = timezone.now()
    breaker.failed(alice, ROW, "busy", now=now, retry_after=600)
    for _ in range(breaker.THRESHOLD + 1):
        breaker.failed(alice, ROW, "time-out", now=now + timedelta(seconds=1))
    assert Breaker.objects.get().retry_at == now + timedelta(seconds=600)


def test_a_straggler_of_the_same_process_does_not_end_a_probe(alice: Tenant) -> None:
    circuit, now = open_circuit(alice), timezone.now()
    breaker.claim_probe(circuit, ROW, now)
    breaker.failed(alice, ANOTHER, "time-out", now=now)
    assert Breaker.objects.get().retry_at == now + breaker.PROBE
    breaker.failed(alice, ROW, "time-out", now=now)
    retry_at = Breaker.objects.get().retry_at
    assert retry_at is not None
    assert retry_at < now + breaker.PROBE


def test_a_probe_of_which_no_payload_can_be_made_gives_its_place_to_another(
    alice: Tenant, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(api)
    open_circuit(alice)
    with monkeypatch.context() as patch:
        patch.setattr(submit, "build_payload", lambda *_: 1 / 0)
        assert submit.claim_due(10) == []
    other = issue(api)
    assert [sending.document for sending in submit.claim_due(10)] == [other]


def test_a_probe_that_waited_too_long_for_a_thread_gives_its_place_to_another(
    alice: Tenant, api: APIClient
) -> None:
    first, second = issue(api), issue(api)
    open_circuit(alice)
    (probe,) = submit.claim_due(10)
    soon = timezone.now() + timedelta(seconds=1)
    Document.unscoped.filter(pk=probe.document.pk).update(lease_expires_at=soon)
    probe.lease_expires_at = soon
    run(probe)
    Document.unscoped.filter(submission_state="QUEUED").update(next_attempt_at=LONG_AGO)
    (another,) = submit.claim_due(10)
    assert another.document in {first, second}


def test_a_straggler_of_another_process_does_not_end_a_probe(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit, now = open_circuit(alice), timezone.now()
    breaker.claim_probe(circuit, ROW, now)
    monkeypatch.setattr(breaker, "_probes", {})  # over there
    breaker.failed(alice, ROW, "time-out", now=now)
    assert Breaker.objects.get().retry_at == now + breaker.PROBE


def test_rests_grow_to_a_minute_and_no_two_are_the_same(alice: Tenant) -> None:
    now, rests = timezone.now(), []
    for _ in range(100):
        Breaker.objects.filter(retry_at__isnull=False).update(retry_at=LONG_AGO)
        breaker.failed(alice, ROW, "away", now=now)
        retry_at = Breaker.objects.get().retry_at
        rests.append((retry_at - now).total_seconds() if retry_at else 0.0)
    assert rests[: breaker.THRESHOLD - 1] == [0] * (breaker.THRESHOLD - 1)
    assert all(1 <= rest <= 2 for rest in rests[9:19])
    assert len(set(rests[9:19])) > 1
    assert all(30 <= rest <= 60 for rest in rests[-10:])


@pytest.mark.parametrize(
    "header",
    [
        lambda: "300",
        lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True),
    ],
    ids=["seconds", "HTTP date"],
)
def test_retry_after_holds_back_the_document_and_all_of_its_token(
    header: Callable[[], str], api: APIClient, box: Sandbox
) -> None:
    first, second = issue(api), issue(api)
    before = timezone.now()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as pac:
        pac.get(f"{box.url}/pan/v1/check-digit", status=503)
        pac.post(f"{box.url}/pan/v1/invoices", status=429, headers={"Retry-After": header()})
        send(first)
    asked_for = before + timedelta(seconds=298)  # an HTTP date has no fractions
    first.refresh_from_db()
    assert first.next_attempt_at is not None
    assert first.next_attempt_at >= asked_for
    assert (first.submission_state, first.attempts) == ("QUEUED", 0)
    retry_at = Breaker.objects.get().retry_at
    assert retry_at is not None
    assert retry_at >= asked_for
    send(second)  # rests, though it was never refused
    second.refresh_from_db()
    assert (second.submission_state, second.attempts, second.setbacks) == ("QUEUED", 0, 0)


def _closed_port(box: Sandbox, settings: SettingsWrapper) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.PAC_BASE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}"


def _rate_limit(box: Sandbox, settings: SettingsWrapper) -> None:
    box.options.update({"rate_limit_next": 99})


def _revoked_token(box: Sandbox, settings: SettingsWrapper) -> None:
    box.options.update({"unauthorized": True})


@pytest.mark.parametrize("obstacle", [_closed_port, _rate_limit, _revoked_token])
def test_what_is_not_about_the_document_uses_up_no_attempt(
    obstacle: Callable[[Sandbox, SettingsWrapper], None],
    api: APIClient,
    box: Sandbox,
    settings: SettingsWrapper,
) -> None:
    document = issue(api)
    obstacle(box, settings)
    pauses = []
    for tried in range(1, 4):
        Breaker.objects.all().delete()
        before = timezone.now()
        send(document)
        document.refresh_from_db()
        assert (document.submission_state, document.attempts) == ("QUEUED", 0)
        assert document.setbacks == tried
        assert document.next_attempt_at is not None
        pauses.append(document.next_attempt_at - before)
    assert pauses[2] > pauses[0]
    assert box.documents == []


def test_an_open_circuit_uses_up_no_attempt(alice: Tenant, api: APIClient) -> None:
    document = issue(api)
    open_circuit(alice, retry_at=timezone.now() + timedelta(seconds=30))
    for _ in range(3):
        send(document)
    document.refresh_from_db()
    assert (document.submission_state, document.attempts, document.setbacks) == ("QUEUED", 0, 0)


def test_the_circuit_of_one_token_does_not_stop_another(
    alice: Tenant,
    bob: Tenant,
    client_of: Callable[..., APIClient],
) -> None:
    bob.pac_token = "bob's own"
    bob.save()
    documents = [issue(client_of(tenant)) for tenant in (alice, bob)]
    for stopped, goes_on in ((alice, documents[1]), (bob, documents[0])):
        Breaker.objects.all().delete()
        open_circuit(stopped, retry_at=timezone.now() + timedelta(minutes=1))
        with transaction.atomic():
            due = claims.due_documents("next_attempt_at", now=timezone.now(), limit=10)
        assert due == [goes_on]


def test_a_token_that_no_key_opens_stops_nobody_else(
    alice: Tenant,
    bob: Tenant,
    client_of: Callable[..., APIClient],
    settings: SettingsWrapper,
) -> None:
    """A secret of an encryption key that was thrown away, while another circuit is open."""
    late = issue(client_of(bob))
    issue(client_of(alice))
    known = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = ["lost"]
    alice.pac_token = "sealed with a key that is gone"
    alice.save()
    settings.FIELD_ENCRYPTION_KEYS = known
    Breaker.objects.create(key="f" * 64, failures=10, retry_at=timezone.now() + timedelta(hours=1))
    assert [sending.document for sending in submit.claim_due(10)] == [late]
    unread = Document.unscoped.only("next_attempt_at").get(tenant_id=alice.pk)
    assert unread.next_attempt_at is not None
    assert unread.next_attempt_at > timezone.now() + timedelta(minutes=10)


def test_many_probes_leave_room_for_those_whose_pac_answers(
    alice: Tenant, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    bob.pac_token = "bob's own"
    bob.save()
    for _ in range(6):
        issue(client_of(alice))
        issue(client_of(bob))
    open_circuit(bob)
    claimed = submit.claim_due(2)
    assert {sending.document.tenant_id for sending in claimed} == {alice.pk, bob.pk}
    assert len(claimed) == 2


def test_an_open_circuit_costs_the_same_for_any_number_of_tenants(
    alice: Tenant, api: APIClient
) -> None:
    issue(api)
    open_circuit(alice, retry_at=timezone.now() + timedelta(minutes=1))

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            submit.claim_due(10)
        return len(captured)

    few = statements()
    Tenant.objects.bulk_create(
        Tenant(name=f"T{n}", ruc=f"8-1-{n}", ruc_type="NATURAL", dv="00", pac_token=f"token {n}")
        for n in range(60)
    )
    assert statements() == few


def test_what_a_probe_finds_out_counts_for_all(alice: Tenant, api: APIClient, box: Sandbox) -> None:
    documents = [issue(api) for _ in range(3)]
    open_circuit(alice)
    (probe,) = submit.claim_due(10)
    run(probe)
    assert Breaker.objects.get().retry_at is None
    assert len(submit.claim_due(10)) == len(documents) - 1
