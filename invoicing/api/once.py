"""The header `Idempotency-Key`: the same POST twice acts once and is answered the same.

Issuing and importing hand the key to their service, which keeps the answer in its own commit. Every
other POST wears one of the two decorators here. A test goes through all routes: none is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import is_success

from invoicing.models import IdempotencyRecord
from invoicing.services import idempotency
from invoicing.services.idempotency import IdempotencyKey
from tenants.api.authentication import key_of

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    location=OpenApiParameter.HEADER,
    description="Your name for this request. Sent again, it gets the same answer for 24 hours.",
)
KEY_LENGTH = 255
REPLAYED = {"Idempotency-Replayed": "true"}
MARGIN = timedelta(seconds=10)  # from the end of a wait to the answer that is sent

View = TypeVar("View")
Rest = ParamSpec("Rest")


@dataclass(frozen=True, slots=True)
class Awaited:
    """What an action returns whose answer may become better: `wait` for `seconds` at most."""

    answer: Callable[[], Response]
    wait: Callable[[int], None]
    seconds: int

    def after_waiting(self) -> Response:
        self.wait(self.seconds)
        return self.answer()

    def latest(self) -> datetime:
        return timezone.now() + timedelta(seconds=self.seconds) + MARGIN


Action = Callable[Concatenate[View, Request, Rest], Response | Awaited]
Handler = Callable[Concatenate[View, Request, Rest], Response]


def once_in_one_commit(action: Action[View, Rest]) -> Handler[View, Rest]:
    """For an action that only writes: key, work and answer are one transaction.

    A kill leaves nothing or all of it. What the action waits for comes after the commit.
    """

    @wraps(action)
    def handler(view: View, request: Request, *args: Rest.args, **named: Rest.kwargs) -> Response:
        key = _key_of_post(request)
        if key is None:
            return _finished(action(view, request, *args, **named))
        with transaction.atomic():
            record = key.claim(key_of(request).tenant)
            if record.status_code is not None:
                return replay(record)
            done = action(view, request, *args, **named)
            response = done.answer() if isinstance(done, Awaited) else done
            if not is_success(response.status_code):
                transaction.set_rollback(True)
                return response
            until = done.latest() if isinstance(done, Awaited) else None
            idempotency.answer(record, response.status_code, response.data, until=until)
        if isinstance(done, Awaited):
            response = done.after_waiting()
            idempotency.answer(record, response.status_code, response.data)
        return response

    return handler


def once_under_a_lease(action: Action[View, Rest]) -> Handler[View, Rest]:
    """For an action that asks the world, which no transaction may do: the claim is committed first.

    The action must be safe to repeat: where a process dies, a twin does it again when the lease is
    over.
    """

    @wraps(action)
    def handler(view: View, request: Request, *args: Rest.args, **named: Rest.kwargs) -> Response:
        key = _key_of_post(request)
        if key is None:
            return _finished(action(view, request, *args, **named))
        record = key.claim(key_of(request).tenant)
        if record.status_code is not None:
            return replay(record)
        try:
            response = _finished(action(view, request, *args, **named))
        except Exception:
            idempotency.release(record)
            raise
        if is_success(response.status_code):
            idempotency.answer(record, response.status_code, response.data)
        else:
            idempotency.release(record)
        return response

    return handler


def _finished(done: Response | Awaited) -> Response:
    return done.after_waiting() if isinstance(done, Awaited) else done


def replay(record: IdempotencyRecord) -> Response:
    """The answer that the same request got before."""
    return Response(json.loads(record.answer), status=record.status_code, headers=REPLAYED)


def _key_of_post(request: Request) -> IdempotencyKey | None:
    return idempotency_key(request) if request.method == "POST" else None


def idempotency_key(request: Request, *, said: Any = None) -> IdempotencyKey | None:
    """What the `Idempotency-Key` header and the request say; None without the header.

    `said` stands for the body where that is no JSON. The query (`?wait`) does not count.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not key.strip() or len(key) > KEY_LENGTH or not key.isprintable():
        raise ValidationError(
            {"Idempotency-Key": f"1 to {KEY_LENGTH} printable characters."}, code="invalid"
        )
    body = request.data if said is None else said
    return IdempotencyKey.of(key, request.method or "", request.path, body)
