"""`/reports/documents`: how many documents, over how much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from invoicing.api.errors import as_validation_error
from invoicing.api.inputs import DayField
from invoicing.api.outputs import CentsField
from invoicing.api.spreadsheets import csv_response
from invoicing.api.thorough import flatten
from invoicing.fiscal.draft import Fault
from invoicing.services import reports
from invoicing.services.reports import Figures, Group, Grouping
from pac.dgi.calendar import panama_date
from tenants.api.authentication import key_of

USUAL_DAYS = 30
MOST_DAYS = 366
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
FORMATS = ("json", "csv")
GROUPINGS: dict[str, Grouping] = {grouping.value: grouping for grouping in Grouping}
FIGURES = list(asdict(Figures()))


class FiguresOutput(serializers.Serializer[Any]):
    """Amounts in B/., as they stand on the documents."""

    count = serializers.IntegerField()
    net = CentsField()
    itbms = CentsField()
    total = CentsField()


class GroupOutput(FiguresOutput):
    """Of `day`, `type` and `legal_status`, those that were asked for."""

    day = serializers.DateField(required=False)
    type = serializers.CharField(required=False, help_text="01, 02 or 03: the `document_type`.")
    legal_status = serializers.CharField(required=False, allow_null=True)

    def to_representation(self, group: dict[str, Any]) -> dict[str, Any]:
        shown = super().to_representation(group)
        return {name: shown[name] for name in group}


class ReportOutput(serializers.Serializer[Any]):
    group_by = serializers.ListField(child=serializers.CharField())
    results = GroupOutput(many=True)
    totals = FiguresOutput()

    def get_fields(self) -> dict[str, Any]:
        """`from` is no name that Python lets a class attribute have."""
        period = {"from": serializers.DateField(), "to": serializers.DateField()}
        return {**period, **super().get_fields()}


@dataclass(frozen=True, slots=True)
class Query:
    first: date
    last: date
    by: list[Grouping]
    format: str


class DocumentReport(APIView):
    @extend_schema(
        summary="Documents issued: counts and totals by day, type and legal status",
        description=(
            "Proformas and voided documents are left out. Amounts are added as they stand: group "
            "by type to tell sales from credit notes."
        ),
        parameters=[
            OpenApiParameter(
                "from",
                OpenApiTypes.DATE,
                description=f"First day, in Panama. Default: {USUAL_DAYS} days with the last one.",
            ),
            OpenApiParameter(
                "to",
                OpenApiTypes.DATE,
                description=f"Last day. Default: today. The period has at most {MOST_DAYS} days.",
            ),
            OpenApiParameter(
                "group_by",
                description=f"Any of {', '.join(Grouping)}, with commas. Default: all of them.",
            ),
            OpenApiParameter("format", enum=FORMATS, description="Default: json."),
        ],
        responses={200: ReportOutput, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response | HttpResponse:
        query = read_query(request.query_params, today=panama_date(timezone.now()))
        groups, totals = reports.documents(
            key_of(request).tenant, first=query.first, last=query.last, by=query.by
        )
        if query.format == "csv":
            return csv_response(
                f"documents_{query.first}_{query.last}.csv", as_table(query.by, groups)
            )
        shown = {
            "from": query.first,
            "to": query.last,
            "group_by": query.by,
            "results": [{**group.values, **asdict(group.figures)} for group in groups],
            "totals": asdict(totals),
        }
        return Response(ReportOutput(shown).data)


def as_table(by: Iterable[Grouping], groups: Iterable[Group]) -> Iterable[list[object]]:
    yield [*by, *FIGURES]
    for group in groups:
        yield [*group.values.values(), *asdict(group.figures).values()]


def read_query(params: QueryDict, *, today: date) -> Query:
    """What is asked for. Raises the validation error with every fault of it."""
    faults: list[Fault] = []
    last = _day(params, "to", faults) or today
    first = _day(params, "from", faults) or last - timedelta(days=USUAL_DAYS - 1)
    if not faults:
        faults += _period(first, last)
    by = _groupings(params, faults)
    wanted = params.get("format", "json")
    if wanted not in FORMATS:
        faults.append(Fault("format", "invalid_choice", f"One of {', '.join(FORMATS)}."))
    if faults:
        raise as_validation_error(faults)
    return Query(first, last, by, wanted)


def _day(params: QueryDict, name: str, faults: list[Fault]) -> date | None:
    if name not in params:
        return None
    try:
        day: date = DayField().run_validation(params[name])
    except ValidationError as error:
        faults += flatten(error.detail, name)
        return None
    if not EARLIEST <= day <= LATEST:
        faults.append(Fault(name, "out_of_range", f"A day from {EARLIEST} to {LATEST}."))
    return day


def _groupings(params: QueryDict, faults: list[Fault]) -> list[Grouping]:
    words = [word.strip() for word in ",".join(params.getlist("group_by")).split(",")]
    wanted = dict.fromkeys(word for word in words if word)
    unknown = [word[:50] for word in wanted if word not in GROUPINGS]
    if unknown:
        message = f"{', '.join(Grouping)} are possible; not {', '.join(unknown[:5])}."
        faults.append(Fault("group_by", "invalid_choice", message))
    return [GROUPINGS[word] for word in wanted if word in GROUPINGS] or list(Grouping)


def _period(first: date, last: date) -> Iterable[Fault]:
    if first > last:
        yield Fault("from", "period_reversed", f"The period ends, on {last}, before it begins.")
    elif (last - first).days >= MOST_DAYS:
        days = (last - first).days + 1
        yield Fault("from", "period_too_long", f"At most {MOST_DAYS} days; these are {days}.")
