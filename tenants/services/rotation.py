"""New secrets in the place of old ones: the webhook's, shared with the PAC, and API keys."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from pac.errors import Ambiguous, PacError
from tenants.errors import Conflict
from tenants.models import ApiKey, Tenant
from tenants.pac import pac_client


def webhook_url(tenant: Tenant) -> str:
    """Where the PAC calls for this company."""
    return f"{settings.PAC_WEBHOOK_URL}/{tenant.pac_company_id}"


def webhook_changes(url: str, secret: str) -> dict[str, Any]:
    """What the PAC is told of a company's webhook."""
    target = {"status": "active", "url": url, "headers": {"X-Pac-Signature": secret}}
    return {"webhooks": {"documents": {"emissionFinished": target}}}


def is_rotating(tenant: Tenant) -> bool:
    """Whether nobody knows yet that the PAC has taken the new secret."""
    return bool(tenant.previous_webhook_secret)


def rotate_webhook_secret(tenant: Tenant, *, deadline: float | None = None) -> None:
    """Make a new secret and tell the PAC; deliveries with the old one count until it has taken it.

    Run again after a failure, it tells the PAC the same new secret: a third one would push out the
    old one, which the PAC may still use. A kill or a lost answer leaves both in force, and nothing
    of the PAC's deliveries is refused.

    Raises `Conflict` (`no_webhook`, `in_progress`) and `PacError` with the PAC's words. Calls the
    PAC, for `deadline` seconds at most: not inside a transaction.
    """
    if not tenant.pac_webhook_url:
        raise Conflict("no_webhook", "The PAC has no webhook of this tenant: onboard it first.")
    client = pac_client(tenant, deadline=deadline)
    secret = _begin(tenant, timedelta(seconds=client.total_deadline))
    changes = webhook_changes(tenant.pac_webhook_url, secret)
    try:
        client.update_company(tenant.pac_company_id or "", changes)
    except Ambiguous:
        raise  # it may still arrive: nobody else changes it before its time is over
    except PacError:
        _rows(tenant).update(pac_lease_expires_at=None)
        raise
    _rows(tenant).update(previous_webhook_secret="", pac_lease_expires_at=None)


def _begin(tenant: Tenant, lease: timedelta) -> str:
    """Commit the new secret beside the old one, for one caller at a time."""
    now = timezone.now()
    with transaction.atomic():
        row = _rows(tenant).select_for_update().get()
        free = Q(pac_lease_expires_at=None) | Q(pac_lease_expires_at__lte=now)
        if _rows(tenant).filter(free).update(pac_lease_expires_at=now + lease) != 1:
            raise Conflict("in_progress", "The secret is being changed at this moment.")
        if not is_rotating(row):
            row.previous_webhook_secret = row.webhook_secret or settings.PAC_WEBHOOK_SECRET
            row.webhook_secret = secrets.token_urlsafe(32)
            row.save(update_fields=["previous_webhook_secret", "webhook_secret", "updated_at"])
    return row.webhook_secret


def replace_api_key(key: ApiKey, *, new_id: UUID, revoke: bool) -> tuple[ApiKey, str]:
    """A new key with the name and the scopes of `key`, and its text: nobody sees it again.

    `new_id` is the new key's id: whoever asks twice with the same one gets one key and a `Conflict`
    (`already_replaced`). With `revoke` the old key stops working in the same commit. Raises
    `Conflict` (`revoked`) for a key that is revoked already.
    """
    try:
        with transaction.atomic():
            if revoke and not ApiKey.objects.filter(pk=key.pk, revoked=False).update(revoked=True):
                raise _refusal(key, new_id)
            if not revoke and not ApiKey.objects.filter(pk=key.pk, revoked=False).exists():
                raise _refusal(key, new_id)
            created, text = ApiKey.objects.create_key(
                pk=new_id, tenant_id=key.tenant_id, name=key.name, scopes=key.scopes
            )
    except IntegrityError:
        raise _refusal(key, new_id) from None
    return cast(ApiKey, created), text


def _refusal(key: ApiKey, new_id: UUID) -> Conflict:
    if ApiKey.objects.filter(pk=new_id).exists():
        return Conflict("already_replaced", "The new key was made and shown already.")
    return Conflict("revoked", f"The key {key.prefix} is revoked.")


def _rows(tenant: Tenant) -> Any:
    return Tenant.objects.filter(pk=tenant.pk)
