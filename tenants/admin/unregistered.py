from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success
from rest_framework_api_key.models import APIKey


def unregister_foreign_admins() -> None:
    """Take out pages of libraries that would let staff walk around our own.

    django-q's schedule any function of the process; the API keys of the library's own table belong
    to no tenant and open nothing. Both apps stand before this one in `INSTALLED_APPS`, so that
    their pages are registered by now.
    """
    for model in (Schedule, Success, Failure, OrmQ, APIKey):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
