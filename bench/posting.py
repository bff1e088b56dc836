"""How many invoices a second are issued, beside a view as a first tutorial has it."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import world
from bench.figures import Figure, median
from cifras.local_processes import Machine

ROUNDS, WARM_UP = 150, 20
LINES = (1, 10)
RECEIVER = {
    "type": "CONTRIBUYENTE",
    "ruc": "155646463-2-2017",
    "ruc_type": "JURIDICO",
    "dv": "86",
    "name": "Cliente Prueba, S.A.",
    "address": "Calle 50",
    "location": "8-8-7",
    "country": "PA",
    "emails": ["pagos@cliente.test"],
}


def run(machine: Machine) -> tuple[list[Figure], list[str]]:
    with world.Pac.running(machine):
        key = world.onboarded(machine)
    settings.ROOT_URLCONF = "bench.naive"
    client = Client(SERVER_NAME="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")
    figures = []
    for lines in LINES:
        took: dict[str, list[float]] = {"ours": [], "naive": []}
        for turn in range(WARM_UP + ROUNDS):
            for name, path, body in (
                ("ours", "/api/v1/invoices", ours(lines)),
                ("naive", "/api/v1/naive/invoices", naive(lines)),
            ):
                seconds = post(client, path, body)
                if turn >= WARM_UP:
                    took[name].append(seconds)
        ours_ms, naive_ms = median(took["ours"]), median(took["naive"])
        ratio = naive_ms / ours_ms
        figures.append(
            Figure(
                f"POST of an invoice of {lines} line{'s' * (lines > 1)}",
                f"{ours_ms:.1f} ms, {1000 / ours_ms:.0f}/s",
                f"naive view: {naive_ms:.1f} ms, {1000 / naive_ms:.0f}/s",
                ratio,
                "at least 2 times its rate",
                ratio >= 2,
            )
        )
    with CaptureQueriesContext(connection) as queries:
        post(client, "/api/v1/invoices", ours(10))
    count = len([query for query in queries if query["sql"] not in ("BEGIN", "COMMIT")])
    figures.append(Figure("statements of that POST", str(count), "", None, "at most 8", count <= 8))
    return figures, [
        "POST: one client, the whole middleware, an API key and an `Idempotency-Key`; the naive "
        "view (`bench/naive.py`) is a nested `ModelSerializer` that writes the same rows one at a "
        "time and judges no fiscal rule. Ours and its take turns."
    ]


def post(client: Client, path: str, body: dict[str, Any]) -> float:
    """Seconds."""
    text, key = json.dumps(body), uuid4().hex
    began = time.perf_counter()
    answer = client.post(path, text, "application/json", headers={"Idempotency-Key": key})
    took = time.perf_counter() - began
    if answer.status_code != 201:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.content.decode()[:500]}")
    return took


def lines_of(count: int) -> list[dict[str, str]]:
    return [
        {
            "code": f"SRV-{number:02d}",
            "description": "Soporte mensual",
            "quantity": "2",
            "unit": "und",
            "unit_price": "100.00",
            "unit_discount": "5.00",
            "itbms_rate": "01",
        }
        for number in range(1, count + 1)
    ]


def ours(lines: int) -> dict[str, Any]:
    return {"receiver": RECEIVER, "lines": lines_of(lines), "due_date": "2099-12-22"}


def naive(lines: int) -> dict[str, Any]:
    receiver = {f"receiver_{name}": value for name, value in RECEIVER.items()}
    return receiver | {
        "office": "0001",
        "billing_point": "001",
        "dgi_document_type": "01",
        "document_type": "01",
        "generation_mode": "DGI",
        "issued_at": "2026-11-22T10:15:00-05:00",
        "due_date": "2099-12-22",
        "nature": "01",
        "destination": 1,
        "sale_type": 1,
        "payment_time": "CREDIT",
        "payment_methods": [{"method": "01", "amount": "203.30"}],
        "lines": [line | {"number": n} for n, line in enumerate(lines_of(lines), 1)],
    }
