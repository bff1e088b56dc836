from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.api.authentication import key_of
from tenants.models.keys import Scope


class HasScope(BasePermission):
    """`read` for GET and HEAD, `write` for everything that changes something."""

    message = "This API key has no `write` scope."

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            return False
        if request.method in SAFE_METHODS:
            self.message = "This API key has no `read` scope."
            return key_of(request).allows(Scope.READ)
        return key_of(request).allows(Scope.WRITE)
