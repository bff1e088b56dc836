"""`manage.py onboard_tenant`: a taxpayer becomes an issuer, in one run or in several."""

import getpass
import json
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from pac.dgi.ruc import RucType
from tenants.errors import TenantError
from tenants.management.onboarding_input import (
    CertificateFiles,
    Options,
    company_data,
    flag,
    known_of,
    missing,
    needs_certificates,
    office_data,
)
from tenants.models.tenant import CompanyType
from tenants.services.onboarding import (
    LAST_STEP,
    Known,
    Progress,
    find_faults,
    onboard,
    raise_series,
)
from tenants.services.onboarding.data import OFFICE_TYPES

USAGE = 2  # exit code: the command line is not complete
RUC_TYPES = [each.value for each in RucType]
PROMPTS = {
    "ruc": "RUC, with its hyphens",
    "ruc_type": f"Type of RUC ({' or '.join(RUC_TYPES)})",
    "name": "Name (razón social)",
    "email": "E-mail for the receivers' replies",
    "signature_certificate": "File of the signature certificate (.p12, .pfx)",
    "coordinates": "Coordinates of the office, such as +9.0017832,-79.5275519",
    "address": "Address of the office",
    "telephone": "Telephone of the office, such as 269-1234",
    "location": "Province-district-corregimiento of the office, such as 8-8-11",
}


class Command(BaseCommand):
    """Exit codes: 0 ready, 1 halted or refused (the sentence says why), 2 something is missing."""

    help = (
        "Registers a taxpayer at the PAC in five steps. Run again with the same RUC and type, it "
        "continues where it stopped and creates nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--ruc")
        add("--ruc-type", choices=RUC_TYPES)
        add("--dv", default="", help="checked where it is given, worked out where it is not")
        add("--name", help="razón social")
        add("--trade-name", help="nombre comercial")
        add("--email", help="where receivers' replies go; at most 50 characters")
        add("--logo-url", help="PNG or JPEG, fetched once")
        add("--company-type", choices=CompanyType.values, help="default: associated")
        add("--signature-certificate", metavar="FILE", help="PKCS#12 (.p12, .pfx)")
        add("--authentication-certificate", metavar="FILE", help="default: the signature one")
        add("--certificate-password-file", metavar="FILE")
        add("--office-code", help="four digits; default: 0001")
        add("--office-type", choices=OFFICE_TYPES, help="default: main for the first office")
        add("--coordinates", help="decimal degrees: +9.0017832,-79.5275519")
        add("--address", help="at most 100 characters")
        add("--telephone", help="269-1234 or 6123-4567")
        add("--location", help="province-district-corregimiento: 8-8-11")
        add("--first-number", type=int, metavar="N", help="the next number of every series")
        add(
            "--billing-point",
            default="",
            metavar="NNN",
            help="whose series --first-number raises; default: PAC_BILLING_POINT",
        )
        add("--pac-company-id", default="", metavar="ID", help="the company at the PAC, if known")
        add("--yes", action="store_true", help="do not wait for the taxpayer to confirm the QR")
        add("--json", action="store_true", help="print one JSON object, no more")

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json: bool = options["json"]
        self.is_terminal = sys.stdin.isatty()
        password = self.complete(options)
        there = known_of(options)
        files = None
        if needs_certificates(options, there):
            files = CertificateFiles.read(options, password)
        wanted: dict[str, Any] = {
            "company": company_data(options, there),
            "office": office_data(options, there),
            "certificates": files.certificates if files else None,
            "pac_company_id": options["pac_company_id"],
        }
        first_number, point = options["first_number"], options["billing_point"]
        try:
            if point:
                _refuse_faults(**wanted, first_number=first_number, billing_point=point)
            done = onboard(
                **wanted,
                first_number=None if point else first_number,
                tell=self.tell,
                confirm=_no_wait if options["yes"] else self.wait_for_taxpayer,
            )
            # `onboard` raises the usual billing point's; of another's it knows nothing.
            if point and done.office:
                raise_series(office=done.office, billing_point=point, first_number=first_number)
        except ValidationError as error:
            faults = error.message_dict | (files.faults if files else {})
            raise CommandError(_in_lines(faults)) from None
        except TenantError as error:
            if self.as_json:
                self.print_json(known_of(options))
            raise CommandError(error.message) from None
        if self.as_json:
            self.print_json(Known(done.tenant, done.office), done.api_key)
            return
        if done.api_key:
            self.stdout.write(f"API key (keep it now, it is not shown again): {done.api_key}")
        office = done.office.code if done.office else ""
        self.stdout.write(
            f"{done.tenant} is ready to issue from office {office} (tenant {done.tenant.pk})."
        )

    def complete(self, options: Options) -> str | None:
        """Ask for what is missing, on a terminal. Returns the certificates' password if it was
        typed. Raises `CommandError` with all that is missing where there is nobody to ask."""
        if self.is_terminal:
            for name in ("ruc", "ruc_type"):
                options[name] = options[name] or self.ask(name)
        password = None
        lacking = missing(options, known_of(options))
        if lacking and not self.is_terminal:
            raise CommandError(
                f"Needed and not given: {', '.join(map(flag, lacking))}.", returncode=USAGE
            )
        for name in lacking:
            if name == "certificate_password_file":
                password = getpass.getpass("Password of the certificates: ")
            else:
                options[name] = self.ask(name)
        return password

    def ask(self, name: str) -> str:
        """The answer to a prompt, which goes to stderr: stdout may be for one JSON object."""
        while True:
            self.say(f"{PROMPTS[name]}: ", ending="")
            try:
                answer = input().strip()
            except EOFError:
                raise CommandError(f"Stopped at {flag(name)}: nothing was stored.") from None
            if name == "ruc_type" and answer.upper() not in RUC_TYPES:
                continue
            if answer:
                return answer.upper() if name == "ruc_type" else answer

    def tell(self, progress: Progress) -> None:
        place = f"[{progress.step}/5] " if progress.step else ""
        mark = "Warning: " if progress.is_warning else ""
        text = f"{place}{mark}{progress.message}"
        if self.as_json:
            self.say(text)
        else:
            self.stdout.write(text)

    def wait_for_taxpayer(self, qr: str) -> None:
        """Until Enter, where there is somebody to press it."""
        if self.is_terminal:
            self.say(f"The taxpayer scans this QR in the DGI's app: {qr}")
            self.say("Press Enter when he has accepted. ", ending="")
            with suppress(EOFError):
                input()

    def say(self, text: str, ending: str = "\n") -> None:
        self.stderr.write(text, style_func=str, ending=ending)
        self.stderr.flush()

    def print_json(self, there: Known, api_key: str = "") -> None:
        tenant, office = there.tenant, there.office
        if tenant is None:
            return
        shown = {
            "tenant_id": str(tenant.pk),
            "pac_company_id": tenant.pac_company_id,
            "office_id": str(office.pk) if office else None,
            "pac_office_id": (office.pac_office_id if office else "") or None,
            "affiliation_qr": tenant.affiliation_qr or None,
            "onboarding_status": tenant.onboarding_status,
        }
        if api_key:
            shown["api_key"] = api_key
        self.stdout.write(json.dumps(shown))


def _no_wait(_: str) -> None:
    """`--yes`: the affiliation is tried at once."""


def _refuse_faults(**wanted: Any) -> None:
    """Raises `ValidationError` with every fault, before anything is stored."""
    found = find_faults(**wanted, last_step=LAST_STEP)
    if found:
        raise ValidationError(found)


def _in_lines(faults: dict[str, list[str]]) -> str:
    lines = [f"  {flag(name)}: {text}" for name, texts in faults.items() for text in texts]
    return "\n".join(["Nothing was stored, nothing was sent. Put right:", *lines])
