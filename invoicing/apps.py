from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class InvoicingConfig(AppConfig):
    name = "invoicing"
    verbose_name = _("Facturación")

    def ready(self) -> None:
        from django_q.signals import post_spawn

        from invoicing import checks  # noqa: F401 (registers itself)

        pre_migrate.connect(before_migrate, sender=self)
        post_migrate.connect(after_migrate, sender=self)
        post_spawn.connect(wake_pumps)


def wake_pumps(**kwargs: Any) -> None:
    """A worker has started: its cluster may have no pump yet."""
    from invoicing import bell, pump

    for role in pump.ROLES:
        bell.ring(role)


def before_migrate(plan: Sequence[Any], **kwargs: Any) -> None:
    """SQLite remakes a table to change it, which it refuses while a trigger speaks of the table."""
    from invoicing import guards

    if plan and connection.vendor == "sqlite":
        guards.remove()


def after_migrate(**kwargs: Any) -> None:
    """Brings what migrations do not: the schedules of the worker, and the tables' guards."""
    from django_q.models import Schedule

    from invoicing import guards, schedules

    guards.install()
    if Schedule._meta.db_table in connection.introspection.table_names():
        schedules.install()
