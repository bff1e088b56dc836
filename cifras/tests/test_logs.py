"""What the log says, how it says it, and what it never says."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from pytest_django import Settings as SettingsWrapper
from rest_framework.test import APIClient

from cifras.logs import JsonLines, PlainLines
from cifras.masking import mask, mask_value
from cifras.tests.captured import Captured, capturing
from conftest import WEBHOOK_SECRET, body, work
from invoicing import pump
from invoicing.api.views import InvoiceViewSet
from invoicing.models import Document
from invoicing.services import follow
from pac.dgi import cufe
from pac.dgi.ruc import RucType
from pac.sandbox import Sandbox
from tenants.log_context import add_to_log, log_context
from tenants.models import ApiKey, Tenant

ME = "/api/v1/me"


def cufe_of(ruc_type: RucType, ruc: str, dv: str) -> str:
    return cufe.build(
        document_type="01",
        ruc_type=ruc_type,
        ruc=ruc,
        dv=dv,
        branch="0001",
        issued_on=date(2026, 11, 22),
        number="0000000001",
        billing_point="001",
        issue_type="01",
        environment=2,
        security_code="123456789",
    )


NATURAL = cufe_of(RucType.NATURAL, "8-274-125", "91")
JURIDICAL = cufe_of(RucType.JURIDICO, "155596713-2-2015", "59")


@pytest.fixture
def captured() -> Iterator[Captured]:
    with capturing(logging.DEBUG) as everything:
        yield everything


def formatted(formatter: logging.Formatter, *args: Any, **options: Any) -> str:
    """The line that `log.warning(*args, **options)` becomes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("of.this.test")
    logger.addHandler(handler)
    logger.warning(*args, **options)
    return stream.getvalue()


# --- what is masked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: ***"),
        ("sent with Bearer abc.def-123, once", "sent with Bearer ***, once"),
        ("key aBcDeFg1.0123456789abcdefABCDEF0123456789", "key aBcDeFg1.***"),
        ("X-Pac-Signature: a secret of words", "X-Pac-Signature: ***"),
        ("{'X-Pac-Signature': 'a secret of words', 'a': 1}", "{'X-Pac-Signature': ***, 'a': 1}"),
        ('{"password": "correct horse", "b": 2}', '{"password": ***, "b": 2}'),
        (
            r'{"body": "{\"password\": \"correct horse\", \"b\": 2}"}',
            r'{"body": "{\"password\": ***, \"b\": 2}"}',
        ),
        ("webhookSecret=hunter2&b=2", "webhookSecret=***&b=2"),
        ("PAC_API_KEY=hunter2", "PAC_API_KEY=***"),
        ("postgres://cifras:hunter2@db.example/cifras", "postgres://cifras:***@db.example/cifras"),
        (
            "a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b",
            "a -----BEGIN PRIVATE KEY-----*** b",
        ),
        ("cut off: -----BEGIN CERTIFICATE-----\nMIIE", "cut off: -----BEGIN CERTIFICATE-----***"),
        ("blob MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIB== end", "blob *** end"),
        ("hex " + "0123456789abcdef" * 4, "hex ***"),
        ("urlsafe q3Zb8-Jx0LkT_f9sWm2aYcVn5RdEoHuP7iGtKl4zQwXy", "urlsafe ***"),
        ("ruc=8-274-125&type=NATURAL", "ruc=***125&type=NATURAL"),
        ("of 8-274-125 DV 91", "of ***125 DV 91"),
        ("PE-842-3681, E-8-123456, N-19-1821", "***681, ***456, ***821"),
        ("8AV-1-196 8PI-1-80 8-NT-1-24 13-1234-56789", "***196 ***80 ***24 ***789"),
        ("pe-842-3681", "***681"),
        ("logo_8-274-125.png logo-8-274-125.png", "logo_***125.png logo-***125.png"),
        ("00000000000008-274-125", "***125"),
        (f"CUFE {NATURAL}.", f"CUFE {NATURAL[:5]}{'*' * 17}125{NATURAL[25:]}."),
        (f"/Consultas/{NATURAL}?x", f"/Consultas/{NATURAL[:5]}{'*' * 17}125{NATURAL[25:]}?x"),
    ],
)
def test_a_secret_or_a_persons_ruc_is_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"CUFE {JURIDICAL}",
        "155596713-2-2015 DV 59",
        "45400-2-299934",
        "0001-001-0000000001",
        "2026-11-22T10:11:12-05:00",
        "GET /api/v1/invoices/01a204ee-bb97-747d-80af-6c581e0d4635/retry 200 in 12 ms",
        "GET /pan/v1/credit-notes/01KATYQ1V6Z8W5R2T9X3C7B4ND?idCompany=01KATYQ1V6Z8W5R2T9X3C7B4NE",
        'File "/srv/cifras/.venv/lib/python3.11/site-packages/django/core/handlers/exception.py"',
        'File "/srv/cifras/invoicing/services/import_documents/very_long_name_of_a_module.py"',
        "rest_framework_api_key.permissions.BaseHasAPIKeyAndMuchMoreThanThat",
        "the token is refused; a password is needed",
        "phone 6612-3456, 269-1234, address 127.0.0.1:8010",
    ],
)
def test_what_is_nobodys_secret_stays_readable(text: str) -> None:
    assert mask(text) == text


def test_the_deployments_own_secrets_are_masked_wherever_they_stand(
    settings: SettingsWrapper,
) -> None:
    settings.PAC_API_KEY = "ordinary words"
    settings.FIELD_ENCRYPTION_KEYS = ["the new one", "the old one"]
    assert mask("x ordinary words y the old one z the new one") == "x *** y *** z ***"


def test_a_secret_too_short_to_be_one_does_not_blank_ordinary_words(
    settings: SettingsWrapper,
) -> None:
    settings.PAC_API_KEY = "sandbox"
    assert mask("the sandbox is away") == "the sandbox is away"


def test_a_field_with_a_telling_name_is_masked_whatever_it_holds() -> None:
    told = {"a": [{"webhookSecret": ["x", "y"]}], "8-274-125": 1, "ms": 3, "none": None}
    assert mask_value(told) == {"a": [{"webhookSecret": "***"}], "***125": 1, "ms": 3, "none": None}


def test_a_text_made_to_be_slow_is_masked_at_once() -> None:
    started = datetime.now(UTC)
    for text in ("a-" * 50_000, "A" * 100_000, "token" * 20_000, '\\"' * 50_000, "://" * 30_000):
        mask(text)
        mask(f"password: {text}")
    assert datetime.now(UTC) - started < timedelta(seconds=3)


# --- the lines ------------------------------------------------------------------------------------


def test_a_json_line_has_the_fields_that_machines_look_for() -> None:
    line = formatted(JsonLines(), "%s came", "Alice", extra={"ms": 12, "request": object()})
    assert line.count("\n") == 1
    record = json.loads(line)
    moment = datetime.fromisoformat(record.pop("timestamp"))
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=10)
    assert record == {
        "level": "WARNING",
        "logger": "of.this.test",
        "message": "Alice came",
        "ms": 12,
    }


def test_an_exception_is_one_masked_field_of_the_same_line() -> None:
    line = formatted(JsonLines(), "Broken", exc_info=ValueError("8-274-125 said Bearer abcdef"))
    record = json.loads(line)
    assert line.count("\n") == 1
    assert record["exception"] == "ValueError: ***125 said Bearer ***"


@pytest.mark.parametrize("formatter", [JsonLines, PlainLines])
def test_message_arguments_extra_and_exception_are_masked_alike(
    formatter: Callable[[], logging.Formatter],
) -> None:
    line = formatted(
        formatter(),
        "of 8-222-2125 and %(ruc)s",
        {"ruc": "8-333-3125"},
        extra={"seen": {"ruc": "8-444-4125"}, "password": "hunter2"},
        exc_info=ValueError("of 8-111-1125"),
    )
    assert not any(f"8-{n}{n}{n}" in line for n in "1234")
    assert "hunter2" not in line
    assert "***125" in line


def test_masking_leaves_the_record_as_it_was_for_others() -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "of %s", ("8-274-125",), None)
    JsonLines().format(record)
    PlainLines().format(record)
    assert (record.msg, record.args) == ("of %s", ("8-274-125",))


def test_a_line_says_what_the_work_around_it_is_about() -> None:
    with log_context(request_id="r1"):
        with log_context(document="d1"):
            add_to_log(tenant="t1")
            inner = json.loads(formatted(JsonLines(), "x"))
            plain = formatted(PlainLines(), "x")
        outer = json.loads(formatted(JsonLines(), "x"))
    after = json.loads(formatted(JsonLines(), "x"))
    assert [inner[name] for name in ("request_id", "document", "tenant")] == ["r1", "d1", "t1"]
    assert "WARNING of.this.test [request_id=r1 document=d1 tenant=t1] x" in plain
    assert (outer["request_id"], "tenant" in outer, "document" in outer) == ("r1", False, False)
    assert "request_id" not in after


@pytest.mark.parametrize(("debug", "expected"), [("true", "line"), ("false", "json")])
def test_json_is_the_default_but_for_a_developers_machine(debug: str, expected: str) -> None:
    program = "import cifras.settings as s; print(s.LOG_FORMAT, s.LOGGING['handlers']['console'])"
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DEBUG": debug},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.startswith(expected)
    assert f"'formatter': '{expected}'" in told


@pytest.mark.parametrize("name", ["django", "django.server", "gunicorn.error", "django-q"])
def test_no_logger_writes_past_the_masking(name: str) -> None:
    logger = logging.getLogger(name)
    assert (logger.handlers, logger.propagate) == ([], True)


# --- a journey ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_the_worker_logs_names_the_document_and_its_tenant(
    api: APIClient, alice: Tenant, box: Sandbox, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("a defect")

    made = api.post("/api/v1/invoices", body()).data["id"]
    monkeypatch.setattr(follow, "apply", broken)
    work()
    for logger in ("pac.client", "invoicing.pump"):
        lines = captured.of(logger)
        assert lines
        about = {(line.get("document"), line.get("tenant")) for line in lines}
        assert about == {(made, str(alice.pk))}


@pytest.mark.django_db(transaction=True)
def test_a_persons_whole_journey_with_all_its_failures_leaves_no_ruc_and_no_secret(
    bob: Tenant,
    box: Sandbox,
    client_of: Callable[..., APIClient],
    captured: Captured,
    settings: SettingsWrapper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver_ruc = "8-442-1445"
    _, key = ApiKey.objects.issue(tenant=bob, name="journey")
    api = APIClient(raise_request_exception=False)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    receiver = body()["receiver"] | {"ruc": receiver_ruc, "ruc_type": "NATURAL"}
    lines = [body()["lines"][0] | {"description": text} for text in ("Normal", "REJECT-PAC")]

    def issue(line: int = 0, **changes: Any) -> str:
        answer = api.post(
            "/api/v1/invoices", body(receiver=receiver, lines=[lines[line]], **changes)
        )
        assert answer.status_code == 201, answer.data
        return str(answer.data["id"])

    fine = issue()
    work()
    assert Document.unscoped.get(pk=fine).legal_status == "DGI_AUTHORIZED"

    # Failures of the PAC, of the mail server, of the caller, of ours.
    for fault in ({"drop_next": 1}, {"error_after_next": 1}, {"unauthorized": True}):
        box.options.update(fault)
        issue()
        pump.drain()
        box.options.update({"unauthorized": False})
    issue(line=1)
    work()

    def refused(*args: Any) -> None:
        raise SMTPRecipientsRefused({f"{receiver_ruc}@x.test": (550, b"token=hunter2-hunter2")})

    def broken(*args: Any, **options: Any) -> None:
        raise ValueError(f"a defect at {bob} {Document.unscoped.get(pk=fine).invoice_number}")

    def delivered(secret: str) -> int:
        delivery = {"id": "1", "ruc": bob.ruc}
        door = Client(headers={"X-Pac-Signature": secret})
        address = f"/webhooks/pac/{bob.pac_company_id}"
        return door.post(address, delivery, content_type="application/json").status_code

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refused)
        patch.setattr("webhooks.inbox.hint", broken)
        patch.setattr(InvoiceViewSet, "retrieve", broken)
        assert delivered(WEBHOOK_SECRET) == 200
        assert api.get(f"/api/v1/invoices/{fine}").status_code == 500
        assert api.post(f"/api/v1/invoices/{fine}/email").status_code == 202
        pump.drain()
    with monkeypatch.context() as patch:
        patch.setattr("invoicing.services.submit.build_payload", broken)
        issue()
        pump.drain()
    work()

    assert api.get("/api/v1/invoices", {"receiver_ruc": receiver_ruc}).status_code == 200
    assert APIClient(headers={"Authorization": f"Bearer {key[:-1]}x"}).get(ME).status_code == 401
    assert delivered("another secret altogether") == 403

    told = "\n".join(captured.lines)
    secrets = [bob.ruc, receiver_ruc, key, key.partition(".")[2], WEBHOOK_SECRET, "hunter2"]
    assert [secret for secret in [*secrets, "another secret"] if secret in told] == []
    # The same lines without masking do have them: there was something to mask.
    assert [ruc for ruc in (bob.ruc, receiver_ruc) if ruc not in captured.raw] == []
    assert told.count("a defect at") >= 3
