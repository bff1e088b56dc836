"""The five steps. Each looks at what is done, does the rest, commits, and may be run again.

No step holds a transaction while it calls the PAC. What a kill leaves behind is in each docstring.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from pac.answers import Company
from pac.dgi.ruc import MalformedRuc, RucType, parse
from pac.errors import Rejected
from tenants.errors import OnboardingHalted
from tenants.models import ApiKey, Office, OnboardingStatus, Tenant
from tenants.services.certificates import first_end
from tenants.services.onboarding.data import canonical_ruc
from tenants.services.onboarding.once import SETTLED, CannotTell, create_once
from tenants.services.onboarding.run import Halt, Run
from tenants.services.rotation import webhook_changes, webhook_url

REQUEST_QR = 3
FINISH = 1
SUBSCRIBED = "SUBSCRIBED"
NOT_REQUESTED = ("NONE", "NOT_REQUESTED")
FIRST_KEY_NAME = "Primera clave"


def create_company(run: Run) -> None:
    """Step 1: the company at the PAC, found there or created.

    One that was found, or named by `pac_company_id`, keeps its data and certificates; only the
    PAC's own e-mails are switched off before it is taken, which a kill in between repeats.
    """
    tenant = run.tenant
    if run.company_id:
        return
    if run.pac_company_id:
        company_id, is_new = _named_company(run), False
    else:
        try:
            company_id, is_new = create_once(
                tenant,
                missing=Q(pac_company_id=None),
                look=lambda: _find_company(run),
                create=lambda: _create_company(run),
                deadline=run.client.total_deadline,
                sleep=run.wait,
            )
        except CannotTell as reason:
            raise OnboardingHalted(
                f"The PAC may have a company with the RUC {tenant.ruc} from an earlier attempt, "
                f"and its list does not tell ({reason}). "
                "Find its id at the PAC and run again with --pac-company-id.",
                Halt.COMPANY_UNCLEAR,
            ) from None
    if not is_new:
        run.client.update_company(company_id, {"emails": _emails(tenant)})
        if not tenant.pac_doubtful_since:  # created by nobody here: with which certificates?
            Tenant.objects.filter(pk=tenant.pk).update(certificates_expire_on=None)
    run.reach(OnboardingStatus.COMPANY_CREATED, pac_company_id=company_id, **SETTLED)
    origin = "created" if is_new else "found at the PAC and taken, with the certificates it has"
    run.say(f"Company {company_id} {origin}.")


def set_webhook(run: Run) -> None:
    """Step 1, its end: tell the PAC where to call and with which secret. Repeatable.

    Done again whenever `PAC_WEBHOOK_URL` has changed since.
    """
    if not settings.PAC_WEBHOOK_URL:
        run.say("PAC_WEBHOOK_URL is empty: the PAC will not call, documents are polled.")
        return
    url = webhook_url(run.tenant)
    if run.tenant.pac_webhook_url == url:
        return
    # Committed before the PAC has it: a delivery may come at once.
    Tenant.objects.filter(pk=run.tenant.pk, webhook_secret="").update(
        webhook_secret=secrets.token_urlsafe(32)
    )
    run.tenant.refresh_from_db()
    run.client.update_company(run.company_id, webhook_changes(url, run.tenant.webhook_secret))
    Tenant.objects.filter(pk=run.tenant.pk).update(pac_webhook_url=url)
    run.say(f"Webhook set to {url}.")


def request_affiliation(run: Run) -> None:
    """Step 2: the QR that the taxpayer scans in the DGI's app. Asking twice does no harm."""
    if run.has_reached(OnboardingStatus.AFFILIATION_REQUESTED):
        return
    _request_qr(run)


def finish_affiliation(run: Run) -> None:
    """Step 3: the affiliation, once the taxpayer has accepted. Repeatable.

    Raises `OnboardingHalted` while he has not.
    """
    if run.has_reached(OnboardingStatus.AFFILIATED):
        return
    run.confirm(run.tenant.affiliation_qr)
    refusal = ""
    try:
        status = run.client.affiliate(run.company_id, FINISH).status
    except Rejected as error:
        status, refusal = None, error.message
    if status is None:
        status = run.client.get_company(run.company_id).affiliated
    if status == SUBSCRIBED:
        run.reach(OnboardingStatus.AFFILIATED)
        run.say("The taxpayer is affiliated.")
        return
    if status in NOT_REQUESTED:  # the PAC has forgotten the request
        _request_qr(run)
    raise OnboardingHalted(
        "The taxpayer has not accepted the affiliation yet "
        f"(the PAC says: {refusal or status or 'nothing'}). "
        f"Scan this QR in the DGI's app, then run again: {run.tenant.affiliation_qr}",
        Halt.NOT_ACCEPTED,
        refusal or status or "",
    )


def create_office(run: Run) -> None:
    """Step 4: the office at the PAC, found there or created; the first becomes the main one."""
    office = run.office
    if office is None:
        raise OnboardingHalted("The PAC needs an office.", Halt.NO_OFFICE)
    if not office.pac_office_id:
        try:
            office_id, is_new = create_once(
                office,
                missing=Q(pac_office_id=""),
                look=lambda: _find_office(run, office),
                create=lambda: run.client.create_office(run.company_id, _office_payload(office)).id,
                deadline=run.client.total_deadline,
                sleep=run.wait,
            )
        except CannotTell as reason:
            raise OnboardingHalted(
                f"The PAC may have the office {office.code} from an earlier attempt, and its list "
                f"does not tell ({reason}). Find its id at the PAC, enter it at the office in the "
                "admin and run again.",
                Halt.OFFICE_UNCLEAR,
            ) from None
        Office.unscoped.filter(pk=office.pk).update(pac_office_id=office_id, **SETTLED)
        office.refresh_from_db()
        run.say(f"Office {office.code} ({office_id}) {'created' if is_new else 'found'}.")
    if run.tenant.main_office_id is None or not run.has_reached(OnboardingStatus.OFFICE_CREATED):
        main = run.tenant.main_office_id or office.pk
        run.reach(OnboardingStatus.OFFICE_CREATED, main_office_id=main)


def make_ready(run: Run) -> None:
    """Step 5: the first API key, unless there is one, and `READY`, in one commit.

    A kill right after it loses the key's text: `create_api_key` makes another.
    """
    if run.has_reached(OnboardingStatus.READY):
        return
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=run.tenant.pk)
        text = ""
        if not tenant.api_keys.exists():
            _, text = ApiKey.objects.issue(tenant=tenant, name=FIRST_KEY_NAME)
        run.reach(OnboardingStatus.READY)
    run.api_key = text
    run.say("Ready to issue." if text else "Ready to issue, with the API keys that there are.")


STEPS: tuple[tuple[int, str, Callable[[Run], None]], ...] = (
    (1, "company", create_company),
    (1, "webhook", set_webhook),
    (2, "affiliation request", request_affiliation),
    (3, "affiliation", finish_affiliation),
    (4, "office", create_office),
    (5, "API key", make_ready),
)


def _request_qr(run: Run) -> None:
    answer = run.client.affiliate(run.company_id, REQUEST_QR)
    subscribed = answer.status == SUBSCRIBED
    run.reach(
        OnboardingStatus.AFFILIATED if subscribed else OnboardingStatus.AFFILIATION_REQUESTED,
        affiliation_qr=answer.qr or "",
    )
    if subscribed:
        run.say("The taxpayer is affiliated already.")
    else:
        run.say(f"Affiliation requested. QR to scan in the DGI's app: {answer.qr or 'none given'}")


def _named_company(run: Run) -> str:
    company = run.client.get_company(run.pac_company_id)
    if company.ruc is not None and not _is_of(company, run.tenant):
        raise OnboardingHalted(
            f"The PAC's company {company.id} is {company.name} with the RUC {company.ruc} "
            f"({company.ruc_type}), not {run.tenant.ruc} ({run.tenant.ruc_type}).",
            Halt.OTHER_COMPANY,
        )
    return company.id


def _find_company(run: Run) -> str | None:
    companies = run.client.list_companies()
    same = [each.id for each in companies if _is_of(each, run.tenant)]
    if len(same) > 1:
        raise CannotTell(f"it has {len(same)} companies with this RUC")
    if not same and any(each.ruc is None for each in companies):
        raise CannotTell("it has companies without a RUC")
    return same[0] if same else None


def _is_of(company: Company, tenant: Tenant) -> bool:
    """Same RUC, same type; without a type, a RUC that can be of this type only."""
    own = tenant.issuer_ruc_type
    if company.ruc is None or canonical_ruc(company.ruc, own) != tenant.ruc:
        return False
    if company.ruc_type is not None:
        return company.ruc_type == own
    other = RucType.NATURAL if own is RucType.JURIDICO else RucType.JURIDICO
    try:
        parse(tenant.ruc, other)
    except MalformedRuc:
        return True
    raise CannotTell("it has this RUC without its type")


def _find_office(run: Run, office: Office) -> str | None:
    offices = run.client.list_offices(run.company_id)
    same = [each.id for each in offices if each.code == office.code]
    if len(same) > 1:
        raise CannotTell(f"it has {len(same)} offices with this code")
    if not same and any(each.code is None for each in offices):
        raise CannotTell("it has offices without a code")
    return same[0] if same else None


def _create_company(run: Run) -> str:
    if run.certificates is None:
        raise OnboardingHalted(
            "The PAC needs the certificates to create the company.", Halt.NO_CERTIFICATES
        )
    payload = _company_payload(run.tenant) | {"certificates": run.certificates.wire()}
    # Before they are sent: the answer, and with it this run, may be lost.
    Tenant.objects.filter(pk=run.tenant.pk).update(
        certificates_expire_on=first_end(run.certificates)
    )
    return run.client.create_company(payload).id


def _company_payload(tenant: Tenant) -> dict[str, Any]:
    payload = {
        "name": tenant.name,
        "tradeName": tenant.trade_name or tenant.name,
        "ruc": tenant.ruc,
        "checkDigit": tenant.dv,
        "type": tenant.company_type,
        "typeRuc": {"code": tenant.issuer_ruc_type.code},
        "emails": _emails(tenant),
    }
    if tenant.logo_url:
        payload["logo"] = tenant.logo_url
    return payload


def _emails(tenant: Tenant) -> dict[str, Any]:
    """Cifras writes to the receivers: the PAC must not write to them as well."""
    return {"active": False, "replyTo": tenant.email, "message": ""}


def _office_payload(office: Office) -> dict[str, str]:
    names = ("code", "type", "coordinates", "address", "telephone", "location", "email")
    return {name: value for name in names if (value := getattr(office, name))}
