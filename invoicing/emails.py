"""The e-mail that carries a document to its receiver, in Spanish."""

from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from invoicing.models import Document, Status
from invoicing.pdf import formats
from pac.dgi.codes import Environment

CUFE_LOOKUP_URL = "https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE"


def compose(
    document: Document,
    *,
    to: list[str],
    message: str,
    message_id: str,
    attachments: list[tuple[str, bytes, str]],
) -> EmailMultiAlternatives:
    """The message, not yet sent: text and HTML, from the tenant's name at our own address.

    `message` is the sender's own words, plain text. `attachments` are (name, content, media type).
    Answers go to the tenant. No name or text from outside can add a header.
    """
    with translation.override("es"):
        subject, text, html = _rendered(document, message, has_attachments=bool(attachments))
    tenant = document.tenant
    email = EmailMultiAlternatives(
        subject=_header_text(subject),
        body=text,
        from_email=_sender(tenant.trade_name or tenant.name),
        to=to,
        reply_to=[tenant.email] if tenant.email else None,
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    email.attach_alternative(html, "text/html")
    for attachment in attachments:
        email.attach(*attachment)
    return email


def _rendered(document: Document, message: str, *, has_attachments: bool) -> tuple[str, str, str]:
    """Subject, text and HTML, in the language that is active."""
    tenant = document.tenant
    context = {
        "document": document,
        "tenant": tenant,
        "kind": "Proforma" if document.is_proforma else document.get_document_type_display(),
        "is_proforma": document.is_proforma,
        "is_test": not document.is_proforma and tenant.environment == Environment.TEST,
        "is_void": document.status == Status.VOID,
        "message": message.strip(),
        "issued_at": formats.moment(document.issued_at),
        "due_date": formats.day(document.due_date) if document.due_date else "",
        "total": formats.money(document.total),
        "has_attachments": has_attachments,
        "cufe_lookup_url": CUFE_LOOKUP_URL,
    }
    subject, text, html = (
        render_to_string(f"email/{template}", context)
        for template in ("document_subject.txt", "document.txt", "document.html")
    )
    return subject, text, html


def _sender(name: str) -> str:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return formataddr((_header_text(name), address))


def _header_text(text: str) -> str:
    """The text on one line, without control characters."""
    return "".join(filter(str.isprintable, " ".join(text.split())))
