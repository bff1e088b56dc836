"""Gapless numbers: a number exists if, and only if, the transaction that took it committed."""

from django.db import IntegrityError, connection

from tenants.base import new_id
from tenants.errors import NumberSeriesExhausted
from tenants.models import NumberSeries, Office

# One statement: the row stays locked until the caller's transaction ends, so that the next
# document of the series waits, and a rollback gives the number back.
_TAKE = """
    UPDATE tenants_numberseries SET last_number = last_number + 1
    WHERE office_id = %s AND billing_point = %s AND kind = %s AND dgi_document_type = %s
    RETURNING last_number
"""


def take_number(*, office: Office, billing_point: str, kind: str, dgi_document_type: str) -> str:
    """The next number of the series, ten digits. Must run in the transaction that uses it.

    A series starts at 1 with its first document. Raises `NumberSeriesExhausted` after 9999999999.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("take_number() belongs in the transaction that uses the number.")
    # Raw SQL does not adapt a UUID for SQLite, where it is stored as its hexadecimal digits.
    office_key = office.pk if connection.features.has_native_uuid_field else office.pk.hex
    key = [office_key, billing_point, kind, dgi_document_type]
    with connection.cursor() as cursor:
        try:
            cursor.execute(_TAKE, key)
            row = cursor.fetchone()
        except IntegrityError as error:
            raise NumberSeriesExhausted(
                f"{office.code}-{billing_point}-{dgi_document_type}"
            ) from error
    if row is None:
        NumberSeries.unscoped.bulk_create(
            [
                NumberSeries(
                    id=new_id(),
                    tenant_id=office.tenant_id,
                    office=office,
                    billing_point=billing_point,
                    kind=kind,
                    dgi_document_type=dgi_document_type,
                )
            ],
            # Two first documents at once: one row, both take their number from it.
            ignore_conflicts=True,
        )
        return take_number(
            office=office,
            billing_point=billing_point,
            kind=kind,
            dgi_document_type=dgi_document_type,
        )
    return f"{row[0]:010d}"
