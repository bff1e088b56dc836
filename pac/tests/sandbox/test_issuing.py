"""What is accepted, and everything that is refused."""

import pytest

from pac.dgi import cufe
from pac.tests.sandbox.caller import CASH, EXAMPLE, codes, messages, put

FOREIGNER = {"type": "04", "country": "PA", "foreign": {"number": "900123456", "country": "CO"}}
EXPORT = {
    "incoterm": "FOB",
    "currency": "USD",
    "exchangeRate": 1,
    "amount": 223.30,
    "port": "Balboa",
}


def test_the_example_of_the_contract_is_accepted(alice):
    document = alice.issued(alice.invoice(123))
    assert document["status"] == "PROCESSED"
    assert document["legalStatus"] == "PAC_AUTHORIZED"
    assert document["documentIssueDate"] == EXAMPLE["information"]["issueDate"]
    assert (document["pdf"], document["xml"], document["publicUrl"]) == (None, None, None)
    assert document["governmentResponse"] == []
    assert document["authorizationProtocol"] is None


def test_the_cufe_tells_what_was_sent(alice):
    fields = cufe.parse(alice.issued(alice.invoice(123))["cufe"])
    assert (fields.ruc, fields.dv, fields.branch) == ("155700000-2-2021", "53", "0001")
    assert (fields.number, fields.billing_point) == ("0000000123", "001")
    assert (fields.environment, fields.security_code) == (2, "481516234")
    assert fields.issued_on.isoformat() == "2026-03-02"


def test_the_qr_carries_a_token_of_the_pac(alice):
    document = alice.issued(alice.invoice())
    link = "https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE="
    assert document["qr"].startswith(f"{link}{document['cufe']}&iAmb=2&digestValue=")
    assert document["qr"].partition("&jwt=")[2].count(".") == 2


def test_a_number_is_good_for_one_document_whatever_it_says(alice):
    alice.issued(alice.invoice(7))
    for body in (alice.invoice(7), put(alice.invoice(7), "items", [])):
        answer = alice.issue(body)
        assert codes(answer) == ["1513"]
        assert messages(answer) == ["numeration already used"]
    assert len(alice.box.documents) == 1
    assert alice.box.posts["0000000007"] == 3


def test_each_series_has_its_own_numbers(alice):
    alice.issued(alice.invoice(7))
    alice.issued(alice.invoice(7, billingPoint="002"))
    alice.issued(alice.invoice(7, documentType="08"))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("information.operationType", "1", "is not of a type(s) integer"),
        ("information.operationType", 1.5, "is not of a type(s) integer"),
        ("information.destination", True, "is not of a type(s) integer"),
        ("information.receiverContainer", None, "is not of a type(s) integer"),
        ("information.saleType", "1", "is not of a type(s) integer"),
        ("receiver.ruc.type", "2", "is not of a type(s) integer"),
        ("totals.paymentTime", "2", "is not of a type(s) integer"),
        ("totals.paymentMethods.0.amount", "223.30", "is not of a type(s) number"),
        ("items.0.quantity", "2", "is not of a type(s) number"),
        ("items.0.quantity", 0, "must be strictly greater than 0"),
        ("items.0.prices.transfer", "100.00", "is not of a type(s) number"),
        ("items.0.prices.transfer", -1, "must be greater than or equal to 0"),
        (
            "items.0.prices.transfer",
            1.0000001,
            "is not a multiple of (divisible by) 0.000001",
        ),
        ("items.0.description", "x", "does not meet minimum length of 2"),
        ("items.0.description", "x" * 501, "does not meet maximum length of 500"),
        ("items.0.code", "x" * 21, "does not meet maximum length of 20"),
        ("items.0.itbms.rate", "7", "is not one of enum values: 00,01,02,03"),
        ("items.0.itbms.rate", 1, "is not of a type(s) string"),
        ("items", [], "does not meet minimum length of 1"),
        ("information.numeration", "123", 'does not match pattern "^[0-9]{10}$"'),
        ("information.billingPoint", "1", 'does not match pattern "^[0-9]{3}$"'),
        ("information.securityCode", "12345678", 'does not match pattern "^[0-9]{9}$"'),
        (
            "information.issueDate",
            "2026-03-01T10:15:00Z",
            'does not conform to the "date-time" format',
        ),
        (
            "information.issueDate",
            "2026-02-30T10:15:00-05:00",
            'does not conform to the "date-time" format',
        ),
        ("receiver.otherCountry", None, "is not of a type(s) string"),
        ("receiver.location.code", "08-8-7", 'does not conform to the "location" format'),
        ("receiver.telephones", ["2691234"], 'does not conform to the "phone" format'),
        ("receiver.emails", ["a@b.test"] * 4, "does not meet maximum length of 3"),
        ("items.0.cpbs.code", "81", 'does not conform to the "cpbs" format'),
    ],
)
def test_the_form_is_checked_to_the_letter(alice, path, value, message):
    [said] = messages(alice.issue(put(alice.invoice(), path, value)))
    assert said.startswith("instance.")
    assert said.endswith(f" {message}")


def test_unknown_keys_are_refused_at_every_depth(alice):
    body = put(put(alice.invoice(), "extra", 1), "items.0.itbms.amount", 13.30)
    assert messages(alice.issue(body)) == [
        'instance.items[0].itbms additionalProperty "amount" exists in instance when not allowed',
        'instance additionalProperty "extra" exists in instance when not allowed',
    ]


def test_all_faults_are_told_at_once(alice):
    body = alice.invoice(0, securityCode="000000000")
    body["items"][0]["itbms"] = {}
    body["receiver"] |= {"type": "02"}
    body["totals"]["paymentMethods"] *= 2
    answer = alice.issue(body)
    assert set(codes(answer)) == {"VALIDATION", "1512", "1517", "1621", "2508"}
    assert 'instance.items[0].itbms requires property "rate"' in messages(answer)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"numeration": "0000000000"}, "1512"),
        ({"billingPoint": "000"}, "1515"),
        ({"securityCode": "000000000"}, "1517"),
        ({"securityCode": "000000001"}, "1517"),
        ({"issueDate": "2026-03-05T00:00:00-05:00"}, "1520"),
        ({"destination": 2}, "1534"),
        ({"contingencyReason": "No hubo internet en el local"}, "1503"),
    ],
)
def test_the_header_is_checked(alice, header, code):
    assert code in codes(alice.issue(alice.invoice(1, **header)))


def test_two_business_days_ahead_are_allowed(alice):
    alice.issued(alice.invoice(issueDate="2026-03-04T23:59:59-05:00"))


def test_contingency_needs_its_start_and_its_reason(alice):
    assert codes(alice.issue(alice.invoice(issueType="02"))) == ["1506", "1509"]
    reason = {"issueType": "02", "contingencyReason": "No hubo internet en el local"}
    late = alice.invoice(contingencyDate="2026-03-02T11:00:00-05:00", **reason)
    assert codes(alice.issue(late)) == ["1507"]
    alice.issued(alice.invoice(contingencyDate="2026-03-02T10:00:00-05:00", **reason))


@pytest.mark.parametrize(
    ("receiver", "code"),
    [
        ({"type": "01", "country": "PA", "name": "Sin RUC"}, "1601"),
        ({"type": "01", "country": "PA", "ruc": {"type": 2, "ruc": "155711111-2-2022"}}, "1605"),
        ({"type": "02", "country": "PA", "ruc": {"type": 1, "ruc": "no ruc"}}, "1601"),
        ({"type": "02", "country": "PA", "ruc": {"type": 2, "ruc": "155711111-2-2022"}}, "1621"),
        ({"type": "02", "country": "PA", "foreign": FOREIGNER["foreign"]}, "1619"),
        ({"type": "04", "country": "PA"}, "1618"),
        (FOREIGNER | {"ruc": {"type": 1, "ruc": "8-123-456"}}, "1619"),
        (FOREIGNER | {"location": {"code": "8-8-7"}}, "1616"),
        (FOREIGNER | {"country": "CO"}, "1611"),
        (FOREIGNER | {"otherCountry": "Atlantis"}, "1615"),
        ({"type": "02", "country": "ZZ"}, "1614"),
    ],
)
def test_the_receiver_is_checked(alice, receiver, code):
    assert code in codes(alice.issue(put(alice.invoice(), "receiver", receiver)))


def test_a_final_consumer_needs_nothing(alice):
    alice.issued(put(alice.invoice(), "receiver", {"type": "02", "country": "PA"}))


def test_the_state_wants_a_cpbs_code_on_every_line(alice):
    answer = alice.issue(put(alice.invoice(), "receiver.type", "03"))
    assert messages(answer) == ['instance.items[1] requires property "cpbs"']
    assert codes(answer) == ["2006"]


def test_an_export_goes_abroad_to_a_foreigner_under_its_terms(alice):
    body = alice.invoice(documentType="03", nature="02")
    assert set(codes(alice.issue(body))) == {"1533", "1620", "1651"}
    body["information"]["destination"] = 2
    body |= {"receiver": FOREIGNER, "exportation": EXPORT}
    assert codes(alice.issue(body)) == ["1612"]
    body["receiver"] = FOREIGNER | {"country": "CO"}
    alice.issued(body)


def test_the_exportation_group_is_refused_elsewhere(alice):
    assert codes(alice.issue(alice.invoice() | {"exportation": EXPORT})) == ["1650"]


def test_the_office_has_to_be_the_companys(alice, new_caller):
    bob = new_caller()
    body = put(alice.invoice(), "idOffice", bob.ids.office_id)
    assert messages(alice.issue(body)) == ["instance.idOffice is not an office of the company"]


def test_reject_pac_is_a_rejection_that_uses_the_number_up(alice):
    body = put(alice.invoice(5), "items.0.description", "Prueba REJECT-PAC")
    assert codes(alice.issue(body)) == ["2056"]
    assert codes(alice.issue(alice.invoice(5))) == ["1513"]
    [listed] = alice.about("GET", "invoices", numeration="0000000005").json()["documents"]
    assert listed["legalStatus"] == "PAC_REJECTED"
    assert alice.box.documents == []


def test_a_refusal_may_come_inside_a_200(alice, box):
    box.options.reject_inside_2xx = True
    answer = alice.issue(put(alice.invoice(5), "items.0.description", "Prueba REJECT-PAC"))
    document = answer.json()["document"]
    assert (answer.status_code, document["legalStatus"]) == (200, "PAC_REJECTED")
    assert [each["code"] for each in document["governmentResponse"]] == ["2056"]
    alice.issued(alice.invoice(6))


def test_a_document_of_bad_form_leaves_its_number_free(alice):
    assert alice.issue(put(alice.invoice(5), "items", [])).status_code == 400
    alice.issued(alice.invoice(5))


def test_a_document_type_has_its_own_path(alice):
    answer = alice.issue(alice.invoice() | {"totals": CASH}, kind="credit-notes")
    path = "instance.information.documentType"
    assert messages(answer) == [f"{path} is not one of enum values: 04,06"]
