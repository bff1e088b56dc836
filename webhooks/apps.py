from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from invoicing import pump, schedules
        from webhooks import inbox

        # The pump stands a floor below and knows nothing of webhooks: we bring it the work.
        pump.add_chore("pac", inbox.attend)
        schedules.add_hourly("reap webhooks", "webhooks.inbox.reap")
