"""The claims of idempotency keys: who works under one, who takes one over, who forgets them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from conftest import LONG_AGO
from invoicing.models import IdempotencyRecord
from invoicing.services import idempotency
from invoicing.services.idempotency import IdempotencyKey
from tenants.errors import Conflict
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

KEY = IdempotencyKey.of("k", "POST", "/api/v1/x", {"a": 1})
OTHER = IdempotencyKey.of("k", "POST", "/api/v1/x", {"a": 2})


def refused(key: IdempotencyKey, tenant: Tenant) -> str:
    with pytest.raises(Conflict) as caught:
        key.claim(tenant)
    return caught.value.code


def expire() -> None:
    IdempotencyRecord.unscoped.update(lease_expires_at=LONG_AGO)


def test_a_claim_is_its_makers_until_the_lease_ends(alice: Tenant) -> None:
    record = KEY.claim(alice)
    assert record.status_code is None
    assert refused(KEY, alice) == "idempotency_in_progress"
    assert refused(OTHER, alice) == "idempotency_conflict"
    idempotency.answer(record, 202, {"b": 1})
    again = KEY.claim(alice)
    assert (again.pk, again.status_code, json.loads(again.answer)) == (record.pk, 202, {"b": 1})
    assert again.lease_expires_at is None
    assert refused(OTHER, alice) == "idempotency_conflict"


def test_the_claim_of_a_dead_process_is_taken_over_once(alice: Tenant) -> None:
    dead = KEY.claim(alice)
    expire()
    taken = KEY.claim(alice)
    assert (taken.pk, taken.status_code) == (dead.pk, None)
    assert refused(KEY, alice) == "idempotency_in_progress"


def test_of_two_who_take_a_claim_over_one_is_first(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    KEY.claim(alice)
    expire()
    really = IdempotencyKey.find

    def find(key: IdempotencyKey, tenant: Tenant) -> IdempotencyRecord | None:
        """The twin is faster between this one's look and its claim."""
        found = really(key, tenant)
        monkeypatch.setattr(IdempotencyKey, "find", really)
        key.claim(tenant)
        return found

    monkeypatch.setattr(IdempotencyKey, "find", find)
    assert refused(KEY, alice) == "idempotency_in_progress"


def test_a_key_that_is_freed_at_this_moment_is_for_the_next_try(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = KEY.claim(alice)
    really = IdempotencyKey.find

    def find(key: IdempotencyKey, tenant: Tenant) -> IdempotencyRecord | None:
        idempotency.release(record)
        return really(key, tenant)

    monkeypatch.setattr(IdempotencyKey, "find", find)
    assert refused(KEY, alice) == "idempotency_in_progress"
    assert KEY.claim(alice).status_code is None


def test_who_was_slower_than_its_lease_neither_answers_nor_frees_for_the_twin(
    alice: Tenant,
) -> None:
    slow = KEY.claim(alice)
    IdempotencyRecord.unscoped.update(lease_expires_at=LONG_AGO)
    twin = KEY.claim(alice)
    idempotency.release(slow)
    idempotency.answer(slow, 200, "slow")
    assert IdempotencyRecord.unscoped.get().status_code is None
    idempotency.answer(twin, 200, "twin")
    assert IdempotencyRecord.unscoped.get().answer == '"twin"'


def test_an_answer_that_may_become_better_stands_when_its_process_dies(alice: Tenant) -> None:
    record = KEY.claim(alice)
    idempotency.answer(record, 202, "at first", until=timezone.now() + timedelta(seconds=40))
    assert refused(KEY, alice) == "idempotency_in_progress"
    expire()
    again = KEY.claim(alice)
    assert (again.status_code, again.answer) == (202, '"at first"')


def test_a_claim_in_another_tenants_name_is_another_claim(alice: Tenant, bob: Tenant) -> None:
    assert KEY.claim(alice).pk != OTHER.claim(bob).pk


def test_reaping_forgets_after_a_day_what_does_not_run(alice: Tenant) -> None:
    day = timedelta(hours=24)
    now = timezone.now()
    rows = {
        "answered": (now - day, None, 201),
        "died": (now - day, LONG_AGO, None),
        "runs": (now - day, now + timedelta(minutes=1), None),
        "young": (now - day + timedelta(minutes=1), None, 201),
    }
    for key, (created_at, lease_expires_at, status_code) in rows.items():
        IdempotencyRecord.unscoped.create(
            tenant=alice,
            key=key,
            fingerprint="",
            created_at=created_at,
            lease_expires_at=lease_expires_at,
            status_code=status_code,
        )
    assert idempotency.reap() == 2
    assert set(IdempotencyRecord.unscoped.values_list("key", flat=True)) == {"runs", "young"}


def test_a_claim_that_is_taken_over_lives_a_day_from_then(alice: Tenant) -> None:
    KEY.claim(alice)
    IdempotencyRecord.unscoped.update(
        created_at=timezone.now() - timedelta(hours=25), lease_expires_at=LONG_AGO
    )
    idempotency.answer(KEY.claim(alice), 200, {})
    assert idempotency.reap() == 0
