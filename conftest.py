"""What the whole suite shares: two tenants, the sandbox over real HTTP, a client for the API."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.backends.sqlite3.base import DatabaseOperations as SqliteOperations
from django.db.models import QuerySet
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import DjangoDbBlocker
from pytest_django import Settings as SettingsWrapper
from rest_framework.test import APIClient

from cifras.tests.both_databases import DATABASE_ONLY, WITHOUT_BROWSER
from invoicing import guards, pump
from invoicing.models import Breaker, Document, EmailDelivery
from pac.dgi.ruc import RucType
from pac.sandbox import Options, Sandbox
from tenants.models import ApiKey, Office, OnboardingStatus, Tenant, User

MADE_BY_MIGRATE = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_q_schedule",
}
BROWSER = Path(__file__).parent / "cifras" / "tests" / "browser"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
WEBHOOK_SECRET = "a webhook secret of the tests"


def _emptied(
    self: DatabaseOperations,
    style: Any,
    tables: list[str],
    *,
    reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:
    """Empties what is not empty: TRUNCATE of every table costs half a second a test."""
    names = [self.quote_name(table) for table in tables if table not in MADE_BY_MIGRATE]
    if not names:
        return []
    with self.connection.cursor() as cursor:
        asked = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
        cursor.execute(" UNION ALL ".join(asked))
        full = [row[0] for row in cursor.fetchall()]
    if not full:
        return []
    return [
        "SET session_replication_role = replica",  # neither foreign keys nor our guards
        *(f"DELETE FROM {name}" for name in full),
        "SET session_replication_role = DEFAULT",
    ]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of two runs side by side each leaves something out that it would only do once more."""
    left_out = []
    if DATABASE_ONLY in os.environ:
        left_out = [item for item in items if not needs_database(item)]
    if WITHOUT_BROWSER in os.environ:
        left_out = [item for item in items if BROWSER in item.path.parents]
    config.hook.pytest_deselected(items=left_out)
    unwanted = set(left_out)
    items[:] = [item for item in items if item not in unwanted]


def needs_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_database"):
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("processes")
    return bool(marked or fixtures & {"db", "transactional_db", "live_server"})


def _guarded_again(*args: object, **options: object) -> None:
    """What is left to do after a flush, where that takes nothing that `migrate` has made."""
    if guards.missing():
        guards.install()


@pytest.fixture(autouse=True, scope="session")
def _quick_flush() -> Iterator[None]:
    """Between tests: what `migrate` makes stays, and is not made anew after each."""
    sqlite_flush = SqliteOperations.sql_flush

    def emptied(self: SqliteOperations, style: Any, tables: list[str], **options: Any) -> list[str]:
        kept = [table for table in tables if table not in MADE_BY_MIGRATE]
        return sqlite_flush(self, style, kept, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", _emptied)
        patch.setattr(SqliteOperations, "sql_flush", emptied)
        patch.setattr(flush, "emit_post_migrate_signal", _guarded_again)
        yield


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _media(settings: SettingsWrapper, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture(autouse=True)
def _flushable(request: pytest.FixtureRequest) -> Iterator[None]:
    """SQLite empties a table by DELETE, which the guards refuse for sent documents."""
    marker = request.node.get_closest_marker("django_db")
    transactional = marker is not None and marker.kwargs.get("transaction")
    if transactional:
        request.getfixturevalue("transactional_db")
    yield
    if transactional and connection.vendor == "sqlite":
        guards.remove()


@pytest.fixture
def box(settings: SettingsWrapper) -> Iterator[Sandbox]:
    """The PAC: the sandbox on a port of its own, deciding at once."""
    with Sandbox(Options(dgi_delay=0, no_webhooks=True)) as sandbox:
        settings.PAC_BASE_URL = sandbox.url
        yield sandbox


def make_tenant(box: Sandbox | None, *, name: str, ruc: str, ruc_type: RucType, dv: str) -> Tenant:
    """A tenant that is ready to issue; where there is a sandbox, its PAC knows it."""
    ids = box and box.add_subscribed_company(
        name=name, ruc=ruc, ruc_type=ruc_type, dv=dv, office_code="0001"
    )
    tenant = Tenant.objects.create(
        name=name,
        ruc=ruc,
        ruc_type=ruc_type,
        dv=dv,
        email=f"facturas@{name.split()[0].lower()}.test",
        pac_company_id=ids.company_id if ids else f"01COMPANY{ruc}"[:26],
        webhook_secret=WEBHOOK_SECRET,
        onboarding_status=OnboardingStatus.READY,
    )
    tenant.main_office = Office.unscoped.create(
        tenant=tenant,
        code="0001",
        coordinates="+8.9824,-79.5199",
        address="Calle 50, Ciudad de Panamá",
        telephone="269-1234",
        location="8-8-7",
        pac_office_id=ids.office_id if ids else "01OFFICE000000000000000000",
    )
    tenant.save()
    return tenant


@pytest.fixture
def alice(db: None, request: pytest.FixtureRequest) -> Tenant:
    """A company."""
    return make_tenant(
        _box_of(request),
        name="Alice Comercial, S.A.",
        ruc="155596713-2-2015",
        ruc_type=RucType.JURIDICO,
        dv="59",
    )


@pytest.fixture
def bob(db: None, request: pytest.FixtureRequest) -> Tenant:
    """A person in business."""
    return make_tenant(
        _box_of(request),
        name="Bob Batista",
        ruc="8-274-125",
        ruc_type=RucType.NATURAL,
        dv="91",
    )


def _box_of(request: pytest.FixtureRequest) -> Sandbox | None:
    if "box" not in request.fixturenames:
        return None
    return request.getfixturevalue("box")  # type: ignore[no-any-return]


@pytest.fixture
def client_of() -> Callable[..., APIClient]:
    """Makes an API client that signs in with a new key of a tenant."""

    def make(tenant: Tenant, *scopes: str) -> APIClient:
        _, text = ApiKey.objects.issue(
            tenant=tenant, name="tests", scopes=scopes or ("read", "write")
        )
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return make


@pytest.fixture
def api(alice: Tenant, client_of: Callable[..., APIClient]) -> APIClient:
    """Alice's client."""
    return client_of(alice)


def sign_in(client: Client, user: User) -> Client:
    """Signs a member of the staff in to the admin, with the second factor."""
    device, _ = TOTPDevice.objects.get_or_create(user=user)
    client.force_login(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client


def staff_of(role: str, *, tenant: Tenant | None = None) -> User:
    """A member of the staff in one of the roles: "operador", "soporte", "auditor"."""
    name = f"{role} of {tenant.name}" if tenant else role
    user = User.objects.create_user(name, password="x", is_staff=True, tenant=tenant)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def operator_browser(db: None) -> Client:
    """An operator's browser, signed in to the admin."""
    return sign_in(Client(), staff_of("operador"))


def every_document() -> QuerySet[Document]:
    """For tests of a lower floor that look at what came out above."""
    return Document.unscoped.all()


def work() -> None:
    """Lets the worker do all it can, as if the time of every pause had passed."""
    for _ in range(8):
        for column in ("next_attempt_at", "next_poll_at"):
            Document.unscoped.filter(**{f"{column}__isnull": False}).update(**{column: LONG_AGO})
        EmailDelivery.unscoped.filter(next_attempt_at__isnull=False).update(
            next_attempt_at=LONG_AGO
        )
        Breaker.objects.filter(retry_at__isnull=False).update(retry_at=LONG_AGO)
        if not pump.drain():
            return


def body(**changes: Any) -> dict[str, Any]:
    """A small invoice on credit, as a client posts it."""
    return {
        "receiver": {
            "type": "CONTRIBUYENTE",
            "ruc": "155646463-2-2017",
            "ruc_type": "JURIDICO",
            "name": "Cliente Prueba, S.A.",
            "address": "Calle 50",
            "location": "8-8-7",
            "emails": ["pagos@cliente.test"],
        },
        "lines": [
            {
                "code": "SRV-01",
                "description": "Soporte mensual",
                "quantity": "2",
                "unit_price": "100.00",
                "unit_discount": "5.00",
                "itbms_rate": "01",
            }
        ],
        "due_date": "2099-12-22",
    } | changes


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, which goes at the end though threads of a web server still hold it: those
    keep a connection for as long as their client may come back."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
