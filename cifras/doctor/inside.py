"""What Cifras is made of: settings, database, queue, workers, the key of its secrets."""

from __future__ import annotations

from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.checks import ERROR, WARNING, run_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Schedule

from cifras.doctor.findings import Found, Level
from cifras.health import HEARTBEAT
from invoicing import guards, schedules
from invoicing.models import PumpLease
from invoicing.pump import ROLES
from tenants.base import new_id
from tenants.fields import EncryptedTextField

SECRETS_AT_MOST = 1000  # rows of each kind that are decrypted
SCHEDULE_TOLERANCE = timedelta(minutes=10)


def check_settings() -> Found:
    faults = [
        message
        for message in run_checks(include_deployment_checks=not settings.DEBUG)
        if message.level >= WARNING and not message.is_silenced()
    ]
    for fault in faults:
        level = Level.FAIL if fault.level >= ERROR else Level.WARN
        yield level, f"{fault.msg} {fault.hint or ''} ({fault.id})"
    if not faults:
        yield Level.OK, "The system checks have nothing to say."
    if settings.DEBUG:
        yield Level.WARN, "DEBUG is on: for a developer's machine only. Set DEBUG=false elsewhere."


def check_database() -> Found:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    yield Level.OK, f"{connection.display_name} answers."
    if connection.vendor == "sqlite" and not settings.DEBUG:
        yield Level.WARN, "SQLite is for one machine and little load. Set DATABASE_URL otherwise."


def check_migrations() -> Found:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{step.app_label}.{step.name}" for step, _ in plan[:3])
        yield Level.FAIL, f"{len(plan)} not applied ({names} ...). Run `manage.py migrate`."
    else:
        yield Level.OK, "All are applied."


def check_guards() -> Found:
    missing = guards.missing()
    if missing:
        told = ", ".join(sorted(missing))
        yield Level.FAIL, f"The database lacks {told}. Run `manage.py migrate`, which makes them."
    else:
        yield Level.OK, "The triggers that keep sent documents as they are stand."


def check_cache() -> Found:
    key = f"doctor-{new_id()}"
    cache.set(key, "here", timeout=60)
    found = cache.get(key)
    cache.delete(key)
    if found != "here":
        yield Level.FAIL, "What is put in does not come out. Look at the server of REDIS_URL."
    elif settings.REDIS_URL:
        yield Level.OK, "Redis keeps what is put in."
    else:
        yield (
            Level.OK,
            "Each process has its own. REDIS_URL shares one: limits then count together.",
        )


def check_broker() -> Found:
    if get_broker().ping():
        yield Level.OK, f"The queue ({'Redis' if settings.REDIS_URL else 'database'}) answers."
    else:
        yield Level.FAIL, "The queue does not answer. Look at the server of REDIS_URL."


def check_worker() -> Found:
    for role in ROLES:
        lease = PumpLease.objects.filter(role=role).order_by("-renewed_at").first()
        if lease is None:
            yield Level.FAIL, f"No worker for {role!r} was ever seen. Start `manage.py qcluster`."
            continue
        age = timezone.now() - lease.renewed_at
        told = f"The worker for {role!r} was seen {age.total_seconds():.0f} s ago"
        if age < HEARTBEAT:
            yield Level.OK, f"{told}."
        else:
            yield Level.FAIL, f"{told}; documents wait. Start `manage.py qcluster`, read its log."


def check_encryption_key() -> Found:
    opened = 0
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if not isinstance(field, EncryptedTextField):
                continue
            rows = model._base_manager.exclude(**{field.name: ""}).order_by("-pk")
            try:
                opened += len(rows.values_list(field.name, flat=True)[:SECRETS_AT_MOST])
            except InvalidToken:
                yield (
                    Level.FAIL,
                    f"No key of FIELD_ENCRYPTION_KEY opens every stored {field.verbose_name}: "
                    "put the key that they were stored with back into the list.",
                )
                return
    yield Level.OK, f"It opens what is stored ({opened} secrets tried)."


def check_schedules() -> Found:
    due = dict(Schedule.objects.values_list("name", "next_run"))
    missing = sorted(set(schedules.SCHEDULES) - set(due))
    if missing:
        yield Level.FAIL, f"Not registered: {', '.join(missing)}. Run `manage.py migrate`."
        return
    late = timezone.now() - SCHEDULE_TOLERANCE
    overdue = sorted(
        name for name in schedules.SCHEDULES if due[name] is not None and due[name] < late
    )
    if overdue:
        told = ", ".join(overdue)
        yield Level.WARN, f"Not run when they should have been: {told}. Is `qcluster` running?"
    else:
        yield Level.OK, f"{len(schedules.SCHEDULES)} are registered."
