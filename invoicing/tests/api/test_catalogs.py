"""`GET /catalogs/{name}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from invoicing.models import CatalogEntry, PacCatalog
from invoicing.services.catalogs import Catalog, listing
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

URL = "/api/v1/catalogs"


@pytest.mark.parametrize("name", Catalog)
def test_a_catalogue_is_a_page_of_codes_and_names(api: APIClient, name: str) -> None:
    answer = api.get(f"{URL}/{name}")
    assert answer.status_code == 200
    assert set(answer.data) == {"next", "previous", "results"}
    assert answer.data["results"]
    assert all(set(entry) == {"code", "name"} for entry in answer.data["results"])


def test_its_pages_together_are_the_whole_of_it(api: APIClient) -> None:
    found: list[str] = []
    url: str | None = f"{URL}/countries?page_size=100"
    while url:
        page = api.get(url).data
        found += [entry["code"] for entry in page["results"]]
        url = page["next"]
    assert found == list(listing(Catalog.COUNTRIES).names)
    assert len(found) == len(set(found)) == 250


@pytest.mark.parametrize("wanted", ["BELLA vista", "béllá", "8-8-7"])
def test_a_search_ignores_case_and_accents(api: APIClient, wanted: str) -> None:
    found = api.get(f"{URL}/locations", {"q": wanted}).data["results"]
    assert found == [{"code": "8-8-7", "name": "Panamá, Panamá, Bella Vista"}]


def test_a_search_without_a_find_is_an_empty_page(api: APIClient) -> None:
    answer = api.get(f"{URL}/units", {"q": "\0 no such thing"})
    assert answer.status_code == 200
    assert answer.data == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize("name", ["planets", "provinces", "Units", "%00"])
def test_another_name_is_404_in_the_shape_of_every_error(api: APIClient, name: str) -> None:
    answer = api.get(f"{URL}/{name}")
    assert answer.status_code == 404
    assert [error["code"] for error in answer.data["errors"]] == ["not_found"]


def test_a_page_that_is_not_there_is_404(api: APIClient) -> None:
    assert api.get(f"{URL}/units", {"page": "99"}).status_code == 404


def test_it_takes_one_query_beside_those_of_the_key_and_then_none(
    api: APIClient, django_assert_num_queries: Any
) -> None:
    api.get(f"{URL}/itbms-rates")
    with django_assert_num_queries(2):
        api.get(f"{URL}/locations")
    with django_assert_num_queries(1):
        api.get(f"{URL}/locations")


def test_it_is_the_same_for_every_tenant(
    alice: Tenant, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    CatalogEntry.objects.create(catalog=PacCatalog.CPBS, code="9999", name="Lo nuevo")
    seen = [
        client_of(tenant).get(f"{URL}/cpbs", {"q": "lo nuevo"}).data["results"]
        for tenant in (alice, bob)
    ]
    assert seen == [[{"code": "9999", "name": "Lo nuevo"}]] * 2


def test_a_key_that_may_read_is_enough(alice: Tenant, client_of: Callable[..., APIClient]) -> None:
    assert client_of(alice, "read").get(f"{URL}/units").status_code == 200
    assert client_of(alice, "write").get(f"{URL}/units").status_code == 403


@pytest.mark.parametrize("name", ["units", "planets"])
def test_no_key_is_401(name: str) -> None:
    assert APIClient().get(f"{URL}/{name}").status_code == 401


def test_it_can_only_be_read(api: APIClient) -> None:
    assert api.post(f"{URL}/units", {"code": "x"}).status_code == 405
