from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pac.dgi.codes import Environment
from pac.dgi.ruc import RucType
from tenants.base import Identified
from tenants.fields import EncryptedTextField
from tenants.models.pac_twin import PacTwin


class OnboardingStatus(models.TextChoices):
    """The last step of onboarding that is done; the next run continues after it."""

    STARTED = "STARTED", _("Datos registrados")
    COMPANY_CREATED = "COMPANY_CREATED", _("Empresa creada en el PAC")
    AFFILIATION_REQUESTED = "AFFILIATION_REQUESTED", _("Afiliación solicitada a la DGI")
    AFFILIATED = "AFFILIATED", _("Afiliada")
    OFFICE_CREATED = "OFFICE_CREATED", _("Sucursal creada en el PAC")
    READY = "READY", _("Lista para facturar")


class CompanyType(models.TextChoices):
    """How the PAC keeps the company: one `main` per token, any number of `associated`."""

    ASSOCIATED = "associated", _("Asociada")
    MAIN = "main", _("Principal")


RUC_TYPES = [(RucType.NATURAL, _("Natural")), (RucType.JURIDICO, _("Jurídico"))]


class Tenant(PacTwin, Identified):
    """A business that issues documents: a taxpayer, known by RUC **and** type of RUC."""

    name = models.CharField(_("razón social"), max_length=200)
    trade_name = models.CharField(_("nombre comercial"), max_length=200, blank=True)
    ruc = models.CharField("RUC", max_length=20)
    ruc_type = models.CharField(
        _("tipo de RUC"),
        max_length=8,
        choices=RUC_TYPES,
    )
    dv = models.CharField("DV", max_length=2)
    email = models.EmailField(_("correo"), help_text=_("Recibe las respuestas de los receptores."))
    logo_url = models.URLField(_("dirección del logo"), blank=True)
    logo = models.FileField(_("logo"), upload_to="logos/", blank=True)
    is_active = models.BooleanField(
        _("activo"), default=True, help_text=_("Suspendido: sus claves de API no entran.")
    )
    main_office = models.ForeignKey(
        "tenants.Office",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("sucursal por omisión"),
    )

    company_type = models.CharField(
        _("tipo en el PAC"),
        max_length=10,
        choices=CompanyType,
        default=CompanyType.ASSOCIATED,
    )
    pac_company_id = models.CharField(
        _("id de la empresa en el PAC"), max_length=26, unique=True, null=True, blank=True
    )
    pac_base_url = models.URLField(
        _("dirección del PAC"), blank=True, help_text=_("Vacía: la de la configuración.")
    )
    pac_environment = models.PositiveSmallIntegerField(
        _("ambiente"),
        choices=[(Environment.PRODUCTION, _("Producción")), (Environment.TEST, _("Pruebas"))],
        null=True,
        blank=True,
        help_text=_("Vacío: el de la configuración. Forma parte del CUFE."),
    )
    pac_token = EncryptedTextField(
        _("token del PAC"), blank=True, help_text=_("Vacío: el de la configuración.")
    )
    webhook_secret = EncryptedTextField(_("secreto del webhook"), blank=True)
    # Accepted beside the new one until the PAC has taken the new one.
    previous_webhook_secret = EncryptedTextField(_("secreto anterior"), blank=True)

    # What the PAC was last told; another value in the settings makes the next run tell it again.
    pac_webhook_url = models.CharField(
        _("webhook registrado en el PAC"), max_length=500, blank=True, editable=False
    )

    onboarding_status = models.CharField(
        _("incorporación"),
        max_length=24,
        choices=OnboardingStatus,
        default=OnboardingStatus.STARTED,
    )
    onboarding_error = models.TextField(_("último error de la incorporación"), blank=True)
    affiliation_qr = models.TextField(_("QR de afiliación"), blank=True)
    # The certificates themselves are nowhere here; this is the day on which the first one ends.
    certificates_expire_on = models.DateField(_("certificados hasta"), null=True, blank=True)

    class Meta:
        verbose_name = _("contribuyente")
        verbose_name_plural = _("contribuyentes")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["ruc", "ruc_type"], name="tenant_known_by_ruc_and_type")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.ruc} DV {self.dv})"

    @property
    def environment(self) -> Environment:
        """The DGI's environment that this tenant issues in; part of its CUFEs."""
        return Environment(self.pac_environment or settings.PAC_ENVIRONMENT)

    @property
    def issuer_ruc_type(self) -> RucType:
        return RucType(self.ruc_type)

    def webhook_secrets(self) -> list[str]:
        """Every secret that a delivery of the PAC may carry for this tenant; maybe none."""
        own = [self.webhook_secret, self.previous_webhook_secret]
        return [secret for secret in own if secret] or (
            [settings.PAC_WEBHOOK_SECRET] if settings.PAC_WEBHOOK_SECRET else []
        )
