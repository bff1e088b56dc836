"""Reading a request thoroughly: what is wrong is all found, what is right is all kept.

DRF stops at the first level that fails and forgets the rest. Here a body is read once into what
could be understood and a list of faults with their paths, so that the fiscal rules can judge the
sound parts and every fault is reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import SkipField, empty

from invoicing.fiscal.draft import Fault

SerializerT = TypeVar("SerializerT", bound=serializers.BaseSerializer[Any])

EXACT = 15  # digits; of more, SQLite would keep an approximation only


class Understood(ValidationError):
    """Some of the value is wrong; `value` holds what is not."""

    def __init__(self, detail: Any, value: Any) -> None:
        super().__init__(detail)
        self.value = value


class ThoroughSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, and collects the faults of all the others."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError("Expected an object.", code="invalid")
        found: dict[str, Any] = {}
        faults: dict[str, Any] = {
            str(name): [ErrorDetail("There is no such field here.", code="unknown_field")]
            for name in data
            if name not in self.fields
        }
        faults |= self.missing(data)
        for name, field in self.fields.items():
            try:
                found[name] = field.run_validation(data.get(name, empty))
            except Understood as error:
                faults[name] = error.detail
                found[name] = error.value
            except ValidationError as error:
                faults[name] = error.detail
            except SkipField:
                continue
        if faults:
            raise Understood(faults, found)
        return found

    def missing(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The faults of fields that are needed because of what other fields say."""
        return {}

    def run_validation(self, data: Any = empty) -> Any:
        is_empty, data = self.validate_empty_values(data)
        return data if is_empty else self.to_internal_value(data)


class ThoroughList(serializers.ListField):
    """A list that keeps its length: an item that is not understood leaves None in its place."""

    def run_child_validation(self, data: Any) -> list[Any]:
        items: list[Any] = []
        faults: dict[str, Any] = {}
        for index, item in enumerate(data):
            try:
                items.append(self.child.run_validation(item))
            except Understood as error:
                items.append(error.value)
                faults[str(index)] = error.detail
            except ValidationError as error:
                items.append(None)
                faults[str(index)] = error.detail
        if faults:
            raise Understood(faults, items)
        return items


class TextField(serializers.CharField):
    """A JSON string; a number or a boolean is not taken for one."""

    default_error_messages = {"invalid": "Send a JSON string."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class AmountField(serializers.DecimalField):
    """A decimal number as a JSON string, such as "100.00": a float could not hold it exactly."""

    default_error_messages = {"not_a_string": 'Send the number as a string, such as "100.00".'}

    def __init__(self, *, decimal_places: int = 2, **options: Any) -> None:
        super().__init__(
            max_digits=min(12 + decimal_places, EXACT), decimal_places=decimal_places, **options
        )

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("not_a_string")
        if not data.isascii() or "_" in data or "e" in data.lower():
            self.fail("invalid")
        # Adding zero makes "-0.00" the zero that it is.
        return super().to_internal_value(data) + 0


class WholeNumberField(serializers.IntegerField):
    """A JSON integer; a string or a boolean is not taken for one."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """A JSON true or false; a word or a number is not taken for one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StringMapField(serializers.DictField):
    """A flat object of strings, at most 4 KiB altogether."""

    child = TextField(allow_blank=True)
    limit = 4096  # bytes
    default_error_messages = {"too_large": "Keys and values have more than 4096 bytes altogether."}

    def to_internal_value(self, data: Any) -> dict[str, str]:
        found: dict[str, str] = super().to_internal_value(data)
        if sum(len(key.encode()) + len(text.encode()) for key, text in found.items()) > self.limit:
            self.fail("too_large")
        return found


def flatten(detail: Any, path: str = "") -> list[Fault]:
    """DRF's nested errors as faults with dotted paths."""
    if isinstance(detail, Mapping):
        return [
            fault
            for name, inner in detail.items()
            for fault in flatten(inner, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(detail, list):
        return [fault for inner in detail for fault in flatten(inner, path)]
    return [Fault(path or "non_field_errors", detail.code, str(detail))]


@cache
def shared(kind: type[SerializerT]) -> SerializerT:
    """One serializer for every request: DRF copies all the fields of a new one, which costs more
    than reading a small body with it. For those that keep nothing of what they read or show."""
    return kind()


def read(serializer: ThoroughSerializer, data: Any) -> tuple[dict[str, Any], list[Fault]]:
    """What could be understood of `data`, and every fault of the rest. Raises `ValidationError` for
    what is no object at all."""
    try:
        return serializer.run_validation(data), []
    except Understood as error:
        return error.value, flatten(error.detail)
