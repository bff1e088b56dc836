"""The OpenAPI document: valid, complete, and open to everybody."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular import drainage
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from invoicing.tests.api.asks import POSTS

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def served() -> tuple[Any, list[str]]:
    """What somebody without a key is served, and what was warned of while it was made."""
    drainage.reset_generator_stats()
    response = APIClient().get("/api/schema/")
    assert response.status_code == 200
    stats = drainage.GENERATOR_STATS
    schema = yaml.load(response.content, Loader=yaml.CSafeLoader)  # as safe, faster
    return schema, [*stats._warn_cache, *stats._error_cache]


@pytest.fixture(scope="module")
def schema(served: tuple[Any, list[str]]) -> Any:
    return served[0]


def routes(patterns: Any, prefix: str = "/") -> set[str]:
    """Every route of the API, parameters as OpenAPI writes them."""
    found = set()
    for pattern in patterns:
        path = prefix + str(pattern.pattern).replace("^", "").replace("$", "").replace("\\Z", "")
        if isinstance(pattern, URLResolver):
            found |= routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            parts = path.split("<")
            named = [part.partition(">") for part in parts[1:]]
            found.add(
                parts[0]
                + "".join(f"{{{name.rpartition(':')[2]}}}{rest}" for name, _, rest in named)
            )
    return {path for path in found if path.startswith("/api/v1/")}


def test_the_schema_is_valid(schema: Any) -> None:
    assert schema["openapi"].startswith("3.")
    validate_schema(schema)


def test_the_schema_is_made_without_a_warning(served: tuple[Any, list[str]]) -> None:
    """What `manage.py spectacular --fail-on-warn` asks for."""
    assert served[1] == []


def test_the_schema_names_every_path(schema: Any) -> None:
    named = {path.replace("{id}", "{pk}") for path in schema["paths"]}
    served = routes(get_resolver().url_patterns)
    assert "/api/v1/invoices/{pk}/submit" in served
    assert served - named == set()


def test_every_operation_says_what_it_does_and_needs_a_key(schema: Any) -> None:
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            if verb == "parameters":
                continue
            assert operation.get("summary") or operation.get("description"), (verb, path)
            assert operation["security"] == [{"apiKey": []}], (verb, path)
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_issuing_is_described_with_its_header_and_its_answers(schema: Any) -> None:
    post = schema["paths"]["/api/v1/invoices"]["post"]
    assert {parameter["name"] for parameter in post["parameters"]} == {"Idempotency-Key", "wait"}
    assert {"201", "400", "401", "403", "409", "413", "429"} <= set(post["responses"])
    [reference] = post["requestBody"]["content"]["application/json"]["schema"].values()
    needed = schema["components"]["schemas"][reference.rpartition("/")[2]]["required"]
    assert set(needed) == {"lines"}  # and `receiver` or `customer`


def test_every_post_is_described_with_its_key(schema: Any) -> None:
    silent = []
    for route in POSTS:
        told = schema["paths"]["/" + route.replace("<uuid:pk>", "{id}")]["post"]["parameters"]
        if "Idempotency-Key" not in {parameter["name"] for parameter in told}:
            silent.append(route)
    assert silent == []


def test_money_is_described_as_text(schema: Any) -> None:
    totals = schema["components"]["schemas"]["TotalsOutput"]["properties"]
    assert {field["type"] for field in totals.values()} == {"string"}


def test_the_pages_of_the_documentation_are_served() -> None:
    response = APIClient().get("/api/docs/")
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
