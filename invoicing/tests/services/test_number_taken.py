"""A number that the PAC has for another document: the error's advice, followed to the letter."""

from __future__ import annotations

import io
import re
import shlex

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Document
from invoicing.tests.services.test_submit import take_the_number
from invoicing.tests.steps import now_of, send
from pac.sandbox import Sandbox
from tenants.models import NumberSeries

pytestmark = pytest.mark.django_db(transaction=True)


def last_numbers(billing_point: str) -> set[int]:
    series = NumberSeries.unscoped.filter(billing_point=billing_point, kind="DGI")
    return set(series.values_list("last_number", flat=True))


def test_the_error_tells_how_to_raise_the_series_of_its_own_billing_point(
    api: APIClient, box: Sandbox
) -> None:
    posted = api.post("/api/v1/invoices", body(billing_point="002")).data
    invoice = Document.unscoped.get(pk=posted["id"])
    take_the_number(invoice, box)
    failed = send(invoice)
    assert failed.submission_error["code"] == "number_taken"
    told = failed.submission_error["message"]
    assert "«Puntos de facturación y numeración»" in told
    command = re.search("onboard_tenant .* --first-number N", told)
    assert command is not None, told
    name, *arguments = shlex.split(command[0].replace(" N", " 51"))
    call_command(name, *arguments, stdout=io.StringIO())
    assert (last_numbers("001"), last_numbers("002")) == (set(), {50})
    api.post(f"/api/v1/invoices/{invoice.pk}/retry")
    work()
    sent = now_of(invoice)
    assert (sent.billing_point, sent.number) == ("002", "0000000051")
    assert sent.legal_status == "DGI_AUTHORIZED"
