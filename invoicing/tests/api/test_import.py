"""POST /invoices/import: an invoice issued elsewhere, told as JSON or shown as a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image
from pytest_django import Settings as SettingsWrapper
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import Customer, Document, File
from invoicing.services import qr_file
from invoicing.tests.api import errors, post_raw, stored
from invoicing.tests.elsewhere import (
    URL,
    a_cufe,
    issued_elsewhere,
    link_of,
    pdf_of,
    pdf_that_never_ends,
    qr_picture,
    told,
    told_with_lines,
)
from pac.sandbox import Sandbox
from pac.tests.dgi.vectors import load
from tenants.models import Office, Tenant

pytestmark = pytest.mark.django_db(transaction=True)

OF_ALICE = [each for each in load("cufe")["cufe"] if each["dRuc"] == "155596713-2-2015"]


def upload(api: APIClient, content: bytes, name: str = "factura.pdf", **fields: Any) -> Any:
    file = io.BytesIO(content)
    file.name = name
    headers = {key: fields.pop(key) for key in list(fields) if key.startswith("HTTP_")}
    return api.post(URL, {"file": file} | fields, format="multipart", **headers)


# --- told as JSON -------------------------------------------------------------------------------


def test_the_route_has_a_name() -> None:
    assert reverse("invoice-import") == URL


def test_an_import_answers_with_the_document(api: APIClient) -> None:
    response = api.post(URL, told(external_id="A-1", metadata={"from": "old system"}))
    assert response.status_code == 201, response.data
    shown = response.data
    assert shown == api.get(f"/api/v1/invoices/{shown['id']}").data
    assert (shown["generation_mode"], shown["number"]) == ("DGI_IMPORT", "0000018580")
    assert shown["cufe"] == shown["invoice_number"] == a_cufe()
    assert (shown["legal_status"], shown["document_id"]) == (None, None)
    assert shown["submission"]["state"] == "NONE"
    assert shown["issued_at"] == "2026-03-01T12:00:00-05:00"
    assert shown["totals"]["total"] == shown["totals"]["balance"] == "203.30"
    assert shown["is_fiscally_valid"] is False


@pytest.mark.parametrize("vector", OF_ALICE, ids=lambda vector: vector["dNroDF"])
def test_a_published_invoice_is_imported(
    vector: dict[str, str], api: APIClient, alice: Tenant
) -> None:
    Office.unscoped.create(tenant=alice, code="0000")
    shown = api.post(URL, told(cufe=vector["cufe"])).data
    assert (shown["office"], shown["number"], shown["billing_point"], shown["issued_at"][:10]) == (
        vector["dSucEm"],
        vector["dNroDF"],
        vector["dPtoFacDF"],
        vector["fecha"],
    )


def test_an_unknown_branch_is_a_fault(api: APIClient) -> None:
    response = api.post(URL, told(cufe=a_cufe(branch="0007")))
    assert errors(response) == [("cufe", "office_unknown")]


def test_lines_are_kept_with_what_they_come_to(api: APIClient) -> None:
    shown = api.post(URL, told_with_lines()).data
    assert [line["total"] for line in shown["lines"]] == ["203.30"]
    assert shown["totals"]["itbms"] == "13.30"


def test_a_customer_may_stand_for_the_receiver(api: APIClient, alice: Tenant) -> None:
    customer = Customer(
        tenant=alice,
        type="CONTRIBUYENTE",
        ruc="155646463-2-2017",
        ruc_type="JURIDICO",
        dv="86",
        name="Cliente Prueba, S.A.",
        country="PA",
        withholds=True,
        retention_code="4",
    )
    customer.save()
    shown = told(customer=str(customer.pk))
    del shown["receiver"]
    response = api.post(URL, shown)
    assert response.status_code == 201, response.data
    assert response.data["receiver"]["name"] == "Cliente Prueba, S.A."
    # A bare total has no ITBMS of which the customer could withhold a part.
    assert response.data["retention_code"] is None


def test_every_fault_is_told_and_nothing_is_written(api: APIClient) -> None:
    before = stored()
    response = api.post(URL, {"cufe": "FE01", "total": 5, "oficina": "1", "receiver": {}})
    assert response.status_code == 400
    assert set(errors(response)) == {
        ("cufe", "cufe_malformed"),
        ("total", "not_a_string"),
        ("oficina", "unknown_field"),
        ("receiver", "required"),
    }
    assert stored() == before


@pytest.mark.parametrize("mode", ["DGI", "PROFORM"])
def test_nothing_else_is_issued_here(mode: str, api: APIClient) -> None:
    assert errors(api.post(URL, told(generation_mode=mode)))[0][0] == "generation_mode"
    assert errors(api.post("/api/v1/invoices", body(generation_mode="DGI_IMPORT")))[0][0] == (
        "generation_mode"
    )


def test_a_taken_cufe_is_a_conflict(api: APIClient) -> None:
    first = api.post(URL, told()).data
    again = api.post(URL, told())
    assert again.status_code == 409
    assert errors(again) == [(None, "cufe_taken")]
    assert first["id"] in again.data["errors"][0]["detail"]


def test_the_same_request_with_a_key_is_answered_again(api: APIClient) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "import-1"}
    first = api.post(URL, told(), **key)
    again = api.post(URL, told(), **key)
    assert (again.status_code, again.data["id"]) == (201, first.data["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    other = api.post(URL, told(2), **key)
    assert errors(other) == [(None, "idempotency_conflict")]


def test_an_import_is_immutable_and_may_be_deleted(api: APIClient) -> None:
    pk = api.post(URL, told()).data["id"]
    one = f"/api/v1/invoices/{pk}"
    assert errors(api.patch(one, {"notes": "x"})) == [(None, "immutable")]
    assert api.post(f"{one}/submit").status_code == 409
    assert api.post(f"{one}/retry").status_code == 409
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404


def test_the_named_id_is_shown_and_refreshed(api: APIClient, alice: Tenant, box: Sandbox) -> None:
    answer = issued_elsewhere(alice)
    box.settle()
    shown = api.post(URL, told() | {"cufe": answer.cufe, "document_id": answer.id}).data
    assert (shown["document_id"], shown["legal_status"]) == (answer.id, None)
    refreshed = api.post(f"/api/v1/invoices/{shown['id']}/refresh")
    assert refreshed.status_code == 200
    assert refreshed.data["legal_status"] == "DGI_AUTHORIZED"
    assert api.delete(f"/api/v1/invoices/{shown['id']}").status_code == 204


def test_a_stranger_neither_sees_it_nor_imports_for_us(
    api: APIClient, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    stranger = client_of(bob)
    assert errors(stranger.post(URL, told())) == [("cufe", "cufe_of_another_issuer")]
    pk = api.post(URL, told()).data["id"]
    assert stranger.get(f"/api/v1/invoices/{pk}").status_code == 404
    assert stranger.delete(f"/api/v1/invoices/{pk}").status_code == 404


def test_reading_is_not_enough(alice: Tenant, client_of: Callable[..., APIClient]) -> None:
    assert client_of(alice, "read").post(URL, told()).status_code == 403
    assert APIClient().post(URL, told()).status_code == 401


# --- shown as a file ----------------------------------------------------------------------------


def test_a_pdf_tells_what_its_qr_tells(api: APIClient) -> None:
    content = pdf_of(link_of(a_cufe()))
    response = upload(api, content)
    assert response.status_code == 201, response.data
    shown = response.data
    assert (shown["cufe"], shown["qr_code_url"]) == (a_cufe(), link_of(a_cufe()))
    assert (shown["receiver"]["type"], shown["totals"]["total"]) == ("", "0.00")
    assert [warning["code"] for warning in shown["warnings"]] == ["total_unknown"]
    assert [file["name"] for file in shown["files"]] == [f"{a_cufe()}.pdf"]
    pdf = api.get(f"/api/v1/invoices/{shown['id']}/pdf")
    assert b"".join(pdf.streaming_content) == content


def test_a_picture_is_read_and_not_kept(api: APIClient) -> None:
    shown = upload(api, qr_picture(link_of(a_cufe())), "foto.png").data
    assert (shown["cufe"], shown["files"]) == (a_cufe(), [])


def test_a_form_may_tell_more(api: APIClient) -> None:
    content = pdf_of(link_of(a_cufe()))
    shown = upload(api, content, total="203.30", external_id="A-1", due_date="2099-12-22").data
    assert (shown["totals"]["balance"], shown["external_id"]) == ("203.30", "A-1")
    assert (shown["status"], shown["warnings"]) == ("UNPAID", [])


def test_what_a_form_tells_agrees_with_the_qr(api: APIClient) -> None:
    content = pdf_of(link_of(a_cufe()))
    response = upload(api, content, cufe=a_cufe(2), number="2", oficina="x", receiver="y")
    assert set(errors(response)) == {
        ("cufe", "cufe_mismatch"),
        ("number", "cufe_mismatch"),
        ("qr_code_url", "cufe_mismatch"),
        ("oficina", "unknown_field"),
        ("receiver", "invalid"),
    }
    twice = upload(api, content, total=["1.00", "2.00"])
    assert errors(twice) == [("total", "given_twice")]
    assert not File.unscoped.exists()


def test_an_invoice_of_somebody_else_is_refused(api: APIClient) -> None:
    response = upload(api, pdf_of(link_of(a_cufe(ruc="155646463-2-2017", dv="86"))))
    assert errors(response) == [("cufe", "cufe_of_another_issuer")]


def test_a_link_to_a_broken_cufe_is_told_so(api: APIClient) -> None:
    assert errors(upload(api, qr_picture(link_of("FE01")))) == [
        ("cufe", "cufe_malformed"),
    ]


def a_bomb() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pdf_of(), "no_qr"),
        (pdf_of("https://yappy.example/pay"), "qr_not_dgi"),
        (qr_picture(a_cufe()), "qr_not_dgi"),
        (pdf_of(link_of(a_cufe()), link_of(a_cufe(2)), side=150), "several_invoices"),
        (b"%PDF-1.7 and no more", "unreadable_file"),
        (qr_picture(link_of(a_cufe()))[:400], "unreadable_file"),
        (b"", "unsupported_file_type"),
        (b"hello", "unsupported_file_type"),
        (pdf_of(link_of(a_cufe()), empty_pages=20), "file_too_large"),
        (a_bomb(), "file_too_large"),
    ],
    ids=range(10),
)
def test_a_file_that_cannot_be_used_is_told_why(content: bytes, code: str, api: APIClient) -> None:
    before = stored()
    response = upload(api, content)
    assert response.status_code == 400
    assert errors(response) == [("file", code)]
    assert stored() == before


def test_a_file_over_ten_mebibytes_is_refused_unread(api: APIClient) -> None:
    assert upload(api, b"%PDF-" + b"\0" * 10 * 1024 * 1024).status_code == 413


def test_a_file_that_hangs_its_reader_is_given_up(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qr_file, "SECONDS", 0.001)
    assert errors(upload(api, pdf_of(link_of(a_cufe())))) == [("file", "unreadable_file")]


def test_a_file_that_kills_its_reader_costs_nobody_else(
    api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert errors(upload(api, pdf_that_never_ends())) == [("file", "unreadable_file")]
    assert "broke its reader" in caplog.text
    assert upload(api, pdf_of(link_of(a_cufe()))).status_code == 201


def test_the_reader_sees_none_of_our_secrets(settings: SettingsWrapper) -> None:
    assert not {"SECRET_KEY", "DATABASE_URL", "PAC_API_KEY"} & qr_file._environment().keys()


def test_too_many_files_at_once_are_asked_to_wait(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qr_file, "PATIENCE", 0.01)
    taken = 0
    while qr_file._places.acquire(blocking=False):
        taken += 1
    try:
        busy = upload(api, pdf_of(link_of(a_cufe())))
    finally:
        qr_file._places.release(taken)
    assert busy.status_code == 503
    assert busy.headers["Retry-After"]
    assert upload(api, pdf_of(link_of(a_cufe()))).status_code == 201


def test_one_file_is_needed(api: APIClient) -> None:
    for form in ({"file": "text"}, {"total": "1.00"}, {}):
        assert errors(api.post(URL, form, format="multipart")) == [("file", "required")]
    two = {"file": [io.BytesIO(b"a"), io.BytesIO(b"b")]}
    assert errors(api.post(URL, two, format="multipart")) == [("file", "required")]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"hello", "multipart/form-data; boundary=\xff"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
            "multipart/form-data; boundary=x; charset=rot13",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 1500 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n1\r\n' * 150
            + b"--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=range(6),
)
def test_a_broken_form_is_a_bad_request(content: bytes, content_type: str, api: APIClient) -> None:
    response = post_raw(api, content, URL, content_type)
    assert response.status_code == 400
    assert errors(response)


def test_a_form_with_a_key_is_known_by_its_content(api: APIClient) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "scan-1"}
    first = upload(api, pdf_of(link_of(a_cufe()), invariant=1), "a.pdf", **key)
    again = upload(api, pdf_of(link_of(a_cufe()), invariant=1), "b.pdf", **key)
    assert first.data["id"] == again.data["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    other = upload(api, pdf_of(link_of(a_cufe(2)), invariant=1), "a.pdf", **key)
    assert errors(other) == [(None, "idempotency_conflict")]
    assert Document.unscoped.count() == 1
