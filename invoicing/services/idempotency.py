"""The same request twice is one document.

The answer is written in the commit that earned it. A request that cannot commit, because a twin
was first or because the world has moved on, looks here before it says no.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from invoicing.models import IdempotencyRecord
from tenants.errors import Conflict
from tenants.models import Tenant

KEPT = timedelta(hours=24)


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
            answer=json.dumps(answer, cls=DjangoJSONEncoder),
        ).save(force_insert=True)

    def find(self, tenant: Tenant) -> IdempotencyRecord | None:
        """The answer that this request got before. Raises `Conflict` where the key stood for
        another request."""
        record = IdempotencyRecord.objects.for_tenant(tenant).filter(key=self.key).first()
        if record and record.fingerprint != self.fingerprint:
            raise Conflict(
                "idempotency_conflict",
                f"The Idempotency-Key {self.key!r} was used for another request.",
            )
        return record


def reap() -> int:
    """Forgets answers older than a day; how many there were."""
    count, _ = IdempotencyRecord.unscoped.filter(created_at__lte=timezone.now() - KEPT).delete()
    return count
