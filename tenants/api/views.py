"""What a key may know about its own tenant, and about any RUC."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pac.dgi.ruc import RucType
from tenants.api.authentication import key_of
from tenants.models import Office, Tenant
from tenants.services.rucs import look_up


class OfficeOutput(serializers.ModelSerializer[Office]):
    is_main = serializers.SerializerMethodField()

    class Meta:
        model = Office
        fields = ("id", "code", "type", "address", "telephone", "location", "email", "is_main")

    def get_is_main(self, office: Office) -> bool:
        return bool(key_of(self.context["request"]).tenant.main_office_id == office.pk)


class TenantOutput(serializers.ModelSerializer[Tenant]):
    environment = serializers.IntegerField(help_text="1 production, 2 test.")
    scopes = serializers.SerializerMethodField()

    class Meta:
        model = Tenant
        fields = [
            "id",
            "name",
            "trade_name",
            "ruc",
            "ruc_type",
            "dv",
            "email",
            "environment",
            "onboarding_status",
            "scopes",
        ]

    def get_scopes(self, tenant: Tenant) -> list[str]:
        return list(key_of(self.context["request"]).scopes)


class RucOutput(serializers.Serializer[Any]):
    """`exists` and `receiver_type` are null while the PAC cannot be asked."""

    ruc = serializers.CharField()
    type = serializers.ChoiceField(choices=[str(kind) for kind in RucType])
    dv = serializers.CharField(allow_null=True)
    valid = serializers.BooleanField()
    receiver_type = serializers.CharField(allow_null=True)
    exists = serializers.BooleanField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)


class MeView(APIView):
    @extend_schema(summary="The tenant of this API key", responses=TenantOutput)
    def get(self, request: Request) -> Response:
        return Response(TenantOutput(key_of(request).tenant, context={"request": request}).data)


@extend_schema_view(get=extend_schema(summary="The tenant's branches (sucursales)"))
class OfficeList(generics.ListAPIView[Office]):
    """The tenant's branches (sucursales)."""

    serializer_class = OfficeOutput

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Office.unscoped.none()
        return Office.objects.for_tenant(key_of(self.request).tenant)


class RucView(APIView):
    @extend_schema(
        summary="A RUC: its check digit, and whether the DGI knows it",
        parameters=[OpenApiParameter("type", enum=[str(kind) for kind in RucType], required=True)],
        responses=RucOutput,
    )
    def get(self, request: Request, text: str) -> Response:
        try:
            ruc_type = RucType(request.query_params.get("type", ""))
        except ValueError as error:
            raise ValidationError(
                {"type": f"Say which: {' or '.join(RucType)}."}, code="ruc_type_required"
            ) from error
        return Response(RucOutput(look_up(key_of(request).tenant, text, ruc_type)).data)
