"""JSON as it went over the wire: its numbers stay decimal, digit by digit, there and back."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

from pac import wire

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class WireEncoder(json.JSONEncoder):
    def encode(self, o: Any) -> str:
        return wire.encode(o)


class WireDecoder(json.JSONDecoder):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal})


class WireJSONField(models.JSONField):
    """What was sent to the PAC or came from it, fit to be sent once more exactly as it was."""

    def __init__(
        self, verbose_name: "StrOrPromise | None" = None, name: str | None = None, **options: Any
    ):
        options |= {"encoder": WireEncoder, "decoder": WireDecoder}
        super().__init__(verbose_name, name, **options)
