"""On which day a tenant's certificates end, as far as anybody can know."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pac.errors import Rejected
from tenants.errors import Conflict, OnboardingHalted
from tenants.models import Tenant
from tenants.services.certificates import Certificates, first_end
from tenants.services.renewal import renew_certificates
from tenants.tests.onboarding.material import (
    COMPANY,
    GOOD_CERTIFICATES,
    RUC,
    make_certificates,
    only_tenant,
    run,
)

pytestmark = pytest.mark.django_db(transaction=True)

SOON, LATER = (datetime(year, 2, 3, 12, tzinfo=UTC) for year in (2027, 2029))


def test_it_is_the_first_of_the_two():
    soon, later = make_certificates(valid_to=SOON), make_certificates(valid_to=LATER)
    pair = Certificates(later.signature, soon.authentication)
    assert str(first_end(pair)) == "2027-02-03"


@pytest.mark.parametrize("fault", ["drop_next", "error_after_next"])
def test_it_is_that_of_the_certificates_whose_answer_was_lost(box, fault):
    setattr(box.options, fault, 1)
    with pytest.raises(OnboardingHalted):
        run(certificates=make_certificates(valid_to=SOON))
    run(certificates=make_certificates(valid_to=LATER))  # found there: these were never sent
    assert str(only_tenant().certificates_expire_on) == "2027-02-03"


def test_of_a_company_that_others_created_nobody_knows_it(box):
    box.options.rate_limit_next = 1
    with pytest.raises(OnboardingHalted):
        run(certificates=make_certificates(valid_to=SOON))
    box.add_subscribed_company(ruc=RUC)
    run(company=COMPANY)
    assert only_tenant().certificates_expire_on is None


def test_a_renewal_that_the_pac_refuses_changes_nothing(box, alice, monkeypatch):
    def refuse(*_: Any) -> None:
        raise Rejected(f"bad {GOOD_CERTIFICATES.signature.password}", status=400)

    monkeypatch.setattr("pac.client.PacClient.update_company", refuse)
    with pytest.raises(Rejected, match=r"^bad \*\*\*$"):
        renew_certificates(alice, GOOD_CERTIFICATES)
    assert Tenant.objects.get().certificates_expire_on is None


def test_a_company_that_the_pac_does_not_have_is_not_renewed(alice):
    alice.pac_company_id = None
    with pytest.raises(Conflict):
        renew_certificates(alice, GOOD_CERTIFICATES)
