"""How the OpenAPI document shows the errors that the libraries do not know of."""

from typing import Any

from rest_framework import serializers


class ErrorSchema(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class ErrorAnswerSchema(serializers.Serializer[Any]):
    """The one shape of every error."""

    type = serializers.CharField()
    errors = ErrorSchema(many=True)  # type: ignore[assignment]  # its name on the wire
