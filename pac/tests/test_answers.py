from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.answers import (
    Affiliation,
    CatalogueEntry,
    CheckDigit,
    Company,
    DocumentAnswer,
    PacOffice,
    parse_list,
)
from pac.errors import Ambiguous, PacFault

CUFE = "FE0120000155700000-2-2021-5300012026030100000001230010124815162345"
DOCUMENT = {
    "id": "01J0AAAAAAAAAAAAAAAAAAAAAA",
    "status": "PROCESSED",
    "legalStatus": "PAC_AUTHORIZED",
    "cufe": CUFE,
    "documentIssueDate": "2026-03-01T10:15:00-05:00",
    "publicUrl": None,
    "qr": "https://dgi-fep.mef.gob.pa/consultas",
    "xml": None,
    "pdf": None,
    "authorizationProtocol": None,
    "governmentResponse": [],
    "tomorrow": {"unknown": True},
}


@pytest.mark.parametrize("body", [{"message": "ok", "document": DOCUMENT}, DOCUMENT])
def test_a_document_is_read_with_and_without_its_wrapper(body):
    answer = DocumentAnswer.parse(body)
    assert (answer.id, answer.legal_status, answer.cufe) == (
        "01J0AAAAAAAAAAAAAAAAAAAAAA",
        "PAC_AUTHORIZED",
        CUFE,
    )
    assert answer.issued_at == datetime(2026, 3, 1, 15, 15, tzinfo=UTC)
    assert (answer.pdf, answer.faults) == (None, ())
    assert answer.raw is body


def test_a_document_is_read_wherever_its_details_are():
    answer = DocumentAnswer.parse(
        {
            "id": "01J0",
            "information": {
                "numeration": "0000000123",
                "billingPoint": "001",
                "issueDate": "2026-03-01T10:15:00",
            },
            "receiver": {"name": "Cliente", "ruc": {"type": 2, "ruc": "155711111-2-2022"}},
            "totals": {"total": Decimal("223.30")},
        }
    )
    assert (answer.numeration, answer.billing_point) == ("0000000123", "001")
    assert (answer.receiver_name, answer.receiver_ruc) == ("Cliente", "155711111-2-2022")
    assert answer.total == Decimal("223.30")
    assert answer.issued_at == datetime(2026, 3, 1, 15, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "legal_status"),
    [
        ("PAC_AUTHORIZED", "PAC_AUTHORIZED"),
        ("DGI_AUTHORIZED", "DGI_AUTHORIZED"),
        ("PAC_REJECTED", "PAC_REJECTED"),
        ("DGI_REJECTED", "DGI_REJECTED"),
        ("REGISTERED", None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_only_a_decision_is_a_legal_status(told, legal_status, caplog):
    assert DocumentAnswer.parse({"id": "1", "legalStatus": told}).legal_status == legal_status
    assert caplog.text == ""


def test_an_unknown_legal_status_is_pending_and_logged(caplog):
    assert DocumentAnswer.parse({"id": "1", "legalStatus": "IN_THE_MOON"}).legal_status is None
    assert "IN_THE_MOON" in caplog.text


def test_a_rejection_inside_a_2xx_is_read_without_an_id():
    answer = DocumentAnswer.parse(
        {
            "document": {
                "legalStatus": "PAC_REJECTED",
                "governmentResponse": [{"code": "2001", "message": "RUC inválido"}],
            }
        }
    )
    assert (answer.id, answer.legal_status) == ("", "PAC_REJECTED")
    assert answer.faults == (PacFault("2001", "RUC inválido"),)


def test_a_greeting_is_not_a_fault():
    assert DocumentAnswer.parse({"id": "1", "message": "Documento emitido"}).faults == ()


COMPANY = {
    "id": "01HX",
    "name": "Comercial Ejemplo, S.A.",
    "ruc": "155700000-2-2021",
    "typeRuc": {"code": 2},
    "type": "associated",
    "affiliated": "REQUESTED",
    "isActive": True,
    "qr": "https://qr",
}


@pytest.mark.parametrize("body", [COMPANY, {"company": COMPANY}])
def test_a_company_is_read_with_and_without_its_wrapper(body):
    company = Company.parse(body)
    assert (company.id, company.ruc, company.ruc_type) == ("01HX", "155700000-2-2021", "JURIDICO")
    assert (company.affiliated, company.is_active, company.type) == (
        "REQUESTED",
        True,
        "associated",
    )


@pytest.mark.parametrize(
    ("told", "ruc_type"),
    [({"code": 1}, "NATURAL"), (2, "JURIDICO"), ("2", "JURIDICO"), ("NATURAL", "NATURAL")],
)
def test_the_ruc_type_is_a_word(told, ruc_type):
    assert Company.parse({"id": "1", "typeRuc": told}).ruc_type == ruc_type


@pytest.mark.parametrize(
    ("body", "status", "qr"),
    [
        ({"qr": "https://qr"}, None, "https://qr"),
        (COMPANY, "REQUESTED", "https://qr"),
        ({"affiliated": "SUBSCRIBED"}, "SUBSCRIBED", None),
        ({"company": {"affiliated": "NOT_REQUESTED"}}, "NOT_REQUESTED", None),
        ({"affiliated": True}, "SUBSCRIBED", None),
        ("SUBSCRIBED", "SUBSCRIBED", None),
        ({}, None, None),
    ],
)
def test_an_affiliation_is_a_company_a_qr_or_a_word(body, status, qr):
    affiliation = Affiliation.parse(body)
    assert (affiliation.status, affiliation.qr) == (status, qr)


@pytest.mark.parametrize(
    ("told", "receiver"),
    [
        ("CONTRIBUYENTE", "CONTRIBUYENTE"),
        ("GOBIERNO", "GOBIERNO"),
        ("gobierno", "GOBIERNO"),
        ("OTRO", "CONSUMIDOR_FINAL"),
        (None, None),
    ],
)
def test_an_unknown_receiver_is_a_final_consumer(told, receiver):
    answer = CheckDigit.parse({"checkDigit": 1, "receiver": told, "type": "JURIDICO"})
    assert (answer.check_digit, answer.receiver, answer.type) == ("01", receiver, "JURIDICO")


@pytest.mark.parametrize(
    "body", [{"code": "8-8-7", "name": "Bella Vista"}, {"value": "8-8-7", "label": "Bella Vista"}]
)
def test_a_catalogue_has_codes_and_names(body):
    assert parse_list(CatalogueEntry.parse)({"data": [body]}) == [
        CatalogueEntry("8-8-7", "Bella Vista")
    ]


@pytest.mark.parametrize("body", [[{"id": "1", "code": "0001"}], {"offices": [{"id": "1"}]}])
def test_a_list_is_bare_or_under_a_key(body):
    assert [office.id for office in parse_list(PacOffice.parse)(body)] == ["1"]


@pytest.mark.parametrize("body", [{}, {"a": [], "b": []}, None, "x", [{"id": "1"}, {}], [None]])
def test_a_list_that_is_not_understood_to_the_last_entry_is_ambiguous(body):
    with pytest.raises(Ambiguous):
        parse_list(PacOffice.parse)(body)


PARSERS = [DocumentAnswer, Company, Affiliation, PacOffice, CheckDigit, CatalogueEntry]


@pytest.mark.parametrize("answer", PARSERS)
@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_a_body_that_is_no_object_is_ambiguous(answer, body):
    with pytest.raises(Ambiguous):
        answer.parse(body)


@pytest.mark.parametrize("answer", [DocumentAnswer, Company, PacOffice, CheckDigit, CatalogueEntry])
@pytest.mark.parametrize("body", [{}, {"id": None, "code": []}, {"document": {}}, {"id": " "}])
def test_a_body_without_what_identifies_it_is_ambiguous(answer, body):
    with pytest.raises(Ambiguous):
        answer.parse(body)


KEYS = st.sampled_from(
    [
        *("id", "document", "company", "legalStatus", "cufe", "documentIssueDate", "information"),
        *("receiver", "ruc", "totals", "total", "typeRuc", "affiliated", "isActive", "errors"),
        *("governmentResponse", "checkDigit", "type", "code", "name", "value"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=25,
)


@pytest.mark.parametrize("answer", PARSERS)
@given(body=JSON)
def test_any_body_is_understood_or_ambiguous(answer, body):
    with suppress(Ambiguous):
        answer.parse(body)
