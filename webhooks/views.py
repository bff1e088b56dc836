"""The door that the PAC's webhooks come through."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tenants.log_context import add_to_log
from tenants.models import Tenant
from webhooks import inbox

LIMIT = 64 * 1024  # bytes
LONGEST_LENGTH = 12  # digits of a Content-Length
SIGNATURE = "X-Pac-Signature"


@csrf_exempt
@require_POST
def pac_webhook(request: HttpRequest, company_id: str) -> HttpResponse:
    """Stores a delivery and answers. 404 unknown company, 403 wrong or missing secret, 413 over
    64 KiB, 400 not JSON, 200 for everything else: what it says is looked up at the PAC later."""
    tenant = tenant_of(company_id)
    if tenant is None:
        return refusal(404, "There is no such company here.")
    add_to_log(tenant=tenant.pk)
    given = request.headers.get(SIGNATURE, "")
    # Every secret is compared, so that the time taken tells nothing about which one is right.
    matches = [constant_time_compare(given, secret) for secret in tenant.webhook_secrets()]
    if not any(matches):
        return refusal(403, f"The header {SIGNATURE} does not carry this company's secret.")
    try:
        body = read_body(request)
        if body is None:
            return refusal(413, f"A delivery has at most {LIMIT} bytes.")
        inbox.store(tenant, body)
    except ValueError as error:
        return refusal(400, f"Not JSON: {error}")
    return JsonResponse({"received": True})


def tenant_of(company_id: str) -> Tenant | None:
    if not company_id.isprintable():
        return None  # PostgreSQL would refuse a NUL even in a question
    tenants = Tenant.objects.only("webhook_secret", "previous_webhook_secret").order_by()
    return tenants.filter(pac_company_id=company_id).first()


def read_body(request: HttpRequest) -> bytes | None:
    """The body; None where it is over `LIMIT`. Raises `ValueError` where it cannot be read."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced and not (announced.isascii() and announced.isdigit()):
        raise ValueError("the Content-Length is no number")
    if len(announced) > LONGEST_LENGTH or int(announced or 0) > LIMIT:
        return None
    # Sent in chunks there is no length, which Django takes for an empty body; the server, where it
    # says so, knows the end.
    chunked = not announced and request.META.get("wsgi.input_terminated")
    stream = request.META["wsgi.input"] if chunked else request
    try:
        body = bytes(stream.read(LIMIT + 1))
    except Exception as error:  # each server has its own for a body that breaks off
        raise ValueError("the body broke off") from error
    return body if len(body) <= LIMIT else None


def refusal(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
