"""Taxpayers that wait for a person: one definition, for the list and the dashboard."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from tenants.models import Tenant

NOTICE = timedelta(days=30)


class Trouble(TextChoices):
    CERTIFICATES = "certificates", _("Certificados vencidos o por vencer en 30 días")
    ONBOARDING = "onboarding", _("Incorporación detenida")


def tenants(trouble: Trouble, *, today: date) -> QuerySet[Tenant]:
    """The taxpayers in this trouble on `today`, a day in Panama."""
    match trouble:
        case Trouble.CERTIFICATES:
            return Tenant.objects.filter(certificates_expire_on__lte=today + NOTICE)
        case Trouble.ONBOARDING:
            return Tenant.objects.filter(~Q(onboarding_error=""))
