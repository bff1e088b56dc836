"""The demo tenant of `make run`: who it is, its certificate, and what is kept of it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

DEMO_TENANT = {
    "ruc": "155596713-2-2015",
    "ruc-type": "JURIDICO",
    "name": "Comercial Demo, S.A.",
    "trade-name": "Demo",
    "email": "facturas@demo.example",
    "office-code": "0001",
    "coordinates": "+8.9824,-79.5199",
    "address": "Calle 50, Ciudad de Panamá",
    "telephone": "269-1234",
    "location": "8-8-7",
}


def demo_certificate(password: str) -> bytes:
    """A self-signed certificate with its key, as PKCS#12, which the sandbox accepts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEMO_TENANT["name"])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(
        b"demo", key, certificate, None, BestAvailableEncryption(password.encode())
    )


class LocalNotes:
    """What one run leaves for the next: a few texts in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, name: str) -> str:
        """The text, or an empty one."""
        return self._read().get(name, "")

    def __setitem__(self, name: str, text: str) -> None:
        notes = self._read() | {name: text}
        draft = self.path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(notes, file, indent=2)
        draft.replace(self.path)

    def _read(self) -> dict[str, str]:
        try:
            notes: dict[str, str] = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return notes
