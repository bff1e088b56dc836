from django.apps import AppConfig


class PacConfig(AppConfig):
    name = "pac"
    verbose_name = "PAC"
