from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pac.sandbox import Options, Sandbox
from tenants.tests.onboarding.material import COMPANY, OFFICE, PASSWORD, make_p12


@pytest.fixture
def box(settings: Any) -> Iterator[Sandbox]:
    """The PAC, over real HTTP."""
    with Sandbox(Options(dgi_delay=0)) as running:
        settings.PAC_BASE_URL = running.url
        settings.PAC_API_KEY = "t0ken"
        settings.PAC_WEBHOOK_URL = "https://cifras.test/webhooks/pac"
        yield running


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The command's options that name files."""
    certificate, password = tmp_path / "firma.p12", tmp_path / "password"
    certificate.write_bytes(make_p12())
    password.write_text(f"{PASSWORD}\n")
    return {
        "signature_certificate": str(certificate),
        "certificate_password_file": str(password),
    }


@pytest.fixture
def options(files: dict[str, str]) -> dict[str, Any]:
    """A complete command line."""
    return {
        "ruc": COMPANY.ruc,
        "ruc_type": str(COMPANY.ruc_type),
        "dv": COMPANY.dv,
        "name": COMPANY.name,
        "trade_name": COMPANY.trade_name,
        "email": COMPANY.email,
        "coordinates": OFFICE.coordinates,
        "address": OFFICE.address,
        "telephone": OFFICE.telephone,
        "location": OFFICE.location,
        "yes": True,
        **files,
    }
