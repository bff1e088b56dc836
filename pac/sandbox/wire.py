"""What travels: requests, answers, problems, and JSON whose numbers stay exact."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

JSON = "application/json"


class Problem(NamedTuple):
    """One entry of `errors[]` in a refusal."""

    code: str
    message: str
    field: str

    @classmethod
    def at(cls, path: str, message: str) -> "Problem":
        """A fault of form, worded as the PAC's schema validator words it."""
        return cls("VALIDATION", f"{path} {message}", path)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: `body` is a JSON value, or bytes of `content_type`."""

    status: int
    body: object = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Cut:
    """No answer at all: the connection is reset after `delay` seconds."""

    delay: float = 0.0


class ApiError(Exception):
    """Ends a call with an answer that is no success; `problems` are those of what was sent."""

    problems: tuple[Problem, ...] = ()

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.response = Response(status, body, headers=headers or {})

    @classmethod
    def because(cls, status: int, message: str) -> "ApiError":
        return cls(status, {"message": message})

    @classmethod
    def refused(cls, *problems: Problem) -> "ApiError":
        """400 with every problem at once."""
        error = cls(400, {"errors": [each._asdict() for each in problems]})
        error.problems = problems
        return error


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read whole. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    from_loopback: bool = True

    @classmethod
    def of(
        cls, method: str, target: str, headers: Mapping[str, str], body: bytes, loopback: bool
    ) -> "Request":
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        lowered = {name.lower(): value for name, value in headers.items()}
        return cls(method, parts.path, query, lowered, body, loopback)

    @property
    def token(self) -> str:
        """The Bearer token. Raises ApiError (401) where there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ApiError.because(401, "Unauthorized")
        return token.strip()

    @property
    def origin(self) -> str:
        """Where the caller reached us: links that we hand out must have the same origin."""
        return f"http://{self.headers.get('host', 'localhost')}"

    def json_object(self) -> dict[str, Any]:
        """The body. Raises ApiError: 415 for another media type, 400 where it is no object."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != JSON:
            raise ApiError.because(415, f"Content-Type must be {JSON}")
        try:
            value = loads(self.body)
        except (ValueError, ArithmeticError, RecursionError):
            raise ApiError.because(400, "Unexpected token in JSON") from None
        if not isinstance(value, dict):
            raise ApiError.refused(Problem.at("instance", "is not of a type(s) object"))
        return value


def loads(text: bytes | str) -> Any:
    """Parse JSON: numbers with a point become Decimal, NaN and Infinity are refused."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def dumps(value: object) -> str:
    """Write JSON. A Decimal becomes a number: its shortest form, so 100.00 reads 100.0."""
    return json.dumps(value, default=_encode, ensure_ascii=False, separators=(",", ":"))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _encode(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
