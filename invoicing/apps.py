from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class InvoicingConfig(AppConfig):
    name = "invoicing"
    verbose_name = "Facturación"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        post_migrate.connect(after_migrate, sender=self)
        post_spawn.connect(wake_pumps)


def wake_pumps(**kwargs: Any) -> None:
    """A worker has started: its cluster may have no pump yet."""
    from invoicing import bell, pump

    for role in pump.ROLES:
        bell.ring(role)


def after_migrate(**kwargs: Any) -> None:
    """Brings what migrations do not: the schedules of the worker, and the tables' guards."""
    from invoicing import guards, schedules

    guards.install()
    schedules.install()
