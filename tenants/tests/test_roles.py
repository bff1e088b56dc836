"""The roles: there after every migrate, with exactly their rights."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from conftest import staff_of
from tenants import roles

pytestmark = pytest.mark.django_db


def rights_of(name: str) -> set[str]:
    found = Permission.objects.filter(group__name=name)
    return {
        f"{app}.{code}" for app, code in found.values_list("content_type__app_label", "codename")
    }


@pytest.mark.parametrize(
    ("role", "extra"),
    [
        ("operador", {*roles.EXTRA, roles.UNLOCK}),
        ("soporte", {roles.RESEND}),
        ("auditor", {roles.TALLY}),
    ],
)
def test_a_role_has_its_rights_beyond_rows(role: str, extra: set[str]) -> None:
    user = staff_of(role)
    assert {right for right in (*roles.EXTRA, roles.UNLOCK) if user.has_perm(right)} == extra


@pytest.mark.parametrize("role", ["soporte", "auditor"])
def test_who_only_looks_writes_no_row(role: str) -> None:
    writing = {
        right
        for right in rights_of(role)
        if right.split(".")[1].startswith(("add", "change", "delete"))
    }
    assert writing == set()


def test_nobody_but_a_superuser_hands_out_rights_or_deletes() -> None:
    deleting = {right for right in rights_of("operador") if ".delete_" in right}
    assert deleting == {roles.UNLOCK}
    assert not {
        right
        for right in rights_of("operador")
        if right.endswith(("_group", "_permission")) and ".view_" not in right
    }


def test_a_migrate_puts_right_what_was_changed_by_hand() -> None:
    before = rights_of("soporte")
    group = Group.objects.get(name="soporte")
    group.permissions.set(Permission.objects.filter(codename__startswith="delete"))
    Permission.objects.filter(codename="void_document").delete()
    Group.objects.get(name="auditor").delete()
    for _ in range(2):
        roles.install()
    assert rights_of("soporte") == before
    assert roles.VOID in rights_of("operador")
    assert Group.objects.filter(name="auditor").count() == 1


def test_another_group_is_left_alone() -> None:
    own = Group.objects.create(name="caja")
    own.permissions.set(Permission.objects.filter(codename="view_invoice"))
    roles.install()
    assert rights_of("caja") == {"invoicing.view_invoice"}


@pytest.mark.django_db(transaction=True)
def test_migrate_makes_them() -> None:
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert {*Group.objects.values_list("name", flat=True)} == roles.NAMES
