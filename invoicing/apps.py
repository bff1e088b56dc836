from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class InvoicingConfig(AppConfig):
    name = "invoicing"
    verbose_name = "Facturación"

    def ready(self) -> None:
        post_migrate.connect(after_migrate, sender=self)


def after_migrate(**kwargs: Any) -> None:
    """Brings what migrations do not: the schedules of the worker, and the tables' guards."""
    from invoicing import guards, schedules

    guards.install()
    schedules.install()
