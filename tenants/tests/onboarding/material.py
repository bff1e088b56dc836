"""What a taxpayer brings along, and ways to break a run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from pac.dgi.ruc import RucType
from tenants.models import Tenant
from tenants.services.onboarding import (
    Certificate,
    Certificates,
    CompanyData,
    OfficeData,
    Onboarded,
    Progress,
    onboard,
)

PASSWORD = "s3creto-de-la-firma"
RUC = "155700000-2-2021"

COMPANY = CompanyData(
    ruc=RUC,
    ruc_type=RucType.JURIDICO,
    dv="53",
    name="Comercial Ejemplo, S.A.",
    trade_name="Ejemplo",
    email="facturas@ejemplo.test",
)
OFFICE = OfficeData(
    coordinates="+9.0017832,-79.5275519",
    address="Calle 50",
    telephone="269-1234",
    location="8-8-11",
    email="facturas@ejemplo.test",
)


class Killed(BaseException):
    """A kill -9, as far as the code that it strikes can tell: no `except` of its own runs."""


def make_p12(
    *,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    password: str = PASSWORD,
    with_key: bool = True,
) -> bytes:
    """A self-signed certificate in a PKCS#12 file."""
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Comercial Ejemplo, S.A.")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from or now - timedelta(days=30))
        .not_valid_after(valid_to or now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(
        b"firma", key if with_key else None, certificate, None, encryption
    )


def make_certificates(**options: Any) -> Certificates:
    certificate = Certificate(make_p12(**options), PASSWORD)
    return Certificates(certificate, certificate)


GOOD_CERTIFICATES = make_certificates()


def run(**changes: Any) -> Onboarded:
    """The whole onboarding, as a person would ask for it each time."""
    given = {"company": COMPANY, "office": OFFICE, "certificates": GOOD_CERTIFICATES}
    return onboard(**(given | changes))


def at(words: str, act: Callable[[], object]) -> Callable[[Progress], None]:
    """A listener that acts when it hears `words`."""

    def tell(progress: Progress) -> None:
        if words in progress.message:
            act()

    return tell


def only_tenant() -> Tenant:
    return Tenant.objects.get()
