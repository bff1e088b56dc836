import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from pytest_django import Settings as SettingsWrapper

from invoicing.emails import CUFE_LOOKUP_URL, compose
from invoicing.models import Status
from invoicing.tests.pdf.samples import CUFE, document, line, tenant
from pac.dgi.codes import Environment

QR_URL = "https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE=FE01&iAmb=1"
AUTHORIZED = {
    "generation_mode": "DGI",
    "invoice_number": CUFE,
    "authorization_protocol": "155596713-2-2015-20261122",
    "qr_code_url": QR_URL,
}


def composed(message: str = "", **changes: Any) -> EmailMultiAlternatives:
    return compose(
        document([line()], **changes),
        to=["pagos@istmo.test", "ana@istmo.test"],
        message=message,
        message_id="<1.authorized@cifras.test>",
        attachments=[("factura.pdf", b"%PDF-1.7", "application/pdf")],
    )


def sent(message: EmailMultiAlternatives) -> EmailMessage:
    """The message as a mail program reads it."""
    raw = message.message().as_bytes()
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def texts(message: EmailMultiAlternatives) -> tuple[str, str]:
    [html] = [alternative[0] for alternative in message.alternatives]
    return message.body, str(html)


def test_an_authorised_document_brings_all_that_is_needed_to_check_it() -> None:
    message = composed(**AUTHORIZED)
    text, html = texts(message)
    for content in (text, html):
        for fact in (
            "0000000118",
            "Distribuidora del Istmo, S.A.",
            "22/11/2026 10:15",
            "22/12/2026",
            "B/. 1,551.50",
            CUFE,
            "155596713-2-2015-20261122",
            CUFE_LOOKUP_URL,
        ):
            assert fact in content
        assert "SIN VALOR FISCAL" not in content
    assert QR_URL in text
    assert QR_URL.replace("&", "&amp;") in html
    assert message.subject.startswith("Factura 0000000118 de Canal Digital")


def test_a_proforma_says_that_it_has_no_fiscal_value_and_offers_nothing_to_look_up() -> None:
    message = composed()
    for content in texts(message):
        assert "PROFORMA - SIN VALOR FISCAL" in content
        assert "CUFE" not in content
        assert "dgi-fep" not in content
    assert message.subject == "Proforma 0000000118 de Canal Digital"


@pytest.mark.parametrize(
    ("environment", "said"), [(Environment.TEST, True), (Environment.PRODUCTION, False)]
)
def test_a_document_of_the_test_environment_says_so(environment: Environment, said: bool) -> None:
    message = composed(**AUTHORIZED, tenant=tenant(pac_environment=environment))
    for content in texts(message):
        assert ("sin valor comercial ni fiscal" in content) is said
    assert ("(prueba)" in message.subject) is said


def test_a_void_document_says_so() -> None:
    assert all(
        "ANULADO" in content for content in texts(composed(**AUTHORIZED, status=Status.VOID))
    )
    assert not any("ANULADO" in content for content in texts(composed(**AUTHORIZED)))


def test_the_senders_words_are_shown_as_written_and_keep_their_lines() -> None:
    text, html = texts(composed("Buenos días:\n<b>Gracias</b> & <script>saludos</script>\n"))
    assert "Buenos días:\n<b>Gracias</b> & <script>saludos</script>\n" in text
    assert "Buenos días:<br>&lt;b&gt;Gracias&lt;/b&gt; &amp; &lt;script&gt;" in html


def test_names_are_escaped_in_html_and_only_there() -> None:
    message = composed(tenant=tenant(trade_name="Pérez & <Hijos>"), receiver_name="<i>Ana</i>")
    text, html = texts(message)
    assert message.subject == "Proforma 0000000118 de Pérez & <Hijos>"
    assert "Pérez & <Hijos>" in text
    assert "<i>Ana</i>" in text
    assert "Pérez &amp; &lt;Hijos&gt;" in html
    assert "<i>" not in html


def test_it_comes_in_the_tenants_name_from_our_address_and_is_answered_to_the_tenant(
    settings: SettingsWrapper,
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Cifras <facturas@cifras.test>"
    headers = sent(composed())
    [sender] = headers["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Canal Digital", "facturas@cifras.test")
    assert headers["Reply-To"] == "facturas@canal.test"
    assert headers["To"] == "pagos@istmo.test, ana@istmo.test"
    assert headers["Message-ID"] == "<1.authorized@cifras.test>"
    assert headers["Auto-Submitted"] == "auto-generated"


def test_an_address_without_a_name_serves_as_sender_too(settings: SettingsWrapper) -> None:
    settings.DEFAULT_FROM_EMAIL = "facturas@cifras.test"
    [sender] = sent(composed())["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Canal Digital", "facturas@cifras.test")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('Ñandú "Uno", S.A.', 'Ñandú "Uno", S.A.'),
        ("Evil <a@evil.test>, Bcc", "Evil <a@evil.test>, Bcc"),
        ("Uno\r\nBcc: a@evil.test", "Uno Bcc: a@evil.test"),
        ("Uno\n\nDos\u2028Tres\x00\x1b", "Uno Dos Tres"),
        (("Compañía Ñandú " * 13).strip(), ("Compañía Ñandú " * 13).strip()),
        (("Company and Sons " * 11).strip(), ("Company and Sons " * 11).strip()),
    ],
    ids=["quotes", "address", "newline", "control", "long accents", "long"],
)
def test_no_name_breaks_or_adds_a_header(name: str, shown: str, settings: SettingsWrapper) -> None:
    settings.DEFAULT_FROM_EMAIL = "Cifras <facturas@cifras.test>"
    headers = sent(composed(tenant=tenant(name=name, trade_name="")))
    [sender] = headers["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (shown, "facturas@cifras.test")
    assert headers["Subject"].strip() == f"Proforma 0000000118 de {shown}"
    assert headers["Bcc"] is None


def test_the_attachments_are_there_byte_for_byte() -> None:
    [attachment] = sent(composed()).iter_attachments()
    assert attachment.get_filename() == "factura.pdf"
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == b"%PDF-1.7"


def test_it_is_spanish_whatever_language_is_active() -> None:
    with translation.override("en"):
        message = composed(**AUTHORIZED, document_type="02")
    assert message.subject.startswith("Nota de crédito 0000000118")
    assert "22/11/2026 10:15" in message.body
