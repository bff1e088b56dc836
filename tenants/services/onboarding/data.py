"""What is asked of a taxpayer before the PAC is, and whether it can be right."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from pac.dgi import shapes
from pac.dgi.ruc import MalformedRuc, RucType, parse
from tenants.models import Office, Tenant
from tenants.models.tenant import CompanyType
from tenants.services.certificates import Certificates, certificate_faults

MAX_NAME = 100
MAX_LOGO_URL = 200
MAX_COORDINATES = 40
MAX_ADDRESS = 100
MAX_TELEPHONE = 12
MAX_EMAIL = 50
MAX_NUMBER = 9_999_999_999
OFFICE_TYPES = ("main", "associated")

Faults = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class CompanyData:
    """The taxpayer. `dv` is worked out where it is left empty, and refused where it is wrong."""

    ruc: str
    ruc_type: RucType
    name: str
    email: str
    dv: str = ""
    trade_name: str = ""
    logo_url: str = ""
    company_type: str = CompanyType.ASSOCIATED

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        return cls(
            ruc=tenant.ruc,
            ruc_type=tenant.issuer_ruc_type,
            name=tenant.name,
            email=tenant.email,
            dv=tenant.dv,
            trade_name=tenant.trade_name,
            logo_url=tenant.logo_url,
            company_type=tenant.company_type,
        )

    def editable(self) -> dict[str, str]:
        """The fields that may be put right until the PAC has the company."""
        values = asdict(self)
        return {name: values[name] for name in values if name not in ("ruc", "ruc_type", "dv")}


@dataclass(frozen=True, slots=True)
class OfficeData:
    """A branch; `location` is province-district-corregimiento, `coordinates` decimal degrees."""

    coordinates: str
    address: str
    telephone: str
    location: str
    email: str = ""
    code: str = "0001"
    type: str = "main"

    @classmethod
    def of(cls, office: Office) -> Self:
        return cls(**{name: getattr(office, name) for name in cls.__dataclass_fields__})

    def values(self) -> dict[str, str]:
        return asdict(self)


def faults(
    *,
    company: CompanyData,
    office: OfficeData | None,
    certificates: Certificates | None,
    first_number: int | None,
    pac_company_id: str,
    is_registered: bool,
    now: datetime,
) -> Faults:
    """Every fault at once, by field; empty where all is well.

    `is_registered` says that the PAC has the company: then only what can still change is looked at.
    `office` and `certificates` are `None` where they are not needed.
    """
    found: Faults = defaultdict(list)
    for field, fault in (
        *_identity(company),
        *(() if is_registered else _company(company)),
        *(_office(office) if office else ()),
        *(_certificates(certificates, now) if certificates else ()),
        *_series(first_number),
        *_pac_company_id(pac_company_id),
    ):
        if fault not in found[field]:
            found[field].append(fault)
    return dict(found)


def canonical_ruc(text: str, ruc_type: RucType) -> str:
    """The RUC as it is kept; a malformed one comes back as it is, only trimmed."""
    try:
        return parse(text, ruc_type).text
    except MalformedRuc:
        return text.strip()


def _identity(company: CompanyData) -> Iterator[tuple[str, str]]:
    try:
        ruc = parse(company.ruc, company.ruc_type)
    except MalformedRuc as error:
        yield "ruc", str(error)
        return
    if company.dv and company.dv != ruc.dv:
        yield "dv", f"{company.dv} is not the check digit of {ruc.text} ({company.ruc_type})."


def _company(company: CompanyData) -> Iterator[tuple[str, str]]:
    yield from _text("name", company.name, MAX_NAME)
    yield from _text("trade_name", company.trade_name, MAX_NAME, needed=False)
    yield from _text("email", company.email, MAX_EMAIL, valid=_passes(validate_email))
    yield from _text(
        "logo_url",
        company.logo_url,
        MAX_LOGO_URL,
        needed=False,
        valid=_passes(URLValidator(schemes=["http", "https"])),
    )
    if company.company_type not in CompanyType.values:
        yield "company_type", f"The type is one of {', '.join(CompanyType.values)}."


def _office(office: OfficeData) -> Iterator[tuple[str, str]]:
    if not re.fullmatch("[0-9]{4}", office.code):
        yield "office_code", "An office's code has four digits, such as 0001."
    if office.type not in OFFICE_TYPES:
        yield "office_type", f"The type is one of {', '.join(OFFICE_TYPES)}."
    if not shapes.is_coordinates(office.coordinates):
        yield "coordinates", "Decimal degrees are needed, such as +9.0017832,-79.5275519."
    elif len(office.coordinates) > MAX_COORDINATES:
        yield "coordinates", "At most 40 characters are taken: leave some decimals out."
    if not shapes.is_location(office.location):
        yield (
            "location",
            "Province-district-corregimiento without leading zeros is needed, such as 8-8-11.",
        )
    yield from _text("address", office.address, MAX_ADDRESS)
    yield from _text("telephone", office.telephone, MAX_TELEPHONE, valid=shapes.is_phone)
    yield from _text("email", office.email, MAX_EMAIL, needed=False, valid=_passes(validate_email))


def _certificates(certificates: Certificates, now: datetime) -> Iterator[tuple[str, str]]:
    for fault in certificate_faults(certificates.signature, now):
        yield "signature_certificate", fault
    if certificates.authentication != certificates.signature:
        for fault in certificate_faults(certificates.authentication, now):
            yield "authentication_certificate", fault


def _series(first_number: int | None) -> Iterator[tuple[str, str]]:
    if first_number is not None and not 1 <= first_number <= MAX_NUMBER:
        yield "first_number", f"Numbers go from 1 to {MAX_NUMBER}."


def _pac_company_id(text: str) -> Iterator[tuple[str, str]]:
    if text and not re.fullmatch("[0-9A-Za-z]{1,26}", text):
        yield "pac_company_id", "The PAC's ids have 26 letters and digits."


def _text(
    field: str,
    text: str,
    longest: int,
    *,
    needed: bool = True,
    valid: Callable[[str], bool] | None = None,
) -> Iterator[tuple[str, str]]:
    if not text.strip():
        if needed:
            yield field, "This is needed."
    elif len(text) > longest:
        yield field, f"At most {longest} characters are taken, these are {len(text)}."
    elif not text.isprintable() or (valid and not valid(text)):
        yield field, f"{text!r} has not the form that is needed."


def _passes(validator: Callable[[Any], None]) -> Callable[[str], bool]:
    def valid(text: str) -> bool:
        try:
            validator(text)
        except ValidationError:
            return False
        return True

    return valid
