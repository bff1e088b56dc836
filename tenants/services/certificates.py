"""A taxpayer's certificates: looked at here, handed to the PAC, kept nowhere.

They live in memory from the command or the form to the call that hands them over. Neither content
nor password is in a `repr`, an exception or a log; what is kept is the day on which they end.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import PurePath

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from pac.dgi.calendar import panama_date
from tenants.services.faults import Fault, fault

MAX_FILE = 1024 * 1024  # bytes; a PKCS#12 file with its whole chain has some ten thousand


@dataclass(frozen=True, slots=True)
class Certificate:
    """A PKCS#12 file and its password; `extension` is `p12` or `pfx`."""

    content: bytes = field(repr=False)
    password: str = field(repr=False)
    extension: str = "p12"

    def wire(self) -> dict[str, str]:
        """As the PAC takes it."""
        return {
            "extension": self.extension,
            "password": self.password,
            "content": base64.b64encode(self.content).decode(),
        }


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a company signs with and what it identifies itself with; often one file is both."""

    signature: Certificate
    authentication: Certificate

    def wire(self) -> dict[str, dict[str, str]]:
        return {
            "signature": self.signature.wire(),
            "authentication": self.authentication.wire(),
        }

    def passwords(self) -> set[str]:
        return {self.signature.password, self.authentication.password} - {""}


def extension_of(name: str) -> str:
    """The extension that the PAC is told for a file of this name: `pfx` for one, else `p12`."""
    return "pfx" if PurePath(name).suffix.lower() == ".pfx" else "p12"


def certificate_faults(certificate: Certificate, now: datetime) -> Iterator[Fault]:
    """Why the PAC would not take this certificate; nothing for a good one."""
    if len(certificate.content) > MAX_FILE:
        yield fault("certificate_too_large", "The file is larger than 1 MiB: it is no certificate.")
        return
    try:
        key, leaf = _opened(certificate)
    except UnsupportedAlgorithm:
        yield fault(
            "certificate_unreadable",
            "The file is encrypted in a way that cannot be read here: export it again, with AES.",
        )
        return
    except ValueError:
        yield fault(
            "certificate_password",
            "The file does not open with the password: "
            "the password is another one, or the file is no PKCS#12 (.p12, .pfx).",
        )
        return
    if key is None:
        yield fault(
            "certificate_without_key",
            "The file has no private key: export the certificate together with its key.",
        )
    if leaf is None:
        yield fault("certificate_missing", "The file has no certificate.")
    elif leaf.not_valid_after_utc <= now:
        yield fault(
            "certificate_expired",
            "The certificate expired on %(day)s.",
            day=f"{leaf.not_valid_after_utc:%Y-%m-%d}",
        )
    elif leaf.not_valid_before_utc > now:
        yield fault(
            "certificate_too_early",
            "The certificate is valid from %(day)s on only.",
            day=f"{leaf.not_valid_before_utc:%Y-%m-%d}",
        )


def first_end(certificates: Certificates) -> date:
    """The day, in Panama, on which the first of two faultless certificates ends."""
    ends = []
    for each in (certificates.signature, certificates.authentication):
        _, leaf = _opened(each)
        if leaf is None:
            raise ValueError("A certificate is looked at before its end is asked for.")
        ends.append(leaf.not_valid_after_utc)
    return panama_date(min(ends))


def without_secrets(words: str, certificates: Certificates | None) -> str:
    """Words of the PAC, which may echo what it was sent."""
    for password in certificates.passwords() if certificates else ():
        words = words.replace(password, "***")
    return _BASE64.sub("***", words)


def _opened(certificate: Certificate) -> tuple[PrivateKeyTypes | None, x509.Certificate | None]:
    key, leaf, _ = load_key_and_certificates(
        certificate.content, certificate.password.encode() or None
    )
    return key, leaf


# A certificate that a PAC echoes in its complaint; ids and RUCs are shorter.
_BASE64 = re.compile(r"[A-Za-z0-9+/=]{40,}")
