"""Customers: the receivers that a tenant keeps."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.errors import as_validation_error
from invoicing.api.inputs import ReceiverInput, to_receiver
from invoicing.api.once import IDEMPOTENCY_KEY, once_in_one_commit
from invoicing.api.outputs import ForeignIdOutput
from invoicing.api.thorough import FlagField, TextField, read
from invoicing.errors import InvalidDocument
from invoicing.fiscal.draft import Fault
from invoicing.models import Customer
from invoicing.models.customers import beginning_with, with_verification
from invoicing.services.customers import (
    CustomerData,
    create_customer,
    delete_customer,
    edit_customer,
)
from tenants.api.authentication import key_of

CHANGEABLE = [
    "type",
    "ruc",
    "ruc_type",
    "dv",
    "name",
    "address",
    "location",
    "country",
    "other_country",
    "foreign_id",
    "emails",
    "phones",
    "withholds",
    "retention_code",
]


class CustomerInput(ReceiverInput):
    """The body of `POST /customers`: a receiver, and what it withholds."""

    type = TextField(help_text=ReceiverInput().fields["type"].help_text)
    withholds = FlagField(
        required=False,
        help_text="Its documents need a retention code. Left out: whether there is one here.",
    )
    retention_code = TextField(
        required=False, allow_null=True, help_text="The default of documents that have none."
    )


class CustomerOutput(serializers.ModelSerializer[Customer]):
    type = serializers.CharField()
    ruc_type = serializers.SerializerMethodField()
    foreign_id = serializers.SerializerMethodField()
    emails = serializers.ListField(child=serializers.EmailField())
    phones = serializers.ListField(child=serializers.CharField())
    retention_code = serializers.SerializerMethodField()
    ruc_verified_at = serializers.DateTimeField(
        allow_null=True, help_text="When the PAC last said that the RUC exists."
    )

    class Meta:
        model = Customer
        fields = ["id", *CHANGEABLE, "ruc_verified_at", "created_at", "updated_at"]

    def get_ruc_type(self, customer: Customer) -> str | None:
        return customer.ruc_type or None

    def get_retention_code(self, customer: Customer) -> str | None:
        return customer.retention_code or None

    @extend_schema_field(ForeignIdOutput(allow_null=True))
    def get_foreign_id(self, customer: Customer) -> dict[str, str] | None:
        if not customer.foreign_number:
            return None
        return {"number": customer.foreign_number, "country": customer.foreign_country}


class CustomerFilter(filters.FilterSet):
    """`?q=` is the beginning of a name (accents and capitals make no difference) or of a RUC."""

    q = filters.CharFilter(method="search", label="The beginning of a name or of a RUC.")

    def search(self, customers: QuerySet[Customer], name: str, text: str) -> QuerySet[Customer]:
        return beginning_with(customers, text)


@extend_schema_view(
    list=extend_schema(summary="List customers, newest first"),
    retrieve=extend_schema(summary="One customer"),
)
class CustomerViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Customer]
):
    """Customers. `POST /invoices` takes a `customer` instead of a `receiver`."""

    serializer_class = CustomerOutput
    filterset_class = CustomerFilter
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Customer]:
        if getattr(self, "swagger_fake_view", False):
            return Customer.unscoped.none()
        customers = Customer.objects.for_tenant(key_of(self.request).tenant)
        return with_verification(customers.select_related("tenant"))

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, InvalidDocument):
            exc = as_validation_error(exc.faults)
        return super().handle_exception(exc)

    @extend_schema(
        summary="Keep a customer",
        request=CustomerInput,
        responses={201: CustomerOutput},
        parameters=[IDEMPOTENCY_KEY],
    )
    @once_in_one_commit
    def create(self, request: Request) -> Response:
        data, faults = understood(request.data)
        customer = create_customer(key_of(request).tenant, data, faults)
        return Response(self.show(customer), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a customer",
        description="What is left out stays; null takes a field back to its default.",
        request=CustomerInput,
        responses={200: CustomerOutput},
    )
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        customer = self.get_object()
        data, faults = understood(patched(customer, request.data))
        edit_customer(customer, data, faults)
        return Response(self.show(customer))

    @extend_schema(summary="Forget a customer; its documents stay", responses={204: None})
    def destroy(self, request: Request, pk: Any = None) -> Response:
        delete_customer(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def show(self, customer: Customer) -> Any:
        """The customer as it is now."""
        return CustomerOutput(get_object_or_404(self.get_queryset(), pk=customer.pk)).data


def understood(body: Any) -> tuple[CustomerData, list[Fault]]:
    """What a body says of a customer, and every fault of the rest."""
    found, faults = read(CustomerInput(), body)
    code = found.pop("retention_code", None) or ""
    withholds = found.pop("withholds", bool(code))
    return CustomerData(to_receiver(found), withholds, code), faults


def patched(customer: Customer, changes: Any) -> Any:
    """The whole body of a customer with `changes` over it."""
    if not isinstance(changes, dict):
        return changes
    shown = CustomerOutput(customer).data
    body = {name: shown[name] for name in CHANGEABLE if shown[name] not in (None, "")}
    left_to_follow = _following(changes) - changes.keys()
    defaulted = {name for name in CHANGEABLE if name in changes and changes[name] is None}
    return {
        name: value
        for name, value in (body | changes).items()
        if name not in left_to_follow | defaulted
    }


def _following(changes: dict[str, Any]) -> set[str]:
    """The fields whose stored value does not outlive `changes`: it followed from what they say."""
    fields = set()
    if changes.keys() & {"ruc", "ruc_type"}:
        fields.add("dv")
    if "ruc" in changes and not changes["ruc"]:
        fields.add("ruc_type")
    if changes.get("retention_code"):
        fields.add("withholds")
    return fields
