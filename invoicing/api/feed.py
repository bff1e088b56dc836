"""`/events`: what happened to any document, in order, for a program that follows along."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from invoicing.api.errors import as_validation_error
from invoicing.api.outputs import EventOutput
from invoicing.api.thorough import flatten
from invoicing.fiscal.draft import Fault
from invoicing.models import HistoryEntry
from tenants.api.authentication import key_of
from tenants.api.pagination import CursorPage

COLUMNS = (
    *("id", "event", "created_at", "data", "actor", "place"),
    *("owner__document_type", "owner__external_id"),
)
FARTHEST = 2**63 - 1
LARGEST_PAGE = CursorPage.max_page_size


class FeedEventOutput(EventOutput):
    """One thing that happened, and to which document."""

    document = serializers.UUIDField(source="owner_id")
    document_type = serializers.CharField(
        source="owner.document_type", help_text="01 invoice, 02 credit note, 03 debit note."
    )
    external_id = serializers.CharField(source="owner.external_id", allow_null=True)

    class Meta(EventOutput.Meta):
        fields = (*EventOutput.Meta.fields, "document", "document_type", "external_id")


class FeedOutput(serializers.Serializer[Any]):
    next = serializers.URLField(help_text="What comes after these, now or later. Never null.")
    previous = serializers.URLField(allow_null=True, help_text="Always null: keep the `next`.")
    results = FeedEventOutput(many=True)


class FeedView(APIView):
    @extend_schema(
        summary="What happened to any document, as one feed",
        description=(
            "In order, each exactly once: keep the last `next` and ask for it again. It is never "
            "null; while nothing is new, `results` is empty. An event is there a second or two "
            "after it happened."
        ),
        parameters=[
            OpenApiParameter(
                "after",
                OpenApiTypes.INT64,
                description="Where to go on. Default: 0, the beginning.",
            ),
            OpenApiParameter("page_size", int, description=f"At most {LARGEST_PAGE}."),
        ],
        responses={200: FeedOutput},
    )
    def get(self, request: Request) -> Response:
        faults: list[Fault] = []
        after = _whole(request, "after", 0, FARTHEST, 0, faults)
        size = _whole(request, "page_size", 1, LARGEST_PAGE, CursorPage.page_size, faults)
        if faults:
            raise as_validation_error(faults)
        entries = HistoryEntry.objects.for_tenant(key_of(request).tenant).select_related("owner")
        # Not the whole document, which may be large, once for each of its events.
        entries = entries.filter(place__gt=after).only(*COLUMNS)
        page = list(entries.order_by("place")[:size])
        if page:
            after = page[-1].place or after
        onwards = request.build_absolute_uri(f"{request.path}?after={after}")
        if "page_size" in request.query_params:
            onwards += f"&page_size={size}"
        results = FeedEventOutput(page, many=True).data
        return Response({"next": onwards, "previous": None, "results": results})


def _whole(
    request: Request, name: str, least: int, most: int, usual: int, faults: list[Fault]
) -> int:
    if name not in request.query_params:
        return usual
    try:
        field = serializers.IntegerField(min_value=least, max_value=most)
        number: int = field.run_validation(request.query_params[name])
    except ValidationError as error:
        faults += flatten(error.detail, name)
        return usual
    return number
