"""Where a tenant's numbers begin, when another program issued before."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from pac.dgi.codes import DOCUMENT_TYPES
from tenants.base import new_id
from tenants.errors import Conflict
from tenants.models import NumberSeries, Office
from tenants.models.offices import SeriesKind
from tenants.services.faults import Fault, fault


class SeriesBeyond(Conflict):
    """`first_number` would lower the series that have `reached` it, by DGI document type."""

    def __init__(self, first_number: int, reached: Mapping[str, int]) -> None:
        self.first_number = first_number
        self.reached = reached
        told = ", ".join(f"{document_type} at {last}" for document_type, last in reached.items())
        super().__init__(
            "number_series_beyond",
            f"A series is never lowered to {first_number}; beyond it already, by DGI document "
            f"type: {told}.",
        )

    def fault(self) -> Fault:
        """The same, as a fault of the field that the number was given in."""
        told = ", ".join(f"{document_type}: {last}" for document_type, last in self.reached.items())
        return fault(self.code, self.message, first_number=self.first_number, reached=told)


def raise_series(*, office: Office, billing_point: str, first_number: int) -> None:
    """Make `first_number` the next number of every DGI document type, all of them or none.

    A number is never given twice, so a series is never lowered: raises `SeriesBeyond` where one
    of them is beyond `first_number` already.
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
        reached = series_beyond(
            office=office, billing_point=billing_point, first_number=first_number
        )
        if reached:
            raise SeriesBeyond(first_number, reached)
        _series(office, billing_point).update(last_number=first_number - 1)


def series_beyond(*, office: Office, billing_point: str, first_number: int) -> Mapping[str, int]:
    """The last number of each series that `first_number` would lower, by DGI document type."""
    beyond = _series(office, billing_point).filter(last_number__gte=first_number)
    return dict(beyond.values_list("dgi_document_type", "last_number"))


def _series(office: Office, billing_point: str) -> QuerySet[NumberSeries]:
    return NumberSeries.unscoped.filter(
        office=office, billing_point=billing_point, kind=SeriesKind.DGI
    )
