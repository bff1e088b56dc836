from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from django.db.models import F

        from invoicing import pump, schedules
        from invoicing.services import waiting
        from webhooks import inbox
        from webhooks.models import PacDelivery

        # The pump stands a floor below and knows nothing of webhooks: we bring it the work.
        pump.add_chore("pac", inbox.attend)
        schedules.add_hourly("reap webhooks", "webhooks.inbox.reap")
        waiting.add_queue(
            waiting.Queue(
                "webhook", _("Webhook recibido"), PacDelivery, "next_try_at", F("created_at")
            )
        )
