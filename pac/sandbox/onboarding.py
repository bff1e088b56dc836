"""Companies, their affiliation at the DGI, and their offices."""

from typing import Any

from ulid import ULID

from pac.dgi.ruc import MalformedRuc, check_digit, parse
from pac.sandbox.access import company_named, owned_company
from pac.sandbox.company_shape import COMPANY_CHANGE, NEW_COMPANY, NEW_OFFICE, OFFICE_CHANGE
from pac.sandbox.options import Options
from pac.sandbox.records import NOT_REQUESTED, REQUESTED, SUBSCRIBED, Company, Office
from pac.sandbox.rules.receiver import RUC_TYPES
from pac.sandbox.shape import problems_of
from pac.sandbox.state import State
from pac.sandbox.wire import ApiError, Problem, Request, Response

AFFILIATE = "1"
REQUEST_QR = "3"
NOT_AFFILIATED = "AP1010"
"""The PAC's code: the company's QR was not requested, or is wrong."""


class Onboarding:
    """The calls that make an issuer. Certificates are checked for form and forgotten."""

    def __init__(self, state: State, options: Options) -> None:
        self._state = state
        self._options = options

    def create_company(self, request: Request) -> Response:
        body = request.json_object()
        problems = problems_of(body, NEW_COMPANY)
        if not problems:
            problems = _ruc_problems(body)
        with self._state.lock:
            if not problems:
                problems = self._company_problems(request.token, body)
            if problems:
                raise ApiError.refused(*problems)
            company = Company(str(ULID()), request.token, _without_secrets(body))
            self._state.add_company(company)
            return Response(201, company.wire())

    def _company_problems(self, token: str, body: dict[str, Any]) -> list[Problem]:
        mine = self._state.companies_of(token)
        found = []
        if any(
            (each.ruc, each.ruc_type) == (body["ruc"], body["typeRuc"]["code"]) for each in mine
        ):
            message = "A company with this RUC already exists"
            found.append(Problem("AP1001", message, "instance.ruc"))
        if body["type"] == "main" and any(each.details["type"] == "main" for each in mine):
            message = "The token already has its main company"
            found.append(Problem("AP1001", message, "instance.type"))
        return found

    def list_companies(self, request: Request) -> Response:
        return Response(200, [each.wire() for each in self._state.companies_of(request.token)])

    def read_company(self, request: Request, company: str) -> Response:
        return Response(200, owned_company(self._state, request, company).wire())

    def change_company(self, request: Request, company: str) -> Response:
        found = owned_company(self._state, request, company)
        body = request.json_object()
        if problems := problems_of(body, COMPANY_CHANGE):
            raise ApiError.refused(*problems)
        with self._state.lock:
            found.details |= _without_secrets(body)
            self._state.touch()
            return Response(200, found.wire())

    def affiliate(self, request: Request) -> Response:
        """affiliationType 3 asks for the QR; 1 finishes, once the taxpayer has accepted it.

        Here he accepts at once, unless the option `affiliation_pending` holds him back.
        """
        step = request.query.get("affiliationType")
        if step not in (AFFILIATE, REQUEST_QR):
            raise ApiError.because(400, "affiliationType must be 1 or 3")
        with self._state.lock:
            company = company_named(self._state, request)
            if company.affiliated != SUBSCRIBED:
                company.affiliated = self._next_affiliation(company, step)
                self._state.touch()
            return Response(200, company.wire())

    def _next_affiliation(self, company: Company, step: str) -> str:
        if step == REQUEST_QR:
            return REQUESTED
        if company.affiliated == NOT_REQUESTED:
            message = "Company QR not requested or wrong"
            raise ApiError.refused(Problem(NOT_AFFILIATED, message, "affiliationType"))
        if self._options.affiliation_pending:
            message = "Company QR not accepted by the taxpayer yet"
            raise ApiError.refused(Problem(NOT_AFFILIATED, message, "affiliationType"))
        return SUBSCRIBED

    def create_office(self, request: Request, company: str) -> Response:
        owner = owned_company(self._state, request, company)
        body = request.json_object()
        if problems := problems_of(body, NEW_OFFICE):
            raise ApiError.refused(*problems)
        with self._state.lock:
            _refuse_taken_code(owner, body["code"])
            office = Office(str(ULID()), body)
            owner.offices[office.id] = office
            self._state.touch()
            return Response(201, office.wire())

    def list_offices(self, request: Request, company: str) -> Response:
        owner = owned_company(self._state, request, company)
        with self._state.lock:
            return Response(200, [each.wire() for each in owner.offices.values()])

    def read_office(self, request: Request, company: str, office: str) -> Response:
        return Response(200, self._office(request, company, office).wire())

    def change_office(self, request: Request, company: str, office: str) -> Response:
        found = self._office(request, company, office)
        body = request.json_object()
        if problems := problems_of(body, OFFICE_CHANGE):
            raise ApiError.refused(*problems)
        with self._state.lock:
            if body.get("code", found.code) != found.code:
                _refuse_taken_code(self._state.companies[company], body["code"])
            found.details |= body
            self._state.touch()
            return Response(200, found.wire())

    def _office(self, request: Request, company: str, office: str) -> Office:
        owner = owned_company(self._state, request, company)
        if office not in owner.offices:
            raise ApiError.because(404, "Office not found")
        return owner.offices[office]


def _ruc_problems(body: dict[str, Any]) -> list[Problem]:
    ruc_type = RUC_TYPES[body["typeRuc"]["code"]]
    try:
        canonical = parse(body["ruc"], ruc_type).text
    except MalformedRuc:
        canonical = ""
    if canonical != body["ruc"]:
        return [Problem("1560", "Regla de formación del RUC invalida", "instance.ruc")]
    if check_digit(canonical, ruc_type) != body["checkDigit"]:
        message = "instance.checkDigit is not the check digit of the RUC"
        return [Problem("1560", message, "instance.checkDigit")]
    return []


def _without_secrets(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "certificates"}


def _refuse_taken_code(company: Company, code: str) -> None:
    if any(each.code == code for each in company.offices.values()):
        message = f"An office with code {code} already exists"
        raise ApiError.refused(Problem("AP1002", message, "instance.code"))
