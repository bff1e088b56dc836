"""A text that is encrypted at rest."""

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys]
    )


class EncryptedTextField(models.TextField):
    """Text that the database only ever sees encrypted (Fernet: AES-128-CBC and HMAC-SHA256).

    The first of `FIELD_ENCRYPTION_KEYS` encrypts, each of them decrypts: a new key is put in front
    and the old one stays in the list until every row was saved again. A row that no key opens
    raises `cryptography.fernet.InvalidToken`. It cannot be searched by value.
    """

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        if not text:
            return text
        return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(text.encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if not value:
            return value
        return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(value.encode()).decode()
