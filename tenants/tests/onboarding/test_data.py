"""What is refused before anything is stored or sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tenants.models import NumberSeries, Office, Tenant
from tenants.services.onboarding import Certificate, Certificates, raise_series
from tenants.tests.onboarding.material import (
    COMPANY,
    GOOD_CERTIFICATES,
    OFFICE,
    PASSWORD,
    RUC,
    make_certificates,
    make_p12,
    only_tenant,
    run,
)

pytestmark = pytest.mark.django_db(transaction=True)

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def refused(**changes: Any) -> dict[str, list[str]]:
    """The faults, by field, of an onboarding that must not leave a trace."""
    with pytest.raises(ValidationError) as caught:
        run(**changes)
    assert not Tenant.objects.exists()
    assert not Office.unscoped.exists()
    assert not NumberSeries.unscoped.exists()
    return caught.value.message_dict


def test_all_faults_are_told_at_once_and_nothing_is_stored(box):
    faults = refused(
        company=replace(COMPANY, dv="54", email="no-at-sign", name=" "),
        office=replace(OFFICE, coordinates="9 N", location="08-08-11", telephone="2", code="1"),
        certificates=make_certificates(valid_to=YESTERDAY),
        first_number=0,
        pac_company_id="no such id",
    )
    assert set(faults) == {
        "dv", "email", "name", "coordinates", "location", "telephone", "office_code",
        "signature_certificate", "first_number", "pac_company_id",
    }  # fmt: skip
    assert not box.routes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ruc", "155700000"),
        ("ruc", "PE-842-3681"),
        ("dv", "5"),
        ("name", "x" * 101),
        ("name", "Ejemplo\x00"),
        ("trade_name", "x" * 101),
        ("email", f"{'x' * 40}@ejemplo.test"),
        ("logo_url", "logo.png"),
        ("logo_url", "ftp://ejemplo.test/logo.png"),
        ("company_type", "branch"),
    ],
)
def test_a_company_is_checked(field, value):
    assert set(refused(company=replace(COMPANY, **{field: value}))) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("coordinates", "+91,-79"),
        ("coordinates", f"+9.{'0' * 40},-79.5"),
        ("address", ""),
        ("address", "x" * 101),
        ("telephone", "12345-12345678"),
        ("location", "8-8"),
        ("email", f"{'x' * 40}@ejemplo.test"),
    ],
)
def test_an_office_is_checked(field, value):
    assert set(refused(office=replace(OFFICE, **{field: value}))) == {field}


@pytest.mark.parametrize("number", [0, -1, 10_000_000_000])
def test_the_first_number_has_at_most_ten_digits(number):
    assert set(refused(first_number=number)) == {"first_number"}


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (Certificate(make_p12(), "another"), "does not open with the password"),
        (Certificate(make_p12(), ""), "does not open with the password"),
        (Certificate(b"-----BEGIN CERTIFICATE-----", PASSWORD), "no PKCS#12"),
        (Certificate(b"", PASSWORD), "no PKCS#12"),
        (Certificate(b"0" * (1024 * 1024 + 1), PASSWORD), "larger than 1 MiB"),
        (Certificate(make_p12(with_key=False), PASSWORD), "no private key"),
        (Certificate(make_p12(valid_to=YESTERDAY), PASSWORD), "expired on"),
        (Certificate(make_p12(valid_from=TOMORROW, valid_to=TOMORROW), PASSWORD), "valid from"),
    ],
)
def test_a_certificate_is_opened_before_it_is_sent(certificate, words):
    faults = refused(certificates=Certificates(GOOD_CERTIFICATES.signature, certificate))
    assert set(faults) == {"authentication_certificate"}
    assert words in faults["authentication_certificate"][0]


def test_without_certificates_there_is_no_new_company():
    assert set(refused(certificates=None)) == {"signature_certificate"}


def test_without_an_office_there_is_no_new_tenant():
    assert set(refused(office=None)) == {"office_code"}


def test_a_certificate_does_not_show_its_secrets():
    shown = repr(GOOD_CERTIFICATES)
    assert PASSWORD not in shown
    assert "content" not in shown


def test_a_company_that_another_tenant_has_is_not_taken(box):
    taken = run().tenant.pac_company_id
    other = replace(COMPANY, ruc="155711111-2-2022", dv="")
    with pytest.raises(ValidationError, match="This is the company of Comercial Ejemplo"):
        run(company=other, pac_company_id=taken)
    with pytest.raises(ValidationError, match=f"The company is {taken} already"):
        run(pac_company_id="01HYYYYYYYYYYYYYYYYYYYYYYY")
    assert only_tenant().ruc == RUC


def last_numbers() -> set[int]:
    return set(NumberSeries.unscoped.values_list("last_number", flat=True))


def test_the_first_number_is_the_next_of_every_dgi_series(box):
    run(first_number=501)
    assert NumberSeries.unscoped.filter(kind="DGI", billing_point="001").count() == 10
    assert last_numbers() == {500}


def test_the_first_number_is_kept_when_the_run_that_gave_it_fails(box):
    box.options.affiliation_pending = True
    with pytest.raises(Exception, match="not accepted"):
        run(first_number=501)
    box.options.affiliation_pending = False
    run()
    assert last_numbers() == {500}


def test_the_series_of_a_ready_tenant_are_raised_alone_and_never_lowered(box):
    run(first_number=501)
    calls = box.routes
    run(certificates=None, office=None, first_number=1001)
    assert box.routes == calls
    assert last_numbers() == {1000}
    NumberSeries.unscoped.filter(dgi_document_type="01").update(last_number=1500)
    with pytest.raises(ValidationError, match=r"never lowered to 1201.*01 at 1500"):
        run(first_number=1201)
    assert last_numbers() == {1000, 1500}


def test_a_series_that_has_moved_on_meanwhile_is_not_lowered(box):
    office = run().office
    NumberSeries.unscoped.create(
        tenant=office.tenant,
        office=office,
        billing_point="001",
        dgi_document_type="01",
        last_number=7,
    )
    with pytest.raises(Exception, match="01 at 7"):
        raise_series(office=office, billing_point="001", first_number=7)
    assert last_numbers() == {7}
    raise_series(office=office, billing_point="001", first_number=8)
    assert last_numbers() == {7}
