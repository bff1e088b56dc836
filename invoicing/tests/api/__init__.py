"""What the tests of the API share."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

from rest_framework.response import Response
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import (
    Document,
    DocumentLine,
    File,
    HistoryEntry,
    IdempotencyRecord,
    Payment,
)
from invoicing.tests.fiscal import EVERYTHING, ISSUED_AT
from tenants.models import NumberSeries

__all__ = ["EVERYTHING", "ISSUED_AT"]

URL = "/api/v1/invoices"
SAMPLES = Path(__file__).parent.parent / "samples"
FAR = {"b2b-credit", "government-retention"}  # sold on credit: these fall due some day


def sample(name: str) -> dict[str, Any]:
    """A sample that does not grow old: what falls due in it falls due in 2099."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return found | ({"due_date": "2099-12-22"} if name in FAR else {})


def cash(**changes: Any) -> dict[str, Any]:
    """A sale of B/.203.30, paid at once."""
    return {name: value for name, value in body(**changes).items() if name != "due_date"} | changes


def with_line(base: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The small invoice with something else in its line."""
    made = deepcopy(body() if base is None else base)
    made["lines"][0] |= changes
    return made


def stored() -> dict[str, Any]:
    """All that issuing writes: the same before and after what was refused."""
    counts = {
        model.__name__: model.unscoped.count()
        for model in (Document, DocumentLine, Payment, HistoryEntry, IdempotencyRecord, File)
    }
    numbers = NumberSeries.unscoped.order_by("pk").values_list("pk", "last_number")
    return counts | {"numbers": list(numbers)}


def post_raw(
    api: APIClient, content: bytes | str, url: str = URL, content_type: str = "application/json"
) -> Response:
    response: Response = api.generic("POST", url, content, content_type=content_type)
    return response


def errors(response: Any) -> list[tuple[str | None, str]]:
    """The path and code of each error of a refusal."""
    told = response.json()["errors"]
    assert all(error["detail"] for error in told)
    return [(error["attr"], error["code"]) for error in told]


def amounts(response: Any, *names: str) -> dict[str, Decimal]:
    return {name: Decimal(response.data["totals"][name]) for name in names}
