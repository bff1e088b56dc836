"""Rows by the hundred thousand, made by the database itself."""

from __future__ import annotations

from itertools import count

from django.db import connection
from django.db.backends.utils import CursorWrapper

from invoicing.models import Document, DocumentLine
from tenants.base import new_id
from tenants.models import Tenant

_batches = count()


def make_tenant(name: str, *, ruc: str = "", dv: str = "00") -> Tenant:
    """A tenant that never meets a PAC; one without a real `ruc` does not issue."""
    return Tenant.objects.create(
        name=name,
        ruc=ruc or f"{name}-1-1",
        ruc_type="JURIDICO",
        dv=dv,
        email="bench@cifras.example",
    )


def multiply(document: Document, tenant: Tenant, *, first: int, last: int, **changes: str) -> None:
    """Copies `document` and its lines to `tenant` under the numbers `first` to `last`.

    `changes` are SQL expressions for columns, in which `n` is the number. The copies have ids in
    the order of their numbers, as time-ordered ids have.
    """
    batch = next(_batches)
    own = {
        "id": _id_of("1", batch),
        "tenant_id": f"'{tenant.pk}'",
        "number": "lpad(n::text, 10, '0')",
        "computed_cufe": "NULL",
        "invoice_number": "NULL",
        "document_id": "NULL",
        "external_id": "NULL",
        "legal_status": "NULL",
        "created_at": "o.created_at - n * interval '1 second'",
        "issued_at": "o.issued_at - n * interval '1 second'",
        **changes,
    }
    prefix = new_id().hex[:8]
    with connection.cursor() as cursor:
        # Neither foreign keys nor triggers: these rows are only to be many.
        cursor.execute("SET session_replication_role = replica")
        _copy(cursor, Document._meta.db_table, own, f"o.id = '{document.pk}'", prefix, first, last)
        line = {
            "id": _id_of("2", batch),
            "tenant_id": f"'{tenant.pk}'",
            "owner_id": _id_of("1", batch),
        }
        one = DocumentLine.unscoped.filter(owner=document).values_list("pk", flat=True)[0]
        _copy(cursor, DocumentLine._meta.db_table, line, f"o.id = '{one}'", prefix, first, last)
        cursor.execute("SET session_replication_role = DEFAULT")


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {Document._meta.db_table}")
        cursor.execute(f"VACUUM ANALYZE {DocumentLine._meta.db_table}")


def _id_of(kind: str, batch: int) -> str:
    return f"(%(prefix)s || '{kind}{batch:03x}' || lpad(to_hex(n), 20, '0'))::uuid"


def _copy(
    cursor: CursorWrapper,
    table: str,
    own: dict[str, str],
    one: str,
    prefix: str,
    first: int,
    last: int,
) -> None:
    model = Document if table == Document._meta.db_table else DocumentLine
    columns = [field.column for field in model._meta.concrete_fields]
    values = ", ".join(own.get(column, f"o.{column}") for column in columns)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "  # noqa: S608 (constants)
        f"FROM {table} o, generate_series(%(first)s, %(last)s) n WHERE {one}",
        {"prefix": prefix, "first": first, "last": last},
    )
