"""The rules of an import: the CUFE speaks, and what is told beside it must agree."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import body
from invoicing.api.imports import ImportReader
from invoicing.fiscal import imports
from invoicing.fiscal.draft import Fault
from invoicing.fiscal.imports import ImportDraft, Issuer
from invoicing.tests.elsewhere import a_cufe, link_of, told, told_with_lines
from pac.dgi import cufe, qr
from pac.dgi.codes import Environment
from pac.dgi.ruc import RucType
from pac.tests.dgi.vectors import load

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
ALICE = Issuer("155596713-2-2015", RucType.JURIDICO, "59", Environment.TEST)


def judged(shown: dict[str, Any], issuer: Issuer = ALICE) -> tuple[ImportDraft, list[Fault], Any]:
    wanted, faults = ImportReader().read(shown)
    found, reckoning = imports.check(wanted, issuer, now=NOW)
    return wanted, [*faults, *found], reckoning


def faults_of(shown: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((fault.path, fault.code) for fault in judged(shown)[1])


@pytest.mark.parametrize("vector", load("cufe")["cufe"], ids=lambda vector: vector["dRuc"])
def test_a_published_cufe_tells_series_number_and_date(vector: dict[str, str]) -> None:
    issuer = Issuer(
        vector["dRuc"],
        RucType.NATURAL if vector["dTipoRuc"] == "1" else RucType.JURIDICO,
        vector["dDV"],
        Environment(int(vector["iAmb"])),
    )
    shown = told(cufe=vector["cufe"], qr_code_url=link_of(vector["cufe"]))
    wanted, faults, reckoning = judged(shown, issuer)
    is_note = vector["iDoc"] == "06"
    assert [fault.code for fault in faults] == (["not_an_invoice"] if is_note else [])
    draft, parsed = wanted.draft, wanted.parsed
    assert parsed
    assert (draft.office, draft.billing_point, parsed.number, draft.dgi_document_type) == (
        vector["dSucEm"],
        vector["dPtoFacDF"],
        vector["dNroDF"],
        vector["iDoc"],
    )
    assert draft.issued_at
    assert draft.issued_at.isoformat() == f"{vector['fecha']}T12:00:00-05:00"
    assert reckoning.totals.total == Decimal("203.30")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FE01", "66 characters"),
        ("XX" + a_cufe()[2:], "begins with FE"),
        (a_cufe()[:-1] + str((int(a_cufe()[-1]) + 1) % 10), "check digit"),
        (a_cufe().replace("-59", "259"), "hyphen"),
        (a_cufe().replace("20260301", "20260231"), "real AAAAMMDD"),
    ],
)
def test_what_is_no_cufe_is_told_why(text: str, said: str) -> None:
    _, faults, _ = judged(told(cufe=text))
    assert [(fault.path, fault.code) for fault in faults] == [("cufe", "cufe_malformed")]
    assert said in faults[0].message


@pytest.mark.parametrize(
    "other",
    [
        {"ruc": "155646463-2-2017"},
        {"dv": "58"},
        {"ruc_type": RucType.NATURAL},
    ],
    ids=str,
)
def test_a_cufe_of_another_issuer_is_refused(other: dict[str, Any]) -> None:
    assert faults_of(told(cufe=a_cufe(**other))) == [("cufe", "cufe_of_another_issuer")]


AGREEING = {
    "office": "0001",
    "billing_point": "001",
    "number": "0000018580",
    "dgi_document_type": "01",
    "issue_type": "01",
    "issued_at": "2026-03-01T23:59:59-05:00",
}
DISAGREEING = {
    "office": "0002",
    "billing_point": "1",
    "number": "18580",
    "dgi_document_type": "08",
    "issue_type": "03",
    "issued_at": "2026-03-02T00:00:00-05:00",
}


def test_what_is_told_beside_the_cufe_may_agree() -> None:
    wanted, faults, _ = judged(told(**AGREEING))
    assert faults == []
    assert wanted.draft.issued_at
    assert wanted.draft.issued_at.hour == 23  # the CUFE knows the day, and they the hour


@pytest.mark.parametrize("name", AGREEING)
def test_each_that_disagrees_with_the_cufe_is_a_fault(name: str) -> None:
    shown = told(**AGREEING | {name: DISAGREEING[name]})
    assert faults_of(shown) == [(name, "cufe_mismatch")]


def test_all_faults_are_told_at_once() -> None:
    shown = told(**DISAGREEING) | {"total": "-1.00", "qr_code_url": "https://example.test"}
    shown["receiver"] = {"type": "EXTRANJERO"}
    assert {path for path, _ in faults_of(shown)} == {
        *DISAGREEING,
        "total",
        "qr_code_url",
        "receiver.foreign_id",
    }


def test_a_cufe_from_the_future_is_refused() -> None:
    assert faults_of(told(cufe=a_cufe(issued_on=date(2026, 12, 24)))) == [
        ("cufe", "issued_too_far_ahead")
    ]


def test_the_link_of_another_cufe_is_refused() -> None:
    assert faults_of(told(qr_code_url=link_of(a_cufe(2)))) == [("qr_code_url", "cufe_mismatch")]
    assert faults_of(told(qr_code_url="https://dgi.example/?chFE=" + a_cufe())) == [
        ("qr_code_url", "qr_not_dgi")
    ]


@pytest.mark.parametrize("text", ["..", "a/b", "x" * 27, "01J 0"])
def test_an_id_that_could_name_another_path_is_refused(text: str) -> None:
    assert faults_of(told(document_id=text)) == [("document_id", "document_id_malformed")]


def test_lines_or_a_total_and_a_receiver_are_needed() -> None:
    assert faults_of({"cufe": a_cufe()}) == [("receiver", "required"), ("total", "required")]


def test_lines_and_total_agree() -> None:
    assert faults_of(told_with_lines(total="203.30")) == []
    assert faults_of(told_with_lines(total="203.31")) == [("total", "total_mismatch")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("freight", "1.00"),
        ("discounts", [{"description": "x", "amount": "1.00"}]),
        ("retention_code", "4"),
    ],
)
def test_what_follows_from_lines_is_not_told_without_them(name: str, value: Any) -> None:
    assert faults_of(told(**{name: value})) == [(name, "lines_required")]
    assert (name, "lines_required") not in faults_of(told_with_lines(**{name: value}))


def test_an_amount_withheld_may_be_told_without_lines() -> None:
    _, faults, reckoning = judged(told(retention_code="8", retention_amount="3.30"))
    assert faults == []
    assert (reckoning.retention, reckoning.due) == (Decimal("3.30"), Decimal("200.00"))


def test_what_only_the_dgi_had_to_be_told_is_not_asked_again() -> None:
    abroad = {"type": "EXTRANJERO", "country": "CO", "foreign_id": {"number": "9", "country": "CO"}}
    export = told(cufe=a_cufe(document_type="03"), receiver=abroad)
    assert faults_of(export) == []
    assert faults_of(told(cufe=a_cufe(issue_type="02"))) == []
    wrong = export | {
        "exportation": {
            "incoterm": "XXX",
            "currency": "USD",
            "exchange_rate": "1.00",
            "amount": "203.30",
        }
    }
    assert faults_of(wrong) == [("exportation.incoterm", "incoterm_unknown")]


def test_of_a_file_receiver_and_total_may_stay_unknown() -> None:
    wanted, faults = ImportReader().read({"cufe": a_cufe(), "qr_code_url": link_of(a_cufe())})
    wanted.from_file = True
    found, reckoning = imports.check(wanted, ALICE, now=NOW)
    assert [*faults, *found] == []
    assert reckoning
    assert reckoning.totals.total == 0
    assert wanted.draft.payment_methods is None
    assert [each["code"] for each in imports.warnings(wanted, ALICE)] == ["total_unknown"]


TEXTS = st.one_of(st.text(max_size=70), st.sampled_from([a_cufe(), a_cufe()[:-1], "", "FE"]))


@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["0.00", "-1.00", "5.00", "x", None]), st.booleans())
def test_whatever_is_told_has_faults_or_agrees(
    text: str, link: str, document_id: str, total: str | None, from_file: bool
) -> None:
    shown = {
        "cufe": text,
        "qr_code_url": link,
        "document_id": document_id,
        "total": total,
        "receiver": body()["receiver"],
    }
    wanted, faults = ImportReader().read(shown)
    wanted.from_file = from_file
    found, reckoning = imports.check(wanted, ALICE, now=NOW)
    if faults or found:
        return
    assert reckoning is not None
    assert str(cufe.parse(wanted.cufe)) == wanted.cufe
    assert wanted.qr_code_url == "" or qr.cufe_in(wanted.qr_code_url) == wanted.cufe
