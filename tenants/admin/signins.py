"""Who signed in, who failed to, and who is locked out: to look at, and to let in again."""

from datetime import datetime
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt, AccessBase, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from tenants.admin.scoped import LookOnly, OperatorOnly
from tenants.admin.unregistered import instead_of_theirs
from tenants.roles import UNLOCK


class SignInPage(LookOnly, OperatorOnly, ModelAdmin):
    show_full_result_count = False
    search_fields = ("username__startswith", "ip_address__startswith")
    search_help_text = _("El comienzo del usuario o de la dirección.")
    ordering = ("-id",)

    # The library's columns, in the words of the other pages.
    @display(description=_("usuario"), ordering="username")
    def account(self, row: AccessBase) -> str:
        return row.username or "—"

    @display(description=_("dirección"), ordering="ip_address")
    def address(self, row: AccessBase) -> str:
        return row.ip_address or "—"

    @display(description=_("momento"), ordering="attempt_time")
    def moment(self, row: AccessBase) -> datetime:
        moment: datetime = row.attempt_time
        return moment

    @display(description=_("navegador"))
    def browser(self, row: AccessBase) -> str:
        return str(row.user_agent)


@instead_of_theirs(AccessAttempt)
class LockoutAdmin(SignInPage):
    """The failures that count now: those of the last quarter of an hour."""

    list_display = ("account", "address", "failures", "moment", "state")
    fields = readonly_fields = ("account", "address", "browser", "failures", "moment", "state")
    actions = ("unlock",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        rows = AccessAttempt.objects.filter(attempt_time__gte=_still_counting())
        return (
            super()
            .get_queryset(request)
            .filter(pk__in=rows.values("pk"))
            .annotate(of_account=_sum_by("username"), of_address=_sum_by("ip_address"))
        )

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(UNLOCK)

    @display(description=_("fallos"), ordering="failures_since_start")
    def failures(self, attempt: AccessAttempt) -> int:
        return int(attempt.failures_since_start)

    @display(
        description=_("estado"),
        label={"account": "danger", "address": "danger", "open": "info"},
    )
    def state(self, attempt: Any) -> tuple[str, str]:
        limit = settings.AXES_FAILURE_LIMIT
        if (attempt.of_account or 0) >= limit:
            return "account", gettext("Cuenta bloqueada")
        if (attempt.of_address or 0) >= limit:
            return "address", gettext("Dirección bloqueada")
        return "open", gettext("Abierta")

    @admin.action(description=_("Desbloquear la cuenta y la dirección"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, attempts: QuerySet[AccessAttempt]) -> None:
        for attempt in list(attempts):
            words = gettext("Desbloqueadas la cuenta «%(account)s» y la dirección %(address)s.") % {
                "account": attempt.username,
                "address": attempt.ip_address,
            }
            self.log_change(request, attempt, words)
            AxesProxyHandler.reset_attempts(
                username=attempt.username, ip_address=attempt.ip_address, ip_or_username=True
            )
            self.message_user(request, words, messages.SUCCESS)


def _still_counting() -> datetime:
    moment: datetime = timezone.now() - settings.AXES_COOLOFF_TIME
    return moment


def _sum_by(column: str) -> Subquery:
    """The failures of the same account, or of the same address."""
    alike = AccessAttempt.objects.filter(
        attempt_time__gte=_still_counting(), **{column: OuterRef(column)}
    )
    return Subquery(
        alike.order_by()
        .values(column)
        .annotate(failures=Sum("failures_since_start"))
        .values("failures")
    )


@instead_of_theirs(AccessFailureLog)
class FailureLogAdmin(SignInPage):
    list_display = ("moment", "account", "address", "locked")
    list_filter = ("locked_out",)
    fields = readonly_fields = ("moment", "account", "address", "browser", "locked")

    @display(description=_("quedó bloqueada"), boolean=True, ordering="locked_out")
    def locked(self, failure: AccessFailureLog) -> bool:
        return bool(failure.locked_out)


@instead_of_theirs(AccessLog)
class SignInLogAdmin(SignInPage):
    list_display = ("moment", "account", "address", "left")
    fields = readonly_fields = ("moment", "left", "account", "address", "browser")

    @display(description=_("salida"), ordering="logout_time")
    def left(self, entry: AccessLog) -> datetime | None:
        moment: datetime | None = entry.logout_time
        return moment
