"""Credit and debit notes, and the documents that they refer to."""

from pac.tests.sandbox.caller import CASH, codes, put


def credit(alice, original, number=1, amount=None, **header):
    """A credit note paid back in cash; `amount` makes it a single line without tax."""
    body = alice.note(number, original, **header) | {"totals": CASH}
    if amount is not None:
        line = {"number": "0001", "description": "Devolución", "quantity": 1}
        line |= {"prices": {"transfer": amount}, "itbms": {"rate": "00"}}
        methods = [{"type": "02", "amount": amount}]
        body |= {"items": [line], "totals": {"paymentTime": 1, "paymentMethods": methods}}
    return body


def test_a_note_credits_an_authorized_invoice_once(alice):
    original = alice.authorized(alice.invoice())
    note = alice.authorized(credit(alice, original), "credit-notes")
    assert note["legalStatus"] == "DGI_AUTHORIZED"
    assert codes(alice.issue(credit(alice, original, 2), "credit-notes")) == ["1717"]


def test_credits_together_never_pass_the_original(alice):
    original = alice.authorized(alice.invoice())
    alice.issued(credit(alice, original, 1, amount=100), "credit-notes")
    alice.issued(credit(alice, original, 2, amount=100), "credit-notes")
    assert codes(alice.issue(credit(alice, original, 3, amount=24), "credit-notes")) == ["1717"]
    alice.issued(credit(alice, original, 3, amount=23.30), "credit-notes")


def test_one_credit_never_passes_the_original(alice):
    original = alice.authorized(alice.invoice())
    assert codes(alice.issue(credit(alice, original, amount=224), "credit-notes")) == ["1711"]


def test_a_rejected_or_void_credit_does_not_count(alice):
    original = alice.authorized(alice.invoice())
    rejected = put(credit(alice, original, 1), "items.0.description", "REJECT-DGI")
    alice.authorized(rejected, "credit-notes")
    second = alice.authorized(credit(alice, original, 2), "credit-notes")
    reason = {"reason": "Se emitió por un error de captura"}
    assert alice.about("DELETE", f"credit-notes/{second['id']}", reason).status_code == 200
    alice.issued(credit(alice, original, 3), "credit-notes")


def test_a_debit_note_may_pass_the_original(alice):
    original = alice.authorized(alice.invoice())
    for number in (1, 2):
        alice.issued(alice.note(number, original, "05"), "debit-notes")


def test_the_original_is_named_by_its_cufe_just_as_well(alice):
    original = alice.authorized(alice.invoice())
    body = credit(alice, original)
    issued = original["documentIssueDate"]
    reference = {"emissionType": "CUFE", "cufeIdentification": original["cufe"]}
    alice.issued(
        body | {"referencedDocuments": [reference | {"issueDate": issued}]}, "credit-notes"
    )


def test_the_original_has_to_be_authorized(alice):
    pending = alice.issued(alice.invoice())
    assert codes(alice.issue(credit(alice, pending), "credit-notes")) == ["1707"]


def test_the_original_has_to_be_the_companys_own(alice, new_caller):
    bob = new_caller()
    original = bob.authorized(bob.invoice())
    assert codes(alice.issue(credit(alice, original), "credit-notes")) == ["1707"]


def test_the_original_must_not_be_void(alice):
    original = alice.authorized(alice.invoice())
    reason = {"reason": "Se emitió por un error de captura"}
    alice.about("DELETE", f"invoices/{original['id']}", reason)
    assert codes(alice.issue(credit(alice, original), "credit-notes")) == ["1718"]


def test_the_receiver_stays_the_same(alice):
    original = alice.authorized(alice.invoice())
    body = put(credit(alice, original), "receiver.ruc.ruc", "155700000-2-2021")
    assert codes(alice.issue(body, "credit-notes")) == ["1710"]


def test_a_note_of_a_note_is_refused(alice):
    original = alice.authorized(alice.invoice())
    note = alice.authorized(credit(alice, original, amount=1), "credit-notes")
    assert "1712" in codes(alice.issue(credit(alice, note, 2, amount=1), "credit-notes"))
    assert "1716" in codes(alice.issue(alice.note(3, note, "05"), "debit-notes"))


def test_the_dates_have_to_agree(alice):
    original = alice.authorized(alice.invoice())
    early = credit(alice, original, issueDate="2026-03-02T10:29:59-05:00")
    assert codes(alice.issue(early, "credit-notes")) == ["1702"]
    wrong = put(
        credit(alice, original), "referencedDocuments.0.issueDate", "2026-03-01T10:30:00-05:00"
    )
    assert codes(alice.issue(wrong, "credit-notes")) == ["1720"]


def test_a_reference_comes_once_and_one_is_an_e_invoice(alice):
    original = alice.authorized(alice.invoice())
    twice = credit(alice, original)
    twice["referencedDocuments"] *= 2
    assert codes(alice.issue(twice, "credit-notes")) == ["1709"]
    paper = {"emissionType": "PAPER", "otherIdentification": "F-12"}
    paper["issueDate"] = original["documentIssueDate"]
    only_paper = credit(alice, original) | {"referencedDocuments": [paper]}
    assert codes(alice.issue(only_paper, "credit-notes")) == ["1705"]


def test_a_note_says_why_and_what_it_amends(alice):
    body = alice.invoice(documentType="04") | {"totals": CASH}
    assert codes(alice.issue(body, "credit-notes")) == ["VALIDATION", "1705"]


def test_a_reference_has_the_form_of_its_kind(alice):
    original = alice.authorized(alice.invoice())
    body = put(credit(alice, original), "referencedDocuments.0.emissionType", "CUFE")
    assert len(codes(alice.issue(body, "credit-notes"))) == 2
    body["referencedDocuments"][0]["emissionType"] = "MAIL"
    assert codes(alice.issue(body, "credit-notes")) == ["VALIDATION"]


def test_generic_notes_refer_to_nothing(alice):
    original = alice.authorized(alice.invoice())
    body = credit(alice, original, document_type="06")
    assert codes(alice.issue(body, "credit-notes")) == ["1706"]
    del body["referencedDocuments"]
    alice.issued(body, "credit-notes")


def test_an_invoice_refers_to_nothing(alice):
    original = alice.authorized(alice.invoice())
    body = alice.invoice(2)
    body["referencedDocuments"] = credit(alice, original)["referencedDocuments"]
    assert codes(alice.issue(body)) == ["1708"]
