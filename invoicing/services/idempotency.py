"""The same request twice acts once.

The answer is written in the commit that earned it, so that a kill leaves both or neither:

    issuing              work ─ answer           a request that cannot commit, because a twin was
                                                 first, looks here before it says no
    one transaction      claim ─ work ─ answer   a twin is held at the claim
    waiting for it       claim ─ work ─ answer │ wait │ better answer
    asking the PAC       claim │ work │ answer   (│ is a commit)

While a row's lease lies ahead, its request runs and a twin is told so. When a process died, a claim
without an answer is taken over at the end of its lease, and an answer that was to become better
stays as it is.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from invoicing.models import IdempotencyRecord
from tenants.db import is_lock_timeout
from tenants.errors import Conflict
from tenants.models import Tenant

KEPT = timedelta(hours=24)
LEASE = timedelta(minutes=1)  # a request that asks the PAC takes ten seconds at most


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for a request, and what the request said."""

    key: str
    fingerprint: str

    @classmethod
    def of(cls, key: str, method: str, path: str, body: Any) -> "IdempotencyKey":
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
        text = "\n".join((method, path, canonical))
        return cls(key, hashlib.sha256(text.encode()).hexdigest())

    def keep(self, tenant: Tenant, status_code: int, answer: Any) -> None:
        """Stores the answer in the caller's transaction. IntegrityError: a twin was first."""
        IdempotencyRecord(
            tenant=tenant,
            key=self.key,
            fingerprint=self.fingerprint,
            status_code=status_code,
            answer=_text(answer),
        ).save(force_insert=True)

    def amend(self, tenant: Tenant, answer: Any) -> None:
        """Replaces a kept answer by the better one that its request got after waiting."""
        IdempotencyRecord.objects.for_tenant(tenant).filter(
            key=self.key, fingerprint=self.fingerprint
        ).update(answer=_text(answer), updated_at=timezone.now())

    def find(self, tenant: Tenant) -> IdempotencyRecord | None:
        """What became of the same request before: its answer, or without `status_code` the claim of
        a process that died.

        Raises `Conflict`: `idempotency_conflict` where the key stood for another request,
        `idempotency_in_progress` while the first still runs.
        """
        record = IdempotencyRecord.objects.for_tenant(tenant).filter(key=self.key).first()
        if record is None:
            return None
        if record.fingerprint != self.fingerprint:
            raise Conflict(
                "idempotency_conflict",
                f"The Idempotency-Key {self.key!r} was used for another request.",
            )
        if record.lease_expires_at and record.lease_expires_at > timezone.now():
            raise self.in_progress()
        return record

    def in_progress(self) -> Conflict:
        return Conflict(
            "idempotency_in_progress",
            f"A request with the Idempotency-Key {self.key!r} is still running.",
        )

    def claim(self, tenant: Tenant) -> IdempotencyRecord:
        """The key's row: this request's to work under, or with a `status_code` what it got before.

        Raises what `find` raises. In the caller's transaction a twin waits at the claim for that to
        end, two seconds at most; outside of one, the claim is committed.
        """
        record = IdempotencyRecord(
            tenant=tenant,
            key=self.key,
            fingerprint=self.fingerprint,
            lease_expires_at=timezone.now() + LEASE,
        )
        try:
            with transaction.atomic():
                record.save(force_insert=True)
        except IntegrityError:
            return self._taken(tenant)
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            raise self.in_progress() from error
        return record

    def _taken(self, tenant: Tenant) -> IdempotencyRecord:
        record = self.find(tenant)
        if record is None:  # given up between our look and its; the next try finds the key free
            raise self.in_progress()
        if record.status_code is None:
            now = timezone.now()
            if not _moved(record, created_at=now, lease_expires_at=now + LEASE):
                raise self.in_progress()
        return record


def answer(
    record: IdempotencyRecord, status_code: int, body: Any, *, until: datetime | None = None
) -> None:
    """Keeps what a claim's request is answered; `until` while it may still become better.

    Without effect where the lease was lost to a twin, whose answer counts.
    """
    _moved(record, status_code=status_code, answer=_text(body), lease_expires_at=until)


def release(record: IdempotencyRecord) -> None:
    """Frees the key of a claim that came to nothing."""
    IdempotencyRecord.unscoped.filter(
        pk=record.pk, status_code=None, lease_expires_at=record.lease_expires_at
    ).delete()


def reap() -> int:
    """Forgets answers older than a day; how many there were. What still runs stays."""
    now = timezone.now()
    count, _ = (
        IdempotencyRecord.unscoped.filter(created_at__lte=now - KEPT)
        .exclude(lease_expires_at__gt=now)
        .delete()
    )
    return count


def _moved(record: IdempotencyRecord, **changes: Any) -> bool:
    """Changes a row whose lease is still the one that we know."""
    written = IdempotencyRecord.unscoped.filter(
        pk=record.pk, lease_expires_at=record.lease_expires_at
    ).update(**changes, updated_at=timezone.now())
    record.lease_expires_at = changes["lease_expires_at"]
    return written == 1


def _text(answer: Any) -> str:
    return json.dumps(answer, cls=DjangoJSONEncoder)
