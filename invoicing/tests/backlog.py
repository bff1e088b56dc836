"""Thousands of rows at once, as a bulk import or a long outage leaves them."""

from __future__ import annotations

from django.db import connection

from tenants.base import TenantOwned

NEW_ID = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}


def multiply(row: TenantOwned, count: int, **columns: str) -> None:
    """`count` copies of `row` with new ids; `columns` are SQL, in which `n` counts from 1."""
    columns = {"id": NEW_ID[connection.vendor]} | columns
    names = [field.column for field in row._meta.concrete_fields]
    table = connection.ops.quote_name(row._meta.db_table)
    quoted = [connection.ops.quote_name(name) for name in names]
    values = [columns.get(name, f"original.{quoted[i]}") for i, name in enumerate(names)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(quoted)}) "  # noqa: S608 (the tests' own words)
            "WITH RECURSIVE series(n) AS "
            f"(SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {count}) "
            f"SELECT {', '.join(values)} FROM {table} original, series WHERE original.id = %s",
            [row.pk if connection.vendor == "postgresql" else row.pk.hex],
        )


def numbered(first: int = 0) -> dict[str, str]:
    """What two documents of one series may not share."""
    number = {"postgresql": "lpad(({})::text, 10, '0')", "sqlite": "printf('%010d', {})"}
    return {
        "number": number[connection.vendor].format(f"n + {first + 1_000_000}").replace("%", "%%"),
        "computed_cufe": "NULL",
        "invoice_number": "NULL",
        "document_id": "NULL",
        "external_id": "NULL",
    }
