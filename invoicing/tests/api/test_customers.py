"""/customers: kept, found, changed and forgotten, by their own tenant alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from invoicing.models import Customer
from invoicing.services import customers as services
from invoicing.tests.api import errors, post_raw
from pac.sandbox import Sandbox
from tenants.models import RucVerification, Tenant

pytestmark = pytest.mark.django_db

CUSTOMERS = "/api/v1/customers"
RUC = "155646463-2-2017"


def company(**changes: Any) -> dict[str, Any]:
    return {
        "type": "CONTRIBUYENTE",
        "ruc": RUC,
        "ruc_type": "JURIDICO",
        "name": "Cliente Prueba, S.A.",
        "address": "Calle 50",
        "location": "8-8-7",
        "emails": ["pagos@cliente.test"],
        "phones": ["269-1234"],
    } | changes


def foreigner(**changes: Any) -> dict[str, Any]:
    return {
        "type": "EXTRANJERO",
        "name": "Comercial Atlántida",
        "country": "ZZ",
        "other_country": "Atlántida",
        "foreign_id": {"number": "P-77", "country": "CO"},
    } | changes


def kept(api: APIClient, **changes: Any) -> dict[str, Any]:
    response = api.post(CUSTOMERS, company(**changes))
    assert response.status_code == 201, response.content
    found: dict[str, Any] = response.json()
    return found


def url(customer: dict[str, Any]) -> str:
    return f"{CUSTOMERS}/{customer['id']}"


# --- keeping ------------------------------------------------------------------------------------


def test_a_customer_is_kept_as_it_is_sent_and_completed(api: APIClient, alice: Tenant) -> None:
    made = kept(api)
    assert made == {
        **company(),
        "id": made["id"],
        "dv": "86",
        "country": "PA",
        "other_country": "",
        "foreign_id": None,
        "withholds": False,
        "retention_code": None,
        "ruc_verified_at": None,
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    assert api.get(url(made)).json() == made
    assert Customer.unscoped.get().tenant == alice


def test_a_foreigner_and_a_nameless_consumer_are_customers_too(api: APIClient) -> None:
    made = api.post(CUSTOMERS, foreigner()).json()
    assert made["foreign_id"] == {"number": "P-77", "country": "CO"}
    assert (made["ruc"], made["ruc_type"], made["dv"]) == ("", None, "")
    for _ in range(2):  # without a RUC nothing says that two are one
        assert api.post(CUSTOMERS, {"type": "CONSUMIDOR_FINAL"}).status_code == 201


def test_a_ruc_is_kept_as_the_dgi_writes_it(api: APIClient) -> None:
    made = kept(api, ruc=" 8av-1-196 ", ruc_type="NATURAL")
    assert made["ruc"] == "8AV-1-196"
    again = api.post(CUSTOMERS, company(ruc="8AV-1-196", ruc_type="NATURAL"))
    assert errors(again) == [(None, "customer_exists")]


@pytest.mark.parametrize(
    ("sent", "withholds", "code"),
    [
        ({}, False, None),
        ({"withholds": True}, True, None),
        ({"retention_code": "4"}, True, "4"),
        ({"withholds": True, "retention_code": "4"}, True, "4"),
        ({"withholds": False, "retention_code": "4"}, False, "4"),
        ({"retention_code": None}, False, None),
    ],
)
def test_who_brings_a_retention_code_withholds_unless_it_is_denied(
    sent: dict[str, Any], withholds: bool, code: str | None, api: APIClient
) -> None:
    made = kept(api, **sent)
    assert (made["withholds"], made["retention_code"]) == (withholds, code)


def test_a_ruc_belongs_to_one_customer_whom_the_refusal_names(api: APIClient) -> None:
    made = kept(api)
    response = api.post(CUSTOMERS, company(name="Otro"))
    assert (response.status_code, errors(response)) == (409, [(None, "customer_exists")])
    assert made["id"] in response.json()["errors"][0]["detail"]
    assert Customer.unscoped.count() == 1


def test_the_same_text_as_the_ruc_of_another_type_is_another_customer(api: APIClient) -> None:
    kept(api, ruc="8-NT-1-123456", ruc_type="JURIDICO")
    assert kept(api, ruc="8-NT-1-123456", ruc_type="NATURAL")["dv"] == "76"


def test_a_ruc_is_another_tenants_customer_too(api: APIClient, bob: Tenant, client_of: Any) -> None:
    kept(api)
    assert client_of(bob).post(CUSTOMERS, company()).status_code == 201


# --- faults -------------------------------------------------------------------------------------


def test_every_fault_is_told_at_once_and_nothing_is_kept(api: APIClient) -> None:
    bad = company(
        dv="11",
        location="08-8-7",
        country="XX",
        emails=["pagos@cliente.test", "no"],
        phones=["2691234"],
        foreign_id={"number": "1"},
        withholds="yes",
        retention_code="5",
        receiver={},
    )
    response = api.post(CUSTOMERS, bad)
    assert response.status_code == 400
    assert sorted(errors(response), key=str) == sorted(
        [
            ("country", "country_unknown"),
            ("dv", "ruc_dv_mismatch"),
            ("emails.1", "invalid"),
            ("foreign_id", "foreign_id_not_allowed"),
            ("foreign_id.country", "required"),
            ("location", "location_malformed"),
            ("phones.0", "phone_malformed"),
            ("receiver", "unknown_field"),
            ("retention_code", "retention_code_unknown"),
            ("withholds", "invalid"),
        ],
        key=str,
    )
    assert not Customer.unscoped.exists()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, [("type", "required")]),
        ({"type": "NADIE"}, [("type", "receiver_type_unknown")]),
        (company(ruc=""), [("ruc", "ruc_required"), ("ruc_type", "ruc_required")]),
        (company(ruc="155646463"), [("ruc", "ruc_malformed")]),
        (company(name=""), [("name", "name_required")]),
        (company(type="CONSUMIDOR_FINAL"), [("ruc", "juridical_ruc_for_consumer")]),
        (foreigner(ruc=RUC), [("ruc", "ruc_not_allowed")]),
        (foreigner(location="8-8-7"), [("location", "location_not_allowed")]),
        (foreigner(other_country=""), [("other_country", "country_name_required")]),
        (company(emails=["a@b.test"] * 11), [("emails", "too_many")]),
        (company(emails=[f"{'a' * 46}@b.test"]), [("emails.0", "max_length")]),
        (company(phones=["269-1234"] * 4), [("phones", "too_many")]),
        (company(withholds=1), [("withholds", "invalid")]),
        (company(withholds=None), [("withholds", "null")]),
        (company(retention_code=""), [("retention_code", "blank")]),
        (company(retention_code=4), [("retention_code", "invalid")]),
        (company(name="x" * 101), [("name", "max_length")]),
    ],
)
def test_a_customer_is_judged_like_a_receiver(
    body: dict[str, Any], told: list[tuple[str, str]], api: APIClient
) -> None:
    response = api.post(CUSTOMERS, body)
    assert (response.status_code, errors(response)) == (400, told)
    assert not Customer.unscoped.exists()


@pytest.mark.parametrize("content", ["[]", "null", "5", '"x"', "{", ""])
def test_what_is_no_object_is_refused(content: str, api: APIClient) -> None:
    assert post_raw(api, content, url=CUSTOMERS).status_code == 400
    customer = kept(api)
    patched = api.generic("PATCH", url(customer), content, content_type="application/json")
    assert patched.status_code == (200 if content == "" else 400), patched.content


# --- changing -----------------------------------------------------------------------------------


def test_a_patch_changes_what_it_names_and_nothing_else(api: APIClient) -> None:
    made = kept(api, retention_code="4")
    response = api.patch(url(made), {"name": "Cliente Nuevo", "emails": []})
    assert response.status_code == 200, response.content
    now = response.json()
    assert now == made | {
        "name": "Cliente Nuevo",
        "emails": [],
        "updated_at": now["updated_at"],
    }
    assert now["updated_at"] > made["updated_at"]
    assert api.get(url(made)).json() == now


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ({"ruc": "8-274-125", "ruc_type": "NATURAL"}, {"dv": "91"}),
        ({"type": "CONSUMIDOR_FINAL", "ruc": ""}, {"ruc_type": None, "dv": ""}),
        ({"retention_code": "4"}, {"withholds": True}),
        ({"retention_code": "4", "withholds": False}, {"withholds": False}),
        ({"address": None, "phones": None}, {"address": "", "phones": []}),
        (
            {"country": "ZZ", "other_country": "Atlántida"},
            {"country": "ZZ", "other_country": "Atlántida"},
        ),
        (
            {
                "type": "EXTRANJERO",
                "ruc": None,
                "location": None,
                "foreign_id": {"number": "1", "country": "CO"},
            },
            {"ruc": "", "ruc_type": None, "foreign_id": {"number": "1", "country": "CO"}},
        ),
    ],
)
def test_what_followed_from_what_is_changed_is_worked_out_anew(
    changes: dict[str, Any], now: dict[str, Any], api: APIClient
) -> None:
    response = api.patch(url(kept(api)), changes)
    assert response.status_code == 200, response.content
    shown = response.json()
    assert {name: shown[name] for name in now} == now


def test_a_foreigner_becomes_a_taxpayer(api: APIClient) -> None:
    made = api.post(CUSTOMERS, foreigner()).json()
    changes = {"type": "CONTRIBUYENTE", "ruc": RUC, "ruc_type": "JURIDICO"}
    nulls = {"foreign_id": None, "country": None, "other_country": None}
    response = api.patch(url(made), changes | nulls)
    assert response.status_code == 200, response.content
    assert (response.json()["country"], response.json()["foreign_id"]) == ("PA", None)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dv": "11"}, [("dv", "ruc_dv_mismatch")]),
        ({"ruc_type": "NATURAL"}, [("ruc", "ruc_malformed")]),
        ({"type": None}, [("type", "required")]),
        ({"nonsense": None}, [("nonsense", "unknown_field")]),
        ({"id": str(uuid4())}, [("id", "unknown_field")]),
        ({"ruc_verified_at": "2026-01-01T00:00:00Z"}, [("ruc_verified_at", "unknown_field")]),
    ],
)
def test_a_patch_is_judged_with_what_stays(
    changes: dict[str, Any], told: list[tuple[str, str]], api: APIClient
) -> None:
    made = kept(api)
    response = api.patch(url(made), changes)
    assert (response.status_code, errors(response)) == (400, told)
    assert api.get(url(made)).json() == made


def test_a_patch_to_the_ruc_of_another_is_refused(api: APIClient) -> None:
    first, second = kept(api), kept(api, ruc="8-NT-1-24")
    response = api.patch(url(second), {"ruc": RUC})
    assert (response.status_code, errors(response)) == (409, [(None, "customer_exists")])
    assert first["id"] in response.json()["errors"][0]["detail"]
    assert api.get(url(second)).json() == second


def test_two_changes_at_the_same_time_are_not_mixed(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept(api)
    judge = services._columns

    def overtaken(*args: Any) -> dict[str, Any]:
        Customer.unscoped.update(name="De otro", updated_at=timezone.now())
        return judge(*args)

    monkeypatch.setattr(services, "_columns", overtaken)
    response = api.patch(url(made), {"address": "Calle 51"})
    assert (response.status_code, errors(response)) == (503, [(None, "busy")])
    assert response.headers["Retry-After"]
    customer = Customer.unscoped.get()
    assert (customer.name, customer.address) == ("De otro", "Calle 50")


def test_there_is_no_put(api: APIClient) -> None:
    assert api.put(url(kept(api)), company()).status_code == 405


def test_a_customer_is_deleted(api: APIClient) -> None:
    made = kept(api)
    response = api.delete(url(made))
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(url(made)).status_code == 404
    assert api.delete(url(made)).status_code == 404


# --- finding ------------------------------------------------------------------------------------


def names(response: Any) -> list[str]:
    return [customer["name"] for customer in response.json()["results"]]


@pytest.fixture
def several(api: APIClient) -> None:
    kept(api, name="Ñandú y Compañía, S.A.")
    kept(api, name="Álvarez Hermanos", ruc="8-NT-1-24")
    kept(api, name="ALVARADO, JUAN", ruc="8-274-125", ruc_type="NATURAL")
    kept(api, name="100% Panamá", ruc="155700000-2-2021")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("alva", ["ALVARADO, JUAN", "Álvarez Hermanos"]),
        ("ÁLVAR", ["ALVARADO, JUAN", "Álvarez Hermanos"]),
        ("álvarez h", ["Álvarez Hermanos"]),
        ("NANDU", ["Ñandú y Compañía, S.A."]),
        ("155", ["100% Panamá", "Ñandú y Compañía, S.A."]),
        ("8-nt", ["Álvarez Hermanos"]),
        (RUC, ["Ñandú y Compañía, S.A."]),
        ("100%", ["100% Panamá"]),
        ("%", []),
        ("_", []),
        ("Hermanos", []),
    ],
)
def test_they_are_found_by_the_beginning_of_name_or_ruc(
    query: str, found: list[str], api: APIClient, several: None
) -> None:
    assert names(api.get(CUSTOMERS, {"q": query})) == found


def test_the_list_is_a_cursor_page_newest_first(api: APIClient, several: None) -> None:
    first = api.get(CUSTOMERS, {"page_size": 3})
    assert names(first) == ["100% Panamá", "ALVARADO, JUAN", "Álvarez Hermanos"]
    rest = api.get(first.json()["next"])
    assert (names(rest), rest.json()["next"]) == (["Ñandú y Compañía, S.A."], None)


def test_a_search_text_that_no_database_takes_is_a_fault(api: APIClient) -> None:
    response = api.get(CUSTOMERS, {"q": "a\0b"})
    assert (response.status_code, errors(response)) == (400, [("q", "null_characters_not_allowed")])


def test_a_page_costs_the_same_for_many(
    api: APIClient, several: None, django_assert_max_num_queries: Any
) -> None:
    api.get(CUSTOMERS)
    with django_assert_max_num_queries(2):
        assert len(api.get(CUSTOMERS).json()["results"]) == 4


# --- verification -------------------------------------------------------------------------------


def test_it_is_told_when_the_ruc_was_last_confirmed(api: APIClient) -> None:
    made = kept(api)
    moment = timezone.now() - timedelta(days=3)
    found = RucVerification.objects.create(
        ruc=RUC, ruc_type="JURIDICO", exists=True, verified_at=moment
    )
    shown = api.get(url(made)).json()["ruc_verified_at"]
    assert shown == timezone.localtime(moment).isoformat()
    assert api.get(CUSTOMERS).json()["results"][0]["ruc_verified_at"] == shown
    assert api.patch(url(made), {"name": "Otro"}).json()["ruc_verified_at"] == shown
    RucVerification.objects.filter(pk=found.pk).update(exists=False)
    assert api.get(url(made)).json()["ruc_verified_at"] is None


@pytest.mark.django_db(transaction=True)
def test_a_look_up_of_the_ruc_is_told_on_the_customer(api: APIClient, box: Sandbox) -> None:
    looked_up = api.get(f"/api/v1/ruc/{RUC}?type=JURIDICO").json()
    assert kept(api)["ruc_verified_at"] == looked_up["verified_at"]


# --- whose --------------------------------------------------------------------------------------


def test_another_tenants_customer_does_not_exist(
    api: APIClient, bob: Tenant, client_of: Any
) -> None:
    made, stranger = kept(api), client_of(bob)
    assert stranger.get(url(made)).status_code == 404
    assert stranger.patch(url(made), {"name": "Mío"}).status_code == 404
    assert stranger.delete(url(made)).status_code == 404
    assert stranger.get(CUSTOMERS).json()["results"] == []
    assert stranger.get(CUSTOMERS, {"q": "cliente"}).json()["results"] == []
    assert api.get(url(made)).json() == made


def test_a_key_to_read_changes_nothing(alice: Tenant, api: APIClient, client_of: Any) -> None:
    made, reader = kept(api), client_of(alice, "read")
    assert reader.get(url(made)).status_code == 200
    assert reader.post(CUSTOMERS, foreigner()).status_code == 403
    assert reader.patch(url(made), {"name": "x"}).status_code == 403
    assert reader.delete(url(made)).status_code == 403
    assert APIClient().get(CUSTOMERS).status_code == 401
