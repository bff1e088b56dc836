"""What `onboard_tenant` is given on its command line, made into what the service takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pac.dgi.ruc import RucType
from tenants.services.certificates import MAX_FILE, Certificate, Certificates, extension_of
from tenants.services.onboarding import CompanyData, Known, OfficeData, known

Options = dict[str, Any]


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def known_of(options: Options) -> Known:
    """What an earlier run left of the taxpayer that the command line names."""
    if not (options["ruc"] and options["ruc_type"]):
        return Known()
    return known(
        ruc=options["ruc"],
        ruc_type=RucType(options["ruc_type"]),
        office_code=options["office_code"] or "",
    )


def missing(options: Options, there: Known) -> list[str]:
    """The options that are needed, neither given nor known from an earlier run."""
    needed = ["ruc", "ruc_type"]
    if there.tenant is None:
        needed += ["name", "email"]
    if needs_certificates(options, there):
        needed += ["signature_certificate", "certificate_password_file"]
    if there.office is None:
        needed += ["coordinates", "address", "telephone", "location"]
    return [name for name in needed if not options[name]]


def needs_certificates(options: Options, there: Known) -> bool:
    """Only creating the company takes them."""
    return not (there.is_registered or options["pac_company_id"])


def company_data(options: Options, there: Known) -> CompanyData:
    values = CompanyData.of(there.tenant).editable() if there.tenant else {}
    values |= {name: options[name] for name in _COMPANY if options[name] is not None}
    return CompanyData(
        ruc=options["ruc"], ruc_type=RucType(options["ruc_type"]), dv=options["dv"], **values
    )


def office_data(options: Options, there: Known) -> OfficeData:
    if there.office:
        values = OfficeData.of(there.office).values()
    else:
        values = {
            "code": "0001",
            "type": "associated" if there.tenant and there.tenant.main_office_id else "main",
            "email": there.tenant.email if there.tenant else "",
        }
    given = {name: options[option] for name, option in _OFFICE.items() if options[option]}
    return OfficeData(**values | given)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The certificates, and why a file could not be read, by option. A file that could not be
    read is an empty certificate, which no check lets pass."""

    certificates: Certificates
    faults: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, options: Options, password: str | None) -> CertificateFiles:
        """`password` was typed; where it is `None`, it stands in a file, without its line end."""
        faults: dict[str, list[str]] = {}
        if password is None:
            content = _read(
                options["certificate_password_file"], "certificate_password_file", faults
            )
            try:
                password = content.decode().rstrip("\r\n")
            except UnicodeDecodeError:
                faults["certificate_password_file"] = ["The file is no text in UTF-8."]
                password = ""
        signature = options["signature_certificate"]
        pair = []
        for option in ("signature_certificate", "authentication_certificate"):
            name = options[option] or signature
            content = _read(name, option if options[option] else "signature_certificate", faults)
            if "certificate_password_file" in faults:
                content = b""
            pair.append(Certificate(content, password, extension_of(name)))
        return cls(Certificates(*pair), faults)


_COMPANY = ("name", "trade_name", "email", "logo_url", "company_type")
_OFFICE = {
    "code": "office_code",
    "type": "office_type",
    "coordinates": "coordinates",
    "address": "address",
    "telephone": "telephone",
    "location": "location",
    "email": "email",
}


def _read(name: str, option: str, faults: dict[str, list[str]]) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read(MAX_FILE + 1)
    except OSError as error:
        faults[option] = [f"{name} cannot be read: {error.strerror}."]
        return b""
