"""Which method and path leads to which call."""

import re
from collections.abc import Callable
from typing import NamedTuple

from pac.sandbox.control import Control
from pac.sandbox.documents import Documents
from pac.sandbox.files import SignedLinks
from pac.sandbox.issuing import Issuing
from pac.sandbox.kinds import Kind
from pac.sandbox.lookups import Lookups
from pac.sandbox.onboarding import Onboarding
from pac.sandbox.wire import ApiError, Request, Response

Handler = Callable[..., Response]

PARAMETERS = {"kind": "|".join(kind.path for kind in Kind), "form": "pdf|xml"}
"""What a parameter of a path may be; any other is one segment."""


class Match(NamedTuple):
    """A call that was found: its handler, and the name that it is counted under."""

    name: str
    handler: Handler
    parameters: dict[str, str]

    def call(self, request: Request) -> Response:
        return self.handler(request, **self.parameters)


class _Route(NamedTuple):
    method: str
    template: str
    pattern: re.Pattern[str]
    handler: Handler


class Routes:
    """A table of `METHOD /path/{parameter}`."""

    def __init__(self, table: dict[str, Handler]) -> None:
        self._routes = [_route(line, handler) for line, handler in table.items()]

    def find(self, request: Request) -> Match:
        """Raises ApiError: 405 for a path of ours with another method, 404 for no path of ours."""
        allowed = []
        for route in self._routes:
            match = route.pattern.fullmatch(request.path)
            if match is None:
                continue
            if route.method == request.method:
                parameters = match.groupdict()
                # Families are counted apart, ids are not.
                path = route.template.replace("{kind}", parameters.get("kind", ""))
                return Match(f"{route.method} {path}", route.handler, parameters)
            allowed.append(route.method)
        if allowed:
            allow = {"Allow": ", ".join(sorted(allowed))}
            raise ApiError(405, {"message": "Method Not Allowed"}, allow)
        raise ApiError.because(404, "Not found")


def _route(line: str, handler: Handler) -> _Route:
    method, _, template = line.partition(" ")
    expression = re.sub(
        r"\{(\w+)\}", lambda name: f"(?P<{name[1]}>{PARAMETERS.get(name[1], '[^/]+')})", template
    )
    return _Route(method, template, re.compile(expression), handler)


def public_routes(
    onboarding: Onboarding,
    lookups: Lookups,
    issuing: Issuing,
    documents: Documents,
    links: SignedLinks,
) -> Routes:
    """What Alanube offers, and the files that its links lead to."""
    return Routes(
        {
            "POST /pan/v1/companies": onboarding.create_company,
            "GET /pan/v1/companies": onboarding.list_companies,
            "GET /pan/v1/companies/{company}": onboarding.read_company,
            "PATCH /pan/v1/companies/{company}": onboarding.change_company,
            "GET /pan/v1/company-affiliate": onboarding.affiliate,
            "POST /pan/v1/companies/{company}/offices": onboarding.create_office,
            "GET /pan/v1/companies/{company}/offices": onboarding.list_offices,
            "GET /pan/v1/companies/{company}/offices/{office}": onboarding.read_office,
            "PATCH /pan/v1/companies/{company}/offices/{office}": onboarding.change_office,
            "GET /pan/v1/check-digit": lookups.check_digit,
            "GET /pan/v1/dgi/{name}": lookups.catalogue,
            "POST /pan/v1/documents/notify-email": documents.notify_email,
            "POST /pan/v1/documents/notify-webhook": documents.notify_webhook,
            "POST /pan/v1/{kind}": issuing.issue,
            "GET /pan/v1/{kind}": documents.find,
            "GET /pan/v1/{kind}/{document}": documents.read,
            "DELETE /pan/v1/{kind}/{document}": documents.void,
            "GET /files/{document}.{form}": links.download,
        }
    )


def control_routes(control: Control) -> Routes:
    """What only the sandbox has."""
    return Routes(
        {
            "GET /__sandbox__/documents": control.documents,
            "GET /__sandbox__/requests": control.requests,
            "GET /__sandbox__/faults": control.options,
            "POST /__sandbox__/faults": control.faults,
            "POST /__sandbox__/settle": control.settle,
            "POST /__sandbox__/reset": control.reset,
        }
    )
