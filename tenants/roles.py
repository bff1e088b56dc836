"""The roles of the staff, and the rights that are not of the kind "may change this row".

A role is a group of Django's. `install` makes the three and gives each exactly its rights, after
every migrate: what was changed in them by hand is put right again. Whoever needs another mixture
makes a group of his own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

# Each is asked for by `request.user.has_perm(...)`.
RESEND: Final = "invoicing.resend_document"  # send again, ask the PAC, attach the PDF, e-mail again
VOID: Final = "invoicing.void_document"
DECIDE: Final = "invoicing.decide_document"  # whether a doubtful match is ours
HANDLE: Final = "invoicing.handle_document"  # mark as handled outside
TALLY: Final = "invoicing.tally_document"  # the month's table, by which the PAC bills
ONBOARD: Final = "tenants.onboard_tenant"
SUSPEND: Final = "tenants.suspend_tenant"
ROTATE: Final = "tenants.rotate_secrets"
# Who may delete failed attempts to sign in may let in whom they lock out: that is the same.
UNLOCK: Final = "axes.delete_accessattempt"

# Those that no model brings: the model that each is about, and its name for people.
_DOCUMENT, _TENANT = ("invoicing", "document"), ("tenants", "tenant")
EXTRA: Final = {
    RESEND: (_DOCUMENT, "Puede enviar otra vez un documento o su correo"),
    VOID: (_DOCUMENT, "Puede anular un documento"),
    DECIDE: (_DOCUMENT, "Puede decidir una coincidencia dudosa"),
    HANDLE: (_DOCUMENT, "Puede dar un documento por atendido"),
    TALLY: (_DOCUMENT, "Puede ver los documentos del mes por contribuyente"),
    ONBOARD: (_TENANT, "Puede incorporar contribuyentes"),
    SUSPEND: (_TENANT, "Puede suspender y reanudar contribuyentes"),
    ROTATE: (_TENANT, "Puede cambiar secretos y claves"),
}


@dataclass(frozen=True)
class Role:
    """What a role may do. Rows of the admin's pages are shown app by app (`reads`), so that a new
    page is seen by those whom it concerns; what may be changed is named model by model."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    never_reads: frozenset[str] = frozenset()

    def permits(self, app_label: str, codename: str) -> bool:
        right = f"{app_label}.{codename}"
        verb, _, model = codename.partition("_")
        if right in self.extra:
            return True
        if verb == "view":
            return app_label in self.reads and f"{app_label}.{model}" not in self.never_reads
        return verb in {"add", "change"} and f"{app_label}.{model}" in self.writes


_BUSINESS = frozenset({"tenants", "invoicing", "webhooks", "django_q"})
_DOORS = frozenset({"axes", "auth"})

OPERATOR: Final = Role(
    name="operador",
    reads=_BUSINESS | _DOORS,
    writes=frozenset(
        f"tenants.{model}" for model in ("tenant", "office", "numberseries", "apikey", "user")
    ),
    extra=frozenset({*EXTRA, UNLOCK}),
)
SUPPORT: Final = Role(
    name="soporte",
    reads=_BUSINESS,
    extra=frozenset({RESEND}),
    never_reads=frozenset({"tenants.user"}),
)
AUDITOR: Final = Role(
    name="auditor", reads=_BUSINESS | _DOORS | {"admin"}, extra=frozenset({TALLY})
)

ROLES: Final = (OPERATOR, SUPPORT, AUDITOR)
NAMES: Final = frozenset(role.name for role in ROLES)


def install(**kwargs: Any) -> None:
    """After migrate: the rights that no model brings, and the roles with exactly their rights."""
    from django.contrib.auth.models import Group, Permission
    from django.db import connection

    if Group._meta.db_table not in connection.introspection.table_names():
        return  # migrated backwards
    Permission.objects.bulk_create(_missing_permissions(), ignore_conflicts=True)
    every = list(
        Permission.objects.values_list("pk", "content_type__app_label", "codename").order_by()
    )
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set([pk for pk, app, codename in every if role.permits(app, codename)])


def _missing_permissions() -> Iterator[Any]:
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.models import ContentType

    kept = set(Permission.objects.values_list("content_type__app_label", "codename"))
    for right, (model, name) in EXTRA.items():
        app_label, _, codename = right.partition(".")
        if (app_label, codename) not in kept:
            content_type, _ = ContentType.objects.get_or_create(app_label=model[0], model=model[1])
            yield Permission(content_type=content_type, codename=codename, name=name)
