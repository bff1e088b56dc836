"""System checks: a deployment that cannot keep its promises refuses to start, and says why."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from invoicing.pump import LONGEST_RUN

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SHORTEST_METRICS_TOKEN = 16  # characters


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [*_secrets(), *_pac(), *_queue(), *_logs(), *_proxies()]


def _secrets() -> Iterator[CheckMessage]:
    if not settings.FIELD_ENCRYPTION_KEYS:
        yield Error(
            "FIELD_ENCRYPTION_KEY is not set: PAC tokens and webhook secrets could not be stored.",
            hint="Set it to a long random text, e.g. the output of `openssl rand -base64 32`.",
            id="cifras.E001",
        )
    elif not settings.DEBUG and settings.SECRET_KEY in settings.FIELD_ENCRYPTION_KEYS:
        yield Warning(
            "FIELD_ENCRYPTION_KEY equals SECRET_KEY: whoever learns one has both.",
            hint="Give FIELD_ENCRYPTION_KEY a value of its own.",
            id="cifras.W002",
        )


def _pac() -> Iterator[CheckMessage]:
    base = urlsplit(settings.PAC_BASE_URL)
    if base.scheme not in {"http", "https"} or not base.hostname or base.path:
        yield Error(
            f"PAC_BASE_URL is {settings.PAC_BASE_URL!r}, which is not the address of a host.",
            hint="It holds scheme and host only, e.g. https://api.alanube.co",
            id="cifras.E003",
        )
    elif base.scheme == "http" and base.hostname not in LOOPBACK:
        yield Error(
            "PAC_BASE_URL is plain http: the PAC's token would travel unencrypted.",
            hint="Use https. Plain http is for the sandbox on this machine.",
            id="cifras.E004",
        )
    if settings.PAC_ENVIRONMENT not in {1, 2}:
        yield Error(
            f"PAC_ENVIRONMENT is {settings.PAC_ENVIRONMENT}; the DGI knows 1 and 2.",
            hint="1 is production, 2 is test. It is part of every CUFE.",
            id="cifras.E005",
        )
    if not re.fullmatch(r"[0-9]{3}", settings.PAC_BILLING_POINT) or (
        settings.PAC_BILLING_POINT == "000"
    ):
        yield Error(
            f"PAC_BILLING_POINT is {settings.PAC_BILLING_POINT!r}.",
            hint="A billing point (punto de facturación) has three digits and is never 000.",
            id="cifras.E006",
        )
    if not settings.DEBUG and not settings.PAC_WEBHOOK_URL:
        yield Warning(
            "PAC_WEBHOOK_URL is not set: the PAC cannot call, documents are followed by polling.",
            hint="Set it to the public https address of /webhooks/pac",
            id="cifras.W007",
        )
    if not 0 <= settings.RUC_VERIFICATION_DAYS <= 3650:
        yield Error(
            f"RUC_VERIFICATION_DAYS is {settings.RUC_VERIFICATION_DAYS}.",
            hint="Days for which a verified RUC is not asked for again: 0 (never kept) to 3650.",
            id="cifras.E010",
        )


def _queue() -> Iterator[CheckMessage]:
    cluster = settings.Q_CLUSTER
    if not LONGEST_RUN < cluster["timeout"] < cluster["retry"]:
        yield Error(
            "Q_CLUSTER: the timeout has to lie between the pump's longest run, "
            f"{LONGEST_RUN:.0f} seconds, and the retry.",
            hint="cifras/settings.py works both out from PAC_TIMEOUT and EMAIL_TIMEOUT.",
            id="cifras.E008",
        )
    if not 1 <= settings.PAC_CONCURRENCY <= 64:
        yield Error(
            f"PAC_CONCURRENCY is {settings.PAC_CONCURRENCY}.",
            hint="Requests in flight to the PAC from one worker process: 1 to 64.",
            id="cifras.E009",
        )


def _logs() -> Iterator[CheckMessage]:
    if settings.LOG_FORMAT not in {"json", "line"}:
        yield Error(
            f"LOG_FORMAT is {settings.LOG_FORMAT!r}.",
            hint="json for machines, line for a terminal.",
            id="cifras.E011",
        )
    token = settings.METRICS_TOKEN
    if token and len(token) < SHORTEST_METRICS_TOKEN:
        yield Error(
            f"METRICS_TOKEN has {len(token)} characters: it could be guessed.",
            hint="At least 16, e.g. the output of `openssl rand -hex 32`.",
            id="cifras.E012",
        )


def _proxies() -> Iterator[CheckMessage]:
    if settings.PROXIES < 0:
        yield Error(
            f"PROXIES is {settings.PROXIES}.",
            hint="How many proxies of yours stand before the web server: 0 or more.",
            id="cifras.E013",
        )
    elif settings.HTTPS and not settings.PROXIES:
        yield Warning(
            "PROXIES is 0, but TLS ends at a proxy: everybody seems to come from its address, and "
            "who locks himself out locks out all.",
            hint="Set it to the number of proxies, each of which appends to X-Forwarded-For.",
            id="cifras.W014",
        )
