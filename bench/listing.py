"""A page of a list, of a tenant with a thousand invoices and of one with a million."""

from __future__ import annotations

import time

from django.test import Client

from bench import rows
from bench.figures import Figure, median
from invoicing.models import Document
from tenants.models import ApiKey, Office, Tenant

FEW = 1000
ROUNDS, WARM_UP = 60, 10
PATHS = {
    "first page of a list": "/api/v1/invoices",
    "the same, of one status": "/api/v1/invoices?legal_status=DGI_AUTHORIZED",
}


def run(many: int) -> tuple[list[Figure], list[str]]:
    one = original()
    small, large = rows.make_tenant("few"), rows.make_tenant("many")
    rows.multiply(one, small, first=1, last=FEW, **authorised(small))
    rows.multiply(one, large, first=1, last=many, **authorised(large))
    rows.analyze()
    clients = {tenant.name: client_of(tenant) for tenant in (small, large)}
    figures = []
    for name, path in PATHS.items():
        took: dict[str, list[float]] = {who: [] for who in clients}
        for turn in range(WARM_UP + ROUNDS):
            for who, client in clients.items():
                began = time.perf_counter()
                answer = client.get(path)
                seconds = time.perf_counter() - began
                if answer.status_code != 200 or not answer.json()["next"]:
                    raise RuntimeError(f"{path}: {answer.status_code} {answer.content[:300]!r}")
                if turn >= WARM_UP:
                    took[who].append(seconds)
        few_ms, many_ms = median(took["few"]), median(took["many"])
        ratio = many_ms / few_ms
        figures.append(
            Figure(
                f"{name}, {many:,} rows",
                f"{many_ms:.1f} ms",
                f"{FEW:,} rows: {few_ms:.1f} ms",
                ratio,
                "at most 1.5 times",
                ratio <= 1.5,
            )
        )
    return figures, ["Lists: both tenants are in the same tables, asked in turn."]


def authorised(tenant: Tenant) -> dict[str, str]:
    """The columns of an authorised invoice, as far as the database insists on them."""
    return {
        "legal_status": "'DGI_AUTHORIZED'",
        "invoice_number": f"'{tenant.pk}-' || n",
        "document_id": "'01' || lpad(n::text, 24, '0')",
    }


def client_of(tenant: Tenant) -> Client:
    _, key = ApiKey.objects.issue(tenant=tenant, name="bench")
    return Client(SERVER_NAME="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")


def original() -> Document:
    """One invoice to be copied, issued over REST by a tenant that the PAC need not know."""
    from bench.posting import ours, post

    tenant = rows.make_tenant("original", ruc="155646463-2-2017", dv="86")
    tenant.pac_company_id = "01ORIGINAL"
    tenant.main_office = Office.unscoped.create(
        tenant=tenant, code="0001", coordinates="+8.9824,-79.5199", address="Calle 50",
        telephone="269-1234", location="8-8-7", pac_office_id="01OFFICE",
    )  # fmt: skip
    tenant.save()
    post(client_of(tenant), "/api/v1/invoices", ours(1))
    return Document.unscoped.prefetch_related("lines").get(tenant=tenant)
