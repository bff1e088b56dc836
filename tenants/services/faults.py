"""What is wrong with what was given: an English sentence, and the code that other languages use."""

from typing import Any

from django.core.exceptions import ValidationError

Fault = ValidationError
Faults = dict[str, list[Fault]]
"""Every fault, by field."""


def fault(code: str, sentence: str, **params: Any) -> Fault:
    """`sentence` names its `params` as `%(name)s`; a page in Spanish finds its own by `code`."""
    return ValidationError(sentence, code=code, params=params)
