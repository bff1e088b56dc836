"""Pages of libraries, which would let staff walk around our own: gone, or to look at only."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_q.models import Success
from rest_framework_api_key.models import APIKey

Page = TypeVar("Page", bound=type[Any])


def unregister(*models: type[Model]) -> None:
    """The libraries stand before this app in `INSTALLED_APPS`: their pages are there by now."""
    for model in models:
        if admin.site.is_registered(model):
            admin.site.unregister(model)


def instead_of_theirs(*models: type[Model]) -> Callable[[Page], Page]:
    """Registers our page for a library's models."""

    def register(page: Page) -> Page:
        unregister(*models)
        admin.site.register(models, page)
        return page

    return register


# The keys of the library's own table belong to no tenant and open nothing. Devices are shown at
# their users, without their secrets. Of what the worker does, failures are enough.
unregister(APIKey, TOTPDevice, StaticDevice, Success)
