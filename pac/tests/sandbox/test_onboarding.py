"""Companies, affiliation and offices."""

import base64
from copy import deepcopy
from typing import Any

import pytest

from pac.sandbox import Sandbox
from pac.tests.sandbox.caller import Caller, codes, messages, put

CERTIFICATE = {"extension": "p12", "password": "x", "content": base64.b64encode(b"k").decode()}
COMPANY: dict[str, Any] = {
    "name": "Comercial Ejemplo, S.A.",
    "tradeName": "Ejemplo",
    "ruc": "155700000-2-2021",
    "checkDigit": "53",
    "type": "associated",
    "typeRuc": {"code": 2},
    "emails": {"active": False, "replyTo": "facturas@ejemplo.test", "message": ""},
    "certificates": {"signature": CERTIFICATE, "authentication": CERTIFICATE},
    "logo": "https://cdn.ejemplo.test/logo.png",
}
OFFICE = {
    "code": "0001",
    "type": "main",
    "coordinates": "+9.0017832,-79.5275519",
    "address": "Calle 50",
    "telephone": "269-1234",
    "location": "8-8-11",
    "email": "sucursal@ejemplo.test",
}


@pytest.fixture
def newcomer(box: Sandbox):
    caller = Caller(box)
    yield caller
    caller.session.close()


def create(caller: Caller, **changes: Any):
    return caller.call("POST", "/pan/v1/companies", deepcopy(COMPANY) | changes)


def affiliate(caller: Caller, company_id: str, step: str):
    query = {"idCompany": company_id, "affiliationType": step}
    return caller.call("GET", "/pan/v1/company-affiliate", **query)


def test_a_company_goes_from_creation_to_its_first_document(newcomer):
    company = create(newcomer).json()
    assert company["affiliated"] == "NOT_REQUESTED"
    assert company["qr"] is None
    requested = affiliate(newcomer, company["id"], "3").json()
    assert requested["affiliated"] == "REQUESTED"
    assert requested["qr"].startswith("https://")
    assert affiliate(newcomer, company["id"], "1").json()["affiliated"] == "SUBSCRIBED"
    office = newcomer.call("POST", f"/pan/v1/companies/{company['id']}/offices", OFFICE).json()
    newcomer.ids = type(newcomer.ids)(company["id"], office["id"])
    assert newcomer.issued(newcomer.invoice())["legalStatus"] == "PAC_AUTHORIZED"


def test_the_answer_is_the_bare_company_without_its_certificates(newcomer):
    company = create(newcomer).json()
    assert {"id", "name", "ruc", "typeRuc", "type", "affiliated", "isActive", "qr"} <= set(company)
    assert "certificates" not in company
    assert len(company["id"]) == 26


def test_before_the_affiliation_no_document_may_be_issued(newcomer):
    company = create(newcomer).json()
    newcomer.ids = type(newcomer.ids)(company["id"], "01HYYYYYYYYYYYYYYYYYYYYYYY")
    assert codes(newcomer.issue(newcomer.invoice())) == ["AP1010"]


def test_the_affiliation_waits_for_the_taxpayer(newcomer, box):
    company_id = create(newcomer).json()["id"]
    assert codes(affiliate(newcomer, company_id, "1")) == ["AP1010"]
    affiliate(newcomer, company_id, "3")
    box.options.affiliation_pending = True
    assert codes(affiliate(newcomer, company_id, "1")) == ["AP1010"]
    box.options.affiliation_pending = False
    assert affiliate(newcomer, company_id, "1").json()["affiliated"] == "SUBSCRIBED"


def test_asking_for_the_qr_again_does_not_undo_an_affiliation(newcomer):
    company_id = create(newcomer).json()["id"]
    for step in ("3", "1", "3"):
        last = affiliate(newcomer, company_id, step).json()
    assert last["affiliated"] == "SUBSCRIBED"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"typeRuc": {"code": "2"}}, "instance.typeRuc.code is not of a type(s) integer"),
        ({"checkDigit": 53}, "instance.checkDigit is not of a type(s) string"),
        ({"checkDigit": "54"}, "instance.checkDigit is not the check digit of the RUC"),
        ({"ruc": "not-a-ruc"}, "Regla de formación del RUC invalida"),
        ({"type": "other"}, "instance.type is not one of enum values: associated,main"),
        (
            {"certificates": {"signature": CERTIFICATE}},
            'instance.certificates requires property "authentication"',
        ),
        (
            {"nickname": "x"},
            'instance additionalProperty "nickname" exists in instance when not allowed',
        ),
        ({"logo": None}, "instance.logo is not of a type(s) string"),
    ],
)
def test_a_company_is_checked(newcomer, changes, message):
    assert messages(create(newcomer, **changes)) == [message]


def test_a_certificate_has_to_be_base64(newcomer):
    certificates = {"signature": CERTIFICATE | {"content": "no!"}, "authentication": CERTIFICATE}
    found = messages(create(newcomer, certificates=certificates))
    path = "instance.certificates.signature.content"
    assert found == [f'{path} does not conform to the "base64" format']


def test_a_token_has_one_company_of_a_ruc_and_type_and_one_main_company(newcomer):
    natural = {"ruc": "8-NT-1-123456", "checkDigit": "76", "typeRuc": {"code": 1}}
    juridical = natural | {"checkDigit": "52", "typeRuc": {"code": 2}}
    assert create(newcomer, **natural, type="main").status_code == 201
    assert create(newcomer, **juridical).status_code == 201
    assert messages(create(newcomer, **juridical)) == ["A company with this RUC already exists"]
    assert messages(create(newcomer, type="main")) == ["The token already has its main company"]


def test_companies_are_listed_for_their_token_only(newcomer, new_caller):
    company_id = create(newcomer).json()["id"]
    bob = new_caller("another-token")
    assert [each["id"] for each in newcomer.call("GET", "/pan/v1/companies").json()] == [company_id]
    assert bob.call("GET", f"/pan/v1/companies/{company_id}").status_code == 404
    assert bob.call("PATCH", f"/pan/v1/companies/{company_id}", {}).status_code == 404
    assert affiliate(bob, company_id, "3").status_code == 404


def test_the_webhook_is_set_by_patch_and_the_ruc_never_changes(newcomer):
    path = f"/pan/v1/companies/{create(newcomer).json()['id']}"
    target = {"status": "active", "url": "https://host.test/webhooks", "headers": {"X-A": "b"}}
    webhooks = {"documents": {"emissionFinished": target}}
    assert newcomer.call("PATCH", path, {"webhooks": webhooks}).status_code == 200
    assert newcomer.call("GET", path).json()["webhooks"] == webhooks
    assert len(messages(newcomer.call("PATCH", path, {"ruc": "8-1-1"}))) == 1


def test_an_office_is_created_read_listed_and_changed(newcomer):
    path = f"/pan/v1/companies/{create(newcomer).json()['id']}/offices"
    office = newcomer.call("POST", path, OFFICE).json()
    one = f"{path}/{office['id']}"
    assert newcomer.call("GET", one).json() == office
    assert newcomer.call("GET", path).json() == [office]
    changed = newcomer.call("PATCH", one, {"address": "Calle 51"}).json()
    assert changed == office | {"address": "Calle 51"}
    assert newcomer.call("GET", f"{path}/01HYYYYYYYYYYYYYYYYYYYYYYY").status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "1"),
        ("type", "branch"),
        ("coordinates", "9 N 79 W"),
        ("address", "x" * 101),
        ("telephone", "5" * 13),
        ("location", "08-08-11"),
        ("email", "x" * 51),
    ],
)
def test_an_office_is_checked(newcomer, name, value):
    path = f"/pan/v1/companies/{create(newcomer).json()['id']}/offices"
    [message] = messages(newcomer.call("POST", path, put(dict(OFFICE), name, value)))
    assert message.startswith(f"instance.{name} ")


def test_an_office_code_is_used_once_per_company(newcomer):
    path = f"/pan/v1/companies/{create(newcomer).json()['id']}/offices"
    newcomer.call("POST", path, OFFICE)
    second = newcomer.call("POST", path, OFFICE | {"code": "0002"}).json()
    assert messages(newcomer.call("POST", path, OFFICE)) == [
        "An office with code 0001 already exists"
    ]
    renamed = newcomer.call("PATCH", f"{path}/{second['id']}", {"code": "0001"})
    assert renamed.status_code == 400


def test_without_a_company_the_main_one_of_the_token_is_meant(newcomer):
    company_id = create(newcomer, type="main").json()["id"]
    answer = newcomer.call("GET", "/pan/v1/company-affiliate", affiliationType="3")
    assert answer.json()["id"] == company_id


def test_without_a_company_and_without_a_main_one_nothing_is_meant(newcomer):
    create(newcomer)
    answer = newcomer.call("GET", "/pan/v1/company-affiliate", affiliationType="3")
    assert answer.status_code == 400
