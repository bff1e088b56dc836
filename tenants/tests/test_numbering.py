"""Numbers without gap, whoever asks and whatever breaks."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction

from tenants.base import new_id
from tenants.errors import Conflict, NumberSeriesExhausted
from tenants.models import NumberSeries, Office, Tenant
from tenants.services.numbering import take_number

pytestmark = pytest.mark.django_db

THREADS = 8


def take(office: Office, *, point: str = "001", kind: str = "DGI", dgi_type: str = "01") -> str:
    with transaction.atomic():
        return take_number(
            office=office, billing_point=point, kind=kind, dgi_document_type=dgi_type
        )


@pytest.fixture
def office(alice: Tenant) -> Office:
    assert alice.main_office
    return alice.main_office


def test_a_series_starts_at_one_and_counts(office: Office) -> None:
    assert [take(office) for _ in range(3)] == ["0000000001", "0000000002", "0000000003"]
    assert NumberSeries.unscoped.get().last_number == 3


def test_each_office_point_kind_and_type_counts_for_itself(office: Office, bob: Tenant) -> None:
    second = Office.unscoped.create(tenant=office.tenant, code="0002")
    assert bob.main_office
    take(office)
    for series in (
        take(office, point="002"),
        take(office, kind="PROFORM"),
        take(office, dgi_type="04"),
        take(second),
        take(bob.main_office),
    ):
        assert series == "0000000001"
    assert take(office) == "0000000002"
    assert NumberSeries.objects.for_tenant(bob).count() == 1


def test_a_rollback_gives_the_number_back(office: Office) -> None:
    take(office)
    with transaction.atomic():
        assert take(office) == "0000000002"
        transaction.set_rollback(True)
    assert take(office) == "0000000002"


def test_a_rollback_of_the_first_number_takes_the_series_with_it(office: Office) -> None:
    with transaction.atomic():
        take(office)
        transaction.set_rollback(True)
    assert not NumberSeries.unscoped.exists()
    assert take(office) == "0000000001"


def test_one_number_is_one_statement_once_the_series_is_there(
    office: Office, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    take(office)
    with transaction.atomic(), django_assert_num_queries(1):  # type: ignore[operator]
        take_number(office=office, billing_point="001", kind="DGI", dgi_document_type="01")


def series_at(office: Office, last_number: int) -> None:
    NumberSeries.unscoped.create(
        id=new_id(),
        tenant=office.tenant,
        office=office,
        billing_point="001",
        dgi_document_type="01",
        last_number=last_number,
    )


def test_a_migrated_series_goes_on_where_it_stood(office: Office) -> None:
    series_at(office, 4711)
    assert take(office) == "0000004712"


def test_the_last_number_is_given_and_then_no_more(office: Office) -> None:
    series_at(office, 9_999_999_998)
    assert take(office) == "9999999999"
    for _ in range(2):
        with pytest.raises(NumberSeriesExhausted, match=r"0001-001-01 .* billing point") as caught:
            take(office)
        assert isinstance(caught.value, Conflict)
        assert caught.value.code == "number_series_exhausted"
    assert NumberSeries.unscoped.get().last_number == 9_999_999_999
    assert take(office, point="002") == "0000000001"


@pytest.mark.django_db(transaction=True)
class TestTransactions:
    def test_outside_a_transaction_it_refuses(self, office: Office) -> None:
        with pytest.raises(RuntimeError, match="transaction"):
            take_number(office=office, billing_point="001", kind="DGI", dgi_document_type="01")
        assert not NumberSeries.unscoped.exists()

    def test_eight_threads_leave_no_gap_and_no_double(self, office: Office) -> None:
        """Also not where a third of them roll back, and where all of them want the first number."""
        turns = 40 if connection.vendor == "postgresql" else 8  # SQLite has one writer at a time
        dice = [random.Random(seed) for seed in range(THREADS)]  # noqa: S311

        def work(thread: int) -> list[str]:
            kept = []
            try:
                for _ in range(turns):
                    with transaction.atomic():
                        number = take(office)
                        if dice[thread].random() < 1 / 3:
                            transaction.set_rollback(True)
                        else:
                            kept.append(number)
            finally:
                connection.close()
            return kept

        with ThreadPoolExecutor(THREADS) as pool:
            kept = sorted(
                number for numbers in pool.map(work, range(THREADS)) for number in numbers
            )
        assert len(kept) > THREADS * turns / 3
        assert kept == [f"{number:010d}" for number in range(1, len(kept) + 1)]
        assert NumberSeries.unscoped.get().last_number == len(kept)

    def test_who_waits_too_long_for_a_series_gets_nothing_and_uses_no_number(
        self, office: Office
    ) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite waits for 20 seconds")

        def impatient() -> None:
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '50ms'")
                    take(office)
            finally:
                connection.close()

        take(office)
        with transaction.atomic():
            take(office)
            with ThreadPoolExecutor(1) as pool, pytest.raises(OperationalError):
                pool.submit(impatient).result()
        assert take(office) == "0000000003"
