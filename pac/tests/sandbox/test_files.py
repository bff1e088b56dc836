"""Signed links, and the files behind them."""

import io
from xml.etree import ElementTree as ET

import pytest
import requests
from pypdf import PdfReader

from pac.sandbox.printed import TEST_NOTICE, TITLE
from pac.tests.sandbox.caller import put


def fetch(url, **headers):
    return requests.get(url, headers=headers, timeout=5)


@pytest.fixture
def document(alice):
    return alice.issued(alice.invoice(123))


def text_of(content):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_the_pdf_exists_from_the_pacs_authorization_on(alice, document):
    link = alice.read(document["id"], documents="pdf")["pdf"]
    assert link.startswith(f"{alice.box.url}/files/")
    answer = fetch(link)
    assert answer.headers["Content-Type"] == "application/pdf"
    text = text_of(answer.content)
    for words in (TITLE, TEST_NOTICE, document["cufe"], "0000000123", "Cliente Prueba", "223.30"):
        assert words in text


def test_the_xml_is_linked_where_it_is_asked_for(alice, document):
    assert alice.read(document["id"])["xml"] is None
    both = alice.read(document["id"], documents="xml,pdf")
    assert both["pdf"]
    root = ET.fromstring(fetch(both["xml"]).content)  # noqa: S314 (our own XML)
    assert root.tag.endswith("rFE")
    assert root.findtext("{*}dId") == document["cufe"]


def test_the_pdf_may_be_withheld(alice, box, document):
    box.options.withhold_pdf = True
    assert alice.read(document["id"], documents="pdf")["pdf"] is None


def test_a_document_that_the_pac_rejected_has_no_files(alice):
    alice.issue(put(alice.invoice(5), "items.0.description", "REJECT-PAC"))
    [listed] = alice.about("GET", "invoices", numeration="0000000005").json()["documents"]
    assert alice.read(listed["id"], documents="xml,pdf")["pdf"] is None


def test_a_link_dies_after_five_minutes(alice, clock, document):
    link = alice.read(document["id"])["pdf"]
    clock.advance(seconds=299)
    assert fetch(link).status_code == 200
    clock.advance(seconds=1)
    assert fetch(link).status_code == 403


@pytest.mark.parametrize(
    ("old", "new"), [("token=", "token=0"), ("expires=1", "expires=9"), (".pdf", ".xml")]
)
def test_a_link_cannot_be_made(alice, document, old, new):
    link = alice.read(document["id"])["pdf"]
    assert fetch(link.replace(old, new)).status_code == 403
    assert fetch(link.partition("?")[0]).status_code == 403


def test_a_client_that_sends_its_token_along_is_refused(alice, document):
    link = alice.read(document["id"])["pdf"]
    assert fetch(link, Authorization="Bearer t0ken").status_code == 400


def test_texts_are_printed_as_they_are_on_as_many_pages_as_they_need(alice):
    words = "<b>Ñandú & Cía</b> \u2603 " * 15
    line = {"description": words, "quantity": 1.5, "prices": {"transfer": 0}}
    items = [line | {"number": f"{n:04}", "itbms": {"rate": "00"}} for n in range(1, 61)]
    totals = {"paymentTime": 1, "paymentMethods": [{"type": "02", "amount": 0}]}
    issued = alice.issued(alice.invoice(9) | {"items": items, "totals": totals})
    content = fetch(alice.read(issued["id"])["pdf"]).content
    assert len(PdfReader(io.BytesIO(content)).pages) > 2
    assert "<b>Ñandú & Cía</b> ?" in text_of(content)
