"""The door that the PAC's webhooks come through."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tenants.models import Tenant
from webhooks import inbox

LIMIT = 64 * 1024  # bytes
SIGNATURE = "X-Pac-Signature"


@csrf_exempt
@require_POST
def pac_webhook(request: HttpRequest, company_id: str) -> HttpResponse:
    """Stores a delivery and answers. 404 unknown company, 403 wrong or missing secret, 413 over
    64 KiB, 400 not JSON, 200 for everything else: what it says is looked up at the PAC later."""
    tenant = Tenant.objects.filter(pac_company_id=company_id).first()
    if tenant is None:
        return refusal(404, "There is no such company here.")
    given = request.headers.get(SIGNATURE, "")
    # Every secret is compared, so that the time taken tells nothing about which one is right.
    matches = [constant_time_compare(given, secret) for secret in tenant.webhook_secrets()]
    if not any(matches):
        return refusal(403, f"The header {SIGNATURE} does not carry this company's secret.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > LIMIT:
        return refusal(413, f"A delivery has at most {LIMIT} bytes.")
    try:
        inbox.store(tenant, request.read(LIMIT))
    except ValueError as error:
        return refusal(400, f"Not JSON: {error}")
    return JsonResponse({"received": True})


def refusal(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
