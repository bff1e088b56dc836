"""Who may see what: a token owns its companies, a company its offices and documents."""

from pac.sandbox.kinds import Kind
from pac.sandbox.records import Company, Document
from pac.sandbox.state import State
from pac.sandbox.wire import ApiError, Request


def company_named(state: State, request: Request) -> Company:
    """The company of `?idCompany=`; without it, the token's main one.

    Raises ApiError: 400 where there is no main one, 404 for an unknown or foreign company.
    """
    company_id = request.query.get("idCompany")
    if company_id:
        return owned_company(state, request, company_id)
    for company in state.companies_of(request.token):
        if company.details["type"] == "main":
            return company
    raise ApiError.because(400, "idCompany is required: the token has no main company")


def owned_company(state: State, request: Request, company_id: str) -> Company:
    """A company of the caller's token. Raises ApiError (404)."""
    company = state.companies.get(company_id)
    if company is None or company.token != request.token:
        raise ApiError.because(404, "Company not found")
    return company


def owned_document(state: State, company: Company, document_id: str, kind: Kind) -> Document:
    """A company's document of a family. Raises ApiError (404)."""
    document = state.documents.get(document_id)
    if document is None or document.company_id != company.id or document.kind is not kind:
        raise ApiError.because(404, "Document not found")
    return document
