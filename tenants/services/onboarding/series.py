"""Where a tenant's numbers begin, when another program issued before."""

from django.db import transaction
from django.db.models import QuerySet

from pac.dgi.codes import DOCUMENT_TYPES
from tenants.base import new_id
from tenants.errors import Conflict
from tenants.models import NumberSeries, Office
from tenants.models.offices import SeriesKind


def raise_series(*, office: Office, billing_point: str, first_number: int) -> None:
    """Make `first_number` the next number of every DGI document type, all of them or none.

    A number is never given twice, so a series is never lowered: raises `Conflict` where one of
    them is beyond `first_number` already.
    """
    with transaction.atomic():
        NumberSeries.unscoped.bulk_create(
            [
                NumberSeries(
                    id=new_id(),
                    tenant_id=office.tenant_id,
                    office=office,
                    billing_point=billing_point,
                    kind=SeriesKind.DGI,
                    dgi_document_type=document_type,
                )
                for document_type in DOCUMENT_TYPES
            ],
            ignore_conflicts=True,
        )
        # Locked in the order of their types, so that two raisers never wait for each other.
        list(_series(office, billing_point).order_by("dgi_document_type").select_for_update())
        if beyond := series_beyond(
            office=office, billing_point=billing_point, first_number=first_number
        ):
            raise Conflict("number_series_beyond", beyond)
        _series(office, billing_point).update(last_number=first_number - 1)


def series_beyond(*, office: Office, billing_point: str, first_number: int) -> str:
    """A sentence on the series that `first_number` would lower; "" where there is none."""
    beyond = _series(office, billing_point).filter(last_number__gte=first_number)
    reached = [f"{each.dgi_document_type} at {each.last_number}" for each in beyond]
    if not reached:
        return ""
    return (
        f"A series is never lowered to {first_number}; beyond it already, by DGI document type: "
        f"{', '.join(reached)}."
    )


def _series(office: Office, billing_point: str) -> QuerySet[NumberSeries]:
    return NumberSeries.unscoped.filter(
        office=office, billing_point=billing_point, kind=SeriesKind.DGI
    )
