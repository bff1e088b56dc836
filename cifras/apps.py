from django.apps import AppConfig


class CifrasConfig(AppConfig):
    name = "cifras"
    verbose_name = "Cifras"

    def ready(self) -> None:
        from cifras import checks  # noqa: F401 (registers them)
