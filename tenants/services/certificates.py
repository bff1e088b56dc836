"""A taxpayer's certificates: looked at here, handed to the PAC, kept nowhere.

They live in memory from the command or the form to the POST that creates the company. Neither
content nor password is in a `repr`, an exception or a log.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

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


def certificate_faults(certificate: Certificate, now: datetime) -> Iterator[str]:
    """Why the PAC would not take this certificate, a sentence each; nothing for a good one."""
    if len(certificate.content) > MAX_FILE:
        yield "The file is larger than 1 MiB: it is no certificate."
        return
    try:
        key, leaf, _ = load_key_and_certificates(
            certificate.content, certificate.password.encode() or None
        )
    except UnsupportedAlgorithm:
        yield "The file is encrypted in a way that cannot be read here: export it again, with AES."
        return
    except ValueError:
        yield (
            "The file does not open with the password: "
            "the password is another one, or the file is no PKCS#12 (.p12, .pfx)."
        )
        return
    if key is None:
        yield "The file has no private key: export the certificate together with its key."
    if leaf is None:
        yield "The file has no certificate."
    elif leaf.not_valid_after_utc <= now:
        yield f"The certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}."
    elif leaf.not_valid_before_utc > now:
        yield f"The certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} on only."
