"""What is asked of a taxpayer before the PAC is, and whether it can be right."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
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
from tenants.services.faults import Fault, Faults, fault

MAX_NAME = 100
MAX_LOGO_URL = 200
MAX_COORDINATES = 40
MAX_ADDRESS = 100
MAX_TELEPHONE = 12
MAX_EMAIL = 50
MAX_NUMBER = 9_999_999_999
OFFICE_TYPES = ("main", "associated")


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
    for field, each in (
        *_identity(company),
        *(() if is_registered else _company(company)),
        *(_office(office) if office else ()),
        *(_certificates(certificates, now) if certificates else ()),
        *_series(first_number),
        *_pac_company_id(pac_company_id),
    ):
        if each not in found[field]:
            found[field].append(each)
    return dict(found)


def certificates_by_field(certificates: Certificates, now: datetime) -> Faults:
    """The faults of certificates alone."""
    found: Faults = defaultdict(list)
    for field, each in _certificates(certificates, now):
        found[field].append(each)
    return dict(found)


def canonical_ruc(text: str, ruc_type: RucType) -> str:
    """The RUC as it is kept; a malformed one comes back as it is, only trimmed."""
    try:
        return parse(text, ruc_type).text
    except MalformedRuc:
        return text.strip()


FieldFaults = Iterator[tuple[str, Fault]]


def _identity(company: CompanyData) -> FieldFaults:
    try:
        ruc = parse(company.ruc, company.ruc_type)
    except MalformedRuc as error:
        yield "ruc", fault("ruc_malformed", "%(reason)s", reason=str(error))
        return
    if company.dv and company.dv != ruc.dv:
        yield (
            "dv",
            fault(
                "dv_wrong",
                "%(given)s is not the check digit of %(ruc)s (%(ruc_type)s).",
                given=company.dv,
                ruc=ruc.text,
                ruc_type=str(company.ruc_type),
                dv=ruc.dv,
            ),
        )


def _company(company: CompanyData) -> FieldFaults:
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
        yield "company_type", _choice(CompanyType.values)


def _office(office: OfficeData) -> FieldFaults:
    if not re.fullmatch("[0-9]{4}", office.code):
        yield (
            "office_code",
            fault("office_code", "An office's code has four digits, such as 0001."),
        )
    if office.type not in OFFICE_TYPES:
        yield "office_type", _choice(OFFICE_TYPES)
    if not shapes.is_coordinates(office.coordinates):
        yield (
            "coordinates",
            fault("coordinates", "Decimal degrees are needed, such as +9.0017832,-79.5275519."),
        )
    elif len(office.coordinates) > MAX_COORDINATES:
        yield (
            "coordinates",
            fault(
                "coordinates_long",
                "At most %(longest)s characters are taken: leave some decimals out.",
                longest=MAX_COORDINATES,
            ),
        )
    if not shapes.is_location(office.location):
        yield (
            "location",
            fault(
                "location",
                "Province-district-corregimiento without leading zeros is needed, such as 8-8-11.",
            ),
        )
    yield from _text("address", office.address, MAX_ADDRESS)
    yield from _text("telephone", office.telephone, MAX_TELEPHONE, valid=shapes.is_phone)
    yield from _text("email", office.email, MAX_EMAIL, needed=False, valid=_passes(validate_email))


def _certificates(certificates: Certificates, now: datetime) -> FieldFaults:
    for each in certificate_faults(certificates.signature, now):
        yield "signature_certificate", each
    if certificates.authentication != certificates.signature:
        for each in certificate_faults(certificates.authentication, now):
            yield "authentication_certificate", each


def _series(first_number: int | None) -> FieldFaults:
    if first_number is not None and not 1 <= first_number <= MAX_NUMBER:
        yield (
            "first_number",
            fault("number_range", "Numbers go from 1 to %(highest)s.", highest=MAX_NUMBER),
        )


def _pac_company_id(text: str) -> FieldFaults:
    if text and not re.fullmatch("[0-9A-Za-z]{1,26}", text):
        yield "pac_company_id", fault("pac_id", "The PAC's ids have 26 letters and digits.")


def _choice(choices: Sequence[str]) -> Fault:
    return fault("choice", "The type is one of %(choices)s.", choices=", ".join(choices))


def _text(
    field: str,
    text: str,
    longest: int,
    *,
    needed: bool = True,
    valid: Callable[[str], bool] | None = None,
) -> FieldFaults:
    if not text.strip():
        if needed:
            yield field, fault("needed", "This is needed.")
    elif len(text) > longest:
        yield (
            field,
            fault(
                "long",
                "At most %(longest)s characters are taken, these are %(length)s.",
                longest=longest,
                length=len(text),
            ),
        )
    elif not text.isprintable() or (valid and not valid(text)):
        yield field, fault("form", "%(given)s has not the form that is needed.", given=repr(text))


def _passes(validator: Callable[[Any], None]) -> Callable[[str], bool]:
    def valid(text: str) -> bool:
        try:
            validator(text)
        except ValidationError:
            return False
        return True

    return valid
