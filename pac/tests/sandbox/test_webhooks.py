"""What the PAC tells a company by itself."""

import pytest

from pac.tests.sandbox.caller import codes


@pytest.fixture
def carol(new_caller, inbox):
    """A caller whose company has an endpoint."""
    return new_caller(webhook_url=inbox.url, webhook_secret="s3cret")


def test_each_change_of_status_is_announced_with_the_secret(carol, inbox):
    document = carol.authorized(carol.invoice())
    assert sorted(inbox.statuses) == ["DGI_AUTHORIZED", "PAC_AUTHORIZED"]
    for headers, body in inbox.received:
        assert headers["X-Pac-Signature"] == "s3cret"
        assert headers["Content-Type"] == "application/json"
        assert (body["id"], body["cufe"]) == (document["id"], document["cufe"])
        assert not {"pdf", "xml", "qr"} & set(body)


def test_webhooks_can_be_switched_off(carol, inbox, box):
    box.options.no_webhooks = True
    carol.authorized(carol.invoice())
    assert inbox.received == []


def test_webhooks_can_be_sent_two_or_three_times(carol, inbox, box):
    box.options.duplicate_webhooks = True
    carol.authorized(carol.invoice())
    for status in ("PAC_AUTHORIZED", "DGI_AUTHORIZED"):
        assert inbox.statuses.count(status) in (2, 3)


def test_a_share_of_webhooks_is_never_sent(carol, inbox, box):
    box.options.webhook_loss_rate = 1
    carol.authorized(carol.invoice())
    assert inbox.received == []
    assert box.faults["webhook_lost"] == 2


def test_a_late_webhook_is_overtaken_by_later_ones(carol, inbox, box):
    box.options.webhook_late_rate, box.options.webhook_late_seconds = 1, 0.1
    document = carol.issued(carol.invoice())
    box.options.webhook_late_rate = 0
    assert carol.read(document["id"])["legalStatus"] == "PAC_AUTHORIZED"
    box.settle()
    assert inbox.statuses == ["DGI_AUTHORIZED", "PAC_AUTHORIZED"]


def test_a_failed_delivery_is_tried_again(carol, inbox):
    inbox.answers = [500, 503]
    carol.authorized(carol.invoice())
    assert sorted(inbox.statuses) == ["DGI_AUTHORIZED", "PAC_AUTHORIZED"]


def test_a_delivery_that_fails_three_times_is_forgotten(alice, inbox):
    inbox.answers = [500] * 3
    order = {"documentId": alice.authorized(alice.invoice())["id"], "webhookUrl": inbox.url}
    alice.about("POST", "documents/notify-webhook", order)
    alice.box.settle()
    assert (inbox.answers, inbox.received) == ([], [])


def test_an_endpoint_that_is_away_harms_nobody(new_caller):
    carol = new_caller(webhook_url="http://127.0.0.1:9/nobody")
    assert carol.authorized(carol.invoice())["legalStatus"] == "DGI_AUTHORIZED"


def test_an_inactive_endpoint_hears_nothing(carol, inbox):
    target = {"status": "inactive", "url": inbox.url, "headers": {}}
    change = {"webhooks": {"documents": {"emissionFinished": target}}}
    carol.call("PATCH", f"/pan/v1/companies/{carol.ids.company_id}", change)
    carol.authorized(carol.invoice())
    assert inbox.received == []


def test_a_webhook_is_sent_again_on_request(alice, inbox):
    order = {"documentId": alice.authorized(alice.invoice())["id"], "webhookUrl": inbox.url}
    order |= {"userId": "user-1", "webhookSecret": "other"}
    assert alice.about("POST", "documents/notify-webhook", order).status_code == 200
    alice.box.settle()
    [(headers, body)] = inbox.received
    assert (headers["X-Pac-Signature"], headers["X-User-Id"]) == ("other", "user-1")
    assert body["legalStatus"] == "DGI_AUTHORIZED"


def test_a_webhook_of_no_document_of_ours_is_refused(alice, new_caller, inbox):
    bob = new_caller()
    order = {"documentId": bob.issued(bob.invoice())["id"], "webhookUrl": inbox.url}
    assert alice.about("POST", "documents/notify-webhook", order).status_code == 404
    assert codes(alice.about("POST", "documents/notify-webhook", {})) == ["VALIDATION"] * 2
