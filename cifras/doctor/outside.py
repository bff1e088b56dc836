"""What Cifras works with: the PAC, its clock and its way back, the mail server, the files."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from email.utils import parsedate_to_datetime
from smtplib import SMTPAuthenticationError, SMTPException
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection
from django.utils import timezone

from cifras.checks import LOOPBACK
from cifras.doctor.findings import Found, Level
from pac import transport
from pac.errors import PacError, Unauthorized, Unavailable
from tenants.base import new_id
from tenants.models import Tenant
from tenants.pac import pac_address, pac_client

PATIENCE = 10.0  # seconds for one call to the PAC
PACS_AT_MOST = 5  # addresses and tokens that are tried
CLOCK_TOLERANCE = timedelta(minutes=1)
WEBHOOK_PATH = "/webhooks/pac"
PROBE = b"A probe of manage.py doctor."
SMTP = "django.core.mail.backends.smtp.EmailBackend"
FILES = "django.core.mail.backends.filebased.EmailBackend"


def check_pac() -> Found:
    everyone = [Tenant(name="the settings"), *Tenant.objects.filter(is_active=True)]
    each = {pac_address(tenant): tenant for tenant in reversed(everyone)}
    for tenant in list(each.values())[-PACS_AT_MOST:][::-1]:
        yield _answer_of_the_pac(tenant)
    if len(each) > PACS_AT_MOST:
        yield Level.WARN, f"{len(each) - PACS_AT_MOST} more addresses or tokens were not tried."


def _answer_of_the_pac(tenant: Tenant) -> tuple[Level, str]:
    address, _ = pac_address(tenant)
    whose = "PAC_API_KEY" if tenant._state.adding else f"the token of {tenant.name}"
    try:
        companies = pac_client(tenant, deadline=PATIENCE).list_companies()
    except Unauthorized as error:
        return Level.FAIL, f"{address} refuses {whose} ({error.status}): set the right one."
    except Unavailable as error:
        if error.status is None:
            return Level.FAIL, f"{address}: {error.message} Check PAC_BASE_URL, network, firewall."
        return Level.FAIL, f"{address} is there and does not serve ({error.status}): wait, ask it."
    except PacError as error:
        if error.status is None:
            return Level.FAIL, f"{address}: {error.message} (time-out {PATIENCE:.0f} s). Try later."
        return Level.FAIL, f"{address} answers {error.status}: {error.message} Check PAC_BASE_URL."
    return Level.OK, f"{address} accepts {whose}; it knows {len(companies)} companies."


def check_clock() -> Found:
    connect, read = PATIENCE / 2, PATIENCE / 2
    with transport.open_session() as session:
        question = session.prepare_request(requests.Request("GET", settings.PAC_BASE_URL))
        try:
            reply = transport.send(session, question, connect_timeout=connect, read_timeout=read)
        except (PacError, transport.TooLarge):
            yield Level.WARN, "The PAC tells no time: it could not be reached."
            return
    told = reply.headers.get("Date")
    if not told:
        yield Level.WARN, "The PAC tells no time. Compare `date -u` with a clock you trust."
        return
    apart = abs((timezone.now() - parsedate_to_datetime(told)).total_seconds())
    if apart <= CLOCK_TOLERANCE.total_seconds():
        yield Level.OK, f"{apart:.0f} s from the PAC's."
    else:
        yield (
            Level.FAIL,
            f"{apart:.0f} s from the PAC's: documents would bear a wrong moment. Start NTP.",
        )


def check_webhook_url() -> Found:
    if not settings.PAC_WEBHOOK_URL:
        yield (
            Level.WARN,
            "PAC_WEBHOOK_URL is not set: documents are followed by polling alone, later than need "
            f"be. Set it to the public https address of {WEBHOOK_PATH}.",
        )
        return
    url = urlsplit(settings.PAC_WEBHOOK_URL)
    if url.hostname in LOOPBACK:
        yield Level.WARN, "PAC_WEBHOOK_URL is on this machine: only a sandbox here can call it."
    elif url.scheme != "https" or not url.hostname:
        yield Level.FAIL, "PAC_WEBHOOK_URL is not https: its secret would travel unencrypted."
    elif not url.path.endswith(WEBHOOK_PATH):
        yield Level.WARN, f"PAC_WEBHOOK_URL does not end in {WEBHOOK_PATH}: is that proxied here?"
    else:
        yield Level.OK, f"{url.scheme}://{url.netloc}{url.path}"


def check_email() -> Found:
    if settings.EMAIL_BACKEND == SMTP:
        yield _answer_of_the_mail_server()
    elif settings.EMAIL_BACKEND == FILES:
        get_connection()  # makes the folder, and says what is wrong with it
        with tempfile.TemporaryFile(dir=settings.EMAIL_FILE_PATH) as probe:
            probe.write(PROBE)
        told = f"E-mails are written into {settings.EMAIL_FILE_PATH}; nobody gets them."
        yield Level.OK if settings.DEBUG else Level.WARN, f"{told} EMAIL_URL names a mail server."
    else:
        yield Level.WARN, "E-mails go nowhere. Set EMAIL_URL to a mail server."


def _answer_of_the_mail_server() -> tuple[Level, str]:
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    server = get_connection()
    try:
        server.open()
    except SMTPAuthenticationError as error:
        code = error.smtp_code
        return Level.FAIL, f"{where} refuses user or password ({code}): mend EMAIL_URL."
    except (SMTPException, OSError) as error:
        return Level.FAIL, f"{where}: {error}. Check EMAIL_URL, network, firewall."
    finally:
        server.close()
    return Level.OK, f"{where} opens a connection" + (
        " and accepts the user." if settings.EMAIL_HOST_USER else "."
    )


def check_files() -> Found:
    try:
        name = default_storage.save(f"doctor-{new_id()}", ContentFile(PROBE))
        try:
            with default_storage.open(name) as probe:
                whole = probe.read() == PROBE
        finally:
            default_storage.delete(name)
    except OSError as error:
        yield Level.FAIL, f"Cannot be written: {error}. Check MEDIA_ROOT and who owns it."
        return
    if whole:
        yield Level.OK, f"{settings.MEDIA_ROOT} takes a file and gives it back."
    else:
        yield Level.FAIL, f"{settings.MEDIA_ROOT} gives back something else than it took."
