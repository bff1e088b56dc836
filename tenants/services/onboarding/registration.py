"""The intent: everything an onboarding needs, checked as a whole and committed in one go."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from pac.dgi import shapes
from pac.dgi.ruc import RucType, check_digit
from tenants.models import Office, Tenant
from tenants.services.certificates import Certificates
from tenants.services.faults import Faults, fault
from tenants.services.onboarding.data import CompanyData, OfficeData, canonical_ruc, faults
from tenants.services.onboarding.series import SeriesBeyond, raise_series, series_beyond

AFFILIATION_STEP = 2
ACCEPTANCE_STEP = 3
OFFICE_STEP = 4
LAST_STEP = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run left: nothing, a tenant, a tenant and the office it works on."""

    tenant: Tenant | None = None
    office: Office | None = None

    @property
    def is_registered(self) -> bool:
        """Whether the PAC has the company: then its data and certificates are settled."""
        return self.tenant is not None and bool(self.tenant.pac_company_id)


@dataclass(frozen=True, slots=True)
class Registration:
    """`left` names what was given anew but is settled already, and was left as it is."""

    tenant: Tenant
    office: Office | None
    left: tuple[str, ...]


def known(*, ruc: str, ruc_type: RucType, office_code: str = "") -> Known:
    """What there is of this taxpayer. The office is the one with `office_code`, else one that the
    PAC does not have yet, else, where no code is given, the main one."""
    tenant = (
        Tenant.objects.select_related("main_office")
        .filter(ruc=canonical_ruc(ruc, ruc_type), ruc_type=ruc_type)
        .first()
    )
    if tenant is None:
        return Known()
    offices = Office.objects.for_tenant(tenant)
    office = offices.filter(code=office_code).first() or offices.filter(pac_office_id="").first()
    return Known(tenant, office or (None if office_code else tenant.main_office))


def register(
    *,
    company: CompanyData,
    office: OfficeData | None,
    certificates: Certificates | None,
    first_number: int | None,
    pac_company_id: str,
    last_step: int,
) -> Registration:
    """Store tenant, office and number series in one commit, or nothing at all.

    Raises `ValidationError` with every fault at once, by field. What the PAC has already is not
    changed; what it does not have yet may be put right by running again.
    """
    found = find_faults(
        company=company,
        office=office,
        certificates=certificates,
        first_number=first_number,
        pac_company_id=pac_company_id,
        last_step=last_step,
    )
    if found:
        raise ValidationError(found)
    there = _known_of(company, office)
    with transaction.atomic():
        tenant = _store_tenant(company)
        row = _store_office(tenant, there.office, office)
        if row and first_number is not None:
            raise_series(
                office=row,
                billing_point=settings.PAC_BILLING_POINT,
                first_number=first_number,
            )
    return Registration(tenant, row, _differences(tenant, row, company, office))


def find_faults(
    *,
    company: CompanyData,
    office: OfficeData | None,
    certificates: Certificates | None,
    first_number: int | None,
    pac_company_id: str,
    last_step: int,
    billing_point: str = "",
) -> Faults:
    """Everything that `register` would refuse, by field. Writes nothing.

    Where a `billing_point` is given, `first_number` is judged as that of its series.
    """
    there = _known_of(company, office)
    office_is_settled = there.office is not None and bool(there.office.pac_office_id)
    found = faults(
        company=company,
        office=None if office_is_settled else office,
        certificates=None if there.is_registered else certificates,
        first_number=first_number,
        pac_company_id=pac_company_id,
        is_registered=there.is_registered,
        now=timezone.now(),
    )
    if not (there.is_registered or pac_company_id or certificates):
        found["signature_certificate"] = [
            fault("certificate_needed", "The PAC needs it to create the company.")
        ]
    if last_step >= OFFICE_STEP and not (there.office or office):
        found["office_code"] = [
            fault("office_needed", "The PAC needs an office before anything can be issued.")
        ]
    if pac_company_id:
        found |= _taken(there, pac_company_id)
    if billing_point:
        found |= _billing_point(billing_point, first_number)
    if there.office and first_number is not None and "first_number" not in found:
        reached = series_beyond(
            office=there.office,
            billing_point=billing_point or settings.PAC_BILLING_POINT,
            first_number=first_number,
        )
        if reached:
            found["first_number"] = [SeriesBeyond(first_number, reached).fault()]
    return found


def _known_of(company: CompanyData, office: OfficeData | None) -> Known:
    return known(
        ruc=company.ruc, ruc_type=company.ruc_type, office_code=office.code if office else ""
    )


def _billing_point(text: str, first_number: int | None) -> Faults:
    found: Faults = {}
    if not shapes.is_billing_point(text):
        sentence = "A billing point has three digits and is never 000, such as 002."
        found["billing_point"] = [fault("billing_point", sentence)]
    if first_number is None:
        found["first_number"] = [fault("needed", "This is needed.")]
    return found


def _taken(there: Known, pac_company_id: str) -> Faults:
    """Why this id cannot be the company's."""
    own = there.tenant.pac_company_id if there.tenant else None
    if own == pac_company_id:
        return {}
    if own:
        refusal = fault("company_is_another", "The company is %(own)s already.", own=own)
        return {"pac_company_id": [refusal]}
    other = Tenant.objects.filter(pac_company_id=pac_company_id).first()
    if other is None:
        return {}
    refusal = fault("company_taken", "This is the company of %(other)s.", other=str(other))
    return {"pac_company_id": [refusal]}


def _store_tenant(company: CompanyData) -> Tenant:
    ruc = canonical_ruc(company.ruc, company.ruc_type)
    tenant, is_new = Tenant.objects.get_or_create(
        ruc=ruc,
        ruc_type=company.ruc_type,
        defaults={
            "dv": check_digit(ruc, company.ruc_type),
            "webhook_secret": secrets.token_urlsafe(32),
            **company.editable(),
        },
    )
    if not is_new:
        values = company.editable()
        if values["logo_url"] != tenant.logo_url:
            values["logo"] = ""
        Tenant.objects.filter(pk=tenant.pk, pac_company_id=None).update(**values)
        tenant.refresh_from_db()
    return tenant


def _store_office(tenant: Tenant, row: Office | None, office: OfficeData | None) -> Office | None:
    if office is None:
        return row
    if row is None:
        values = office.values()
        code = values.pop("code")
        # Another run may have stored it since `row` was looked for.
        row, _ = Office.unscoped.get_or_create(tenant=tenant, code=code, defaults=values)
    Office.unscoped.filter(pk=row.pk, pac_office_id="").update(**office.values())
    row.refresh_from_db()
    return row


def _differences(
    tenant: Tenant, row: Office | None, company: CompanyData, office: OfficeData | None
) -> tuple[str, ...]:
    return tuple(
        name
        for given, kept in (
            (company.editable(), CompanyData.of(tenant).editable()),
            ((office.values(), OfficeData.of(row).values()) if office and row else ({}, {})),
        )
        for name, value in given.items()
        if value != kept[name]
    )
