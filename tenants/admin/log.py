"""What the staff did here, to look at."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from tenants.admin.scoped import LookOnly, OperatorOnly


@admin.register(LogEntry)
class LogAdmin(LookOnly, OperatorOnly, ModelAdmin):
    list_display = ("action_time", "user", "content_type", "object_repr", "words")
    list_display_links = ("action_time",)
    list_select_related = ("user", "content_type")
    list_filter = ("action_flag",)
    search_fields = ("=user__username", "=object_id")
    search_help_text = _("El usuario, o el identificador del objeto.")
    show_full_result_count = False
    ordering = ("-id",)
    fields = ("action_time", "user", "content_type", "object_id", "object_repr", "words")
    readonly_fields = ("words",)

    @display(description=_("qué hizo"))
    def words(self, entry: LogEntry) -> str:
        return entry.get_change_message() or str(entry.get_action_flag_display())
