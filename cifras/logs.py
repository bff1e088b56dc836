"""How a log line looks: JSON for machines, or a plain line for a terminal. Both are masked.

Masking is the formatter's, the last thing that happens to a line: it covers message, arguments,
exception and extra fields alike, however they came in, and leaves the record itself as it was for
whoever else (an error tracker) looks at it.
"""

from __future__ import annotations

import copy
import logging
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from cifras.masking import mask, mask_value
from tenants.log_context import log_fields

# Objects that Django and its server hang on a record; what they have to tell has its own fields.
OBJECTS = ("request", "response", "server_time", "status_code", "taskName")


class JsonLines(JsonFormatter):
    """One record, one line: `timestamp`, `level`, `logger`, `message`, what the work is about
    (`request_id`, `tenant`, `document`), extra fields, and `exception`."""

    def __init__(self) -> None:
        super().__init__(
            reserved_attrs=[*RESERVED_ATTRS, *OBJECTS],
            rename_fields={"exc_info": "exception", "stack_info": "stack"},
            json_ensure_ascii=False,
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        moment = datetime.fromtimestamp(record.created, UTC)
        log_data["timestamp"] = moment.isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = record.message
        log_data.update(log_fields())
        super().add_fields(log_data, record, message_dict)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: mask_value(value, name) for name, value in log_data.items()}


class PlainLines(logging.Formatter):
    """A line for a person: time, level, logger, request, message; a traceback below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(about)s%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        about = " ".join(f"{name}={value}" for name, value in log_fields().items())
        line = copy.copy(record)
        line.about = f"[{about}] " if about else ""
        return super().formatMessage(line)
