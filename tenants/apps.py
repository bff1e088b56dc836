from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = _("Contribuyentes")

    def ready(self) -> None:
        from tenants import roles

        # The last app with tables: by now every right is there.
        post_migrate.connect(roles.install, sender=self)


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with our site."""

    default = False  # of this module; it is named in `INSTALLED_APPS`
    default_site = "tenants.staff.site.StaffSite"
