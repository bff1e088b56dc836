"""The document: one table and one life for invoices, credit notes and debit notes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoicing.fiscal.draft import Receiver
from invoicing.models.receiver import ReceiverColumns
from invoicing.models.wirejson import WireJSONField
from tenants.base import TenantManager, TenantOwned
from tenants.models import Office, Tenant

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class PacDocumentType(models.TextChoices):
    """Cifras's own code space; `dgi_document_type` is the DGI's. Never mix them."""

    INVOICE = "01", _("Factura")
    CREDIT_NOTE = "02", _("Nota de crédito")
    DEBIT_NOTE = "03", _("Nota de débito")


class GenerationMode(models.TextChoices):
    DGI = "DGI", "DGI"
    PROFORM = "PROFORM", _("Proforma")
    DGI_IMPORT = "DGI_IMPORT", _("Importada")


class LegalStatus(models.TextChoices):
    """The verdict. Null until there is one; the last three never change again."""

    PAC_AUTHORIZED = "PAC_AUTHORIZED", _("Autorizada por el PAC")
    DGI_AUTHORIZED = "DGI_AUTHORIZED", _("Autorizada por la DGI")
    PAC_REJECTED = "PAC_REJECTED", _("Rechazada por el PAC")
    DGI_REJECTED = "DGI_REJECTED", _("Rechazada por la DGI")


REJECTED = (LegalStatus.PAC_REJECTED, LegalStatus.DGI_REJECTED)
TERMINAL = (LegalStatus.DGI_AUTHORIZED, *REJECTED)


class SubmissionState(models.TextChoices):
    """How far sending to the PAC got. Says nothing about the verdict."""

    NONE = "NONE", _("No se envía")
    QUEUED = "QUEUED", _("En cola")
    SENDING = "SENDING", _("Enviando")
    UNCERTAIN = "UNCERTAIN", _("Respuesta perdida")
    DONE = "DONE", _("Entregada al PAC")
    FAILED = "FAILED", _("Detenida")


class Status(models.TextChoices):
    """The business's view: who owes what; `UNAPPLIED` and `APPLIED` are a credit note's."""

    UNPAID = "UNPAID", _("Por cobrar")
    PARTIALLY_PAID = "PARTIALLY_PAID", _("Pagada en parte")
    PAID = "PAID", _("Pagada")
    OVERPAID = "OVERPAID", _("Pagada de más")
    PAST_DUE = "PAST_DUE", _("Vencida")
    PARTIALLY_CANCELED = "PARTIALLY_CANCELED", _("Acreditada en parte")
    UNAPPLIED = "UNAPPLIED", _("Por aplicar")
    APPLIED = "APPLIED", _("Aplicada")
    CANCELED = "CANCELED", _("Cancelada")
    VOID = "VOID", _("Anulada")


def money(verbose_name: StrOrPromise) -> models.DecimalField:
    """An amount in B/., to the cent."""
    return models.DecimalField(verbose_name, max_digits=18, decimal_places=2, default=Decimal(0))


def json_column(verbose_name: StrOrPromise, *, null: bool = False) -> models.JSONField:
    default = None if null else list
    return models.JSONField(
        verbose_name, encoder=DjangoJSONEncoder, default=default, null=null, blank=True
    )


class Document(ReceiverColumns, TenantOwned):
    """What is issued, sent and followed.

    Once it was POSTed to the PAC (`attempts > 0`) its content never changes and the row is never
    deleted; triggers in the database stand behind that. `invoice_number` is where the CUFE lives
    (the name is historical) and is empty until the PAC has authorised; `computed_cufe` is the same
    text, known before anything is sent, by which a lost document is recognised.
    """

    document_type = models.CharField(_("clase"), max_length=2, choices=PacDocumentType)
    dgi_document_type = models.CharField(_("tipo de documento de la DGI"), max_length=2)
    generation_mode = models.CharField(_("modo"), max_length=10, choices=GenerationMode)
    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, related_name="+", verbose_name=_("sucursal")
    )
    billing_point = models.CharField(_("punto de facturación"), max_length=3)
    number = models.CharField(_("número"), max_length=10)
    external_id = models.CharField(_("id externo"), max_length=100, null=True, blank=True)  # noqa: DJ001 (null is exempt from uniqueness)
    issued_at = models.DateTimeField(_("emitida"))
    due_date = models.DateField(_("vence"), null=True, blank=True)
    nature = models.CharField(_("naturaleza"), max_length=2)
    destination = models.PositiveSmallIntegerField(_("destino"))
    sale_type = models.PositiveSmallIntegerField(_("tipo de venta"))
    issue_type = models.CharField(_("tipo de emisión"), max_length=2, default="01")
    contingency = json_column(_("contingencia"), null=True)
    security_code = models.CharField(_("código de seguridad"), max_length=9, blank=True)

    # Of a note: the invoice that it corrects, and how (DGI: 1 whole, 2 interest, 3 partial).
    invoice = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="notes_on_it",
        verbose_name=_("factura corregida"),
    )
    modification_code = models.PositiveSmallIntegerField(_("código de modificación"), null=True)
    # Whom the receiver was copied from. The copy is what counts: the customer may go.
    customer = models.ForeignKey(
        "invoicing.Customer",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("cliente"),
    )

    discounts = json_column(_("descuentos"))
    exportation = json_column(_("exportación"), null=True)
    payment_time = models.CharField(_("tiempo de pago"), max_length=9)
    payment_methods = json_column(_("formas de pago"))
    installments = json_column(_("cuotas"))
    retention_code = models.CharField(_("código de retención"), max_length=1, blank=True)
    emails = json_column(_("correos de entrega"))
    notes = models.TextField(_("notas"), blank=True)
    metadata = models.JSONField(_("metadatos"), default=dict, blank=True)

    net = money(_("neto"))
    itbms = money("ITBMS")
    isc = money("ISC")
    other_taxes = money(_("otras tasas"))
    taxes = money(_("impuestos"))
    discount = money(_("descuento"))
    freight = money(_("acarreo"))
    insurance = money(_("seguro"))
    other_expenses = money(_("otros gastos"))
    total = money(_("total"))
    retention = money(_("retención"))
    paid = money(_("pagado"))
    credited = money(_("acreditado"))
    status = models.CharField(_("estado"), max_length=18, choices=Status, default=Status.UNPAID)
    voided_at = models.DateTimeField(_("anulada"), null=True, blank=True)
    canceled_at = models.DateTimeField(_("cancelada"), null=True, blank=True)

    legal_status = models.CharField(  # noqa: DJ001 (null: no verdict yet, part of the public surface)
        _("estado legal"), max_length=14, choices=LegalStatus, null=True, blank=True
    )
    computed_cufe = models.CharField(
        _("CUFE calculado"), max_length=66, unique=True, null=True, blank=True
    )
    invoice_number = models.CharField("CUFE", max_length=66, unique=True, null=True, blank=True)
    document_id = models.CharField(  # noqa: DJ001 (null is exempt from uniqueness)
        _("id en el PAC"), max_length=26, null=True, blank=True
    )
    qr_code_url = models.TextField("QR", blank=True)
    authorization_protocol = models.CharField(_("protocolo"), max_length=60, blank=True)
    authorized_at = models.DateTimeField(_("autorizada"), null=True, blank=True)
    pac_input = WireJSONField(_("enviado al PAC"), null=True, blank=True)
    pac_response = WireJSONField(_("respuesta del PAC"), null=True, blank=True)
    pac_errors = json_column(_("errores del PAC"))
    warnings = json_column(_("avisos"))

    submission_state = models.CharField(
        _("envío"), max_length=9, choices=SubmissionState, default=SubmissionState.NONE
    )
    # Sends that may have reached the PAC; counted before each one, taken back where it surely did
    # not. Zero means: never there.
    attempts = models.PositiveIntegerField(_("intentos"), default=0)
    # Since when a send of ours may be at the PAC without our knowing.
    doubtful_since = models.DateTimeField(_("en duda desde"), null=True, blank=True)
    queued_at = models.DateTimeField(_("en cola desde"), null=True, blank=True)
    # Set if, and only if, the worker has something to do: `next_attempt_at` while QUEUED or
    # UNCERTAIN, `lease_expires_at` while SENDING, `next_poll_at` while the verdict or the PDF is
    # missing. The partial indexes live on that.
    next_attempt_at = models.DateTimeField(_("próximo intento"), null=True, blank=True)
    lease_expires_at = models.DateTimeField(_("reserva hasta"), null=True, blank=True)
    next_poll_at = models.DateTimeField(_("próxima consulta"), null=True, blank=True)
    polls = models.PositiveIntegerField(_("consultas"), default=0)
    setbacks = models.PositiveIntegerField(_("contratiempos seguidos"), default=0)
    # When a send was given up last that the PAC may have taken.
    lost_at = models.DateTimeField(_("perdido el"), null=True, blank=True)
    lost_leases = models.PositiveSmallIntegerField(_("reservas perdidas"), default=0)
    submission_error = json_column(_("error del envío"), null=True)
    # Named by a webhook, believed only when the PAC confirms it.
    hinted_document_id = models.CharField(_("id sugerido"), max_length=26, blank=True)
    # A person dealt with it elsewhere: it no longer asks for anybody's attention.
    handled_at = models.DateTimeField(_("atendida fuera"), null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("documento")
        verbose_name_plural = _("documentos")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "office", "billing_point", "dgi_document_type", "number"],
                condition=Q(generation_mode="DGI"),
                name="fiscal_number_once_per_series",
            ),
            models.UniqueConstraint(
                fields=["tenant", "office", "billing_point", "dgi_document_type", "number"],
                condition=Q(generation_mode="PROFORM"),
                name="proforma_number_once_per_series",
            ),
            models.UniqueConstraint(
                fields=["tenant", "office", "billing_point", "dgi_document_type", "number"],
                condition=Q(generation_mode="DGI_IMPORT"),
                name="imported_number_once_per_series",
            ),
            # A rejected order may be issued again; nothing else twice, for ever.
            models.UniqueConstraint(
                fields=["tenant", "document_type", "external_id"],
                condition=Q(legal_status__isnull=True) | ~Q(legal_status__in=REJECTED),
                name="external_id_once_per_tenant_and_kind",
            ),
            models.UniqueConstraint(
                fields=["tenant", "document_id"], name="document_id_once_per_tenant"
            ),
            models.CheckConstraint(
                condition=~Q(generation_mode="PROFORM") | Q(submission_state="NONE"),
                name="proforma_is_never_sent",
            ),
            models.CheckConstraint(
                condition=Q(legal_status__isnull=True)
                | ~Q(legal_status__in=["PAC_AUTHORIZED", "DGI_AUTHORIZED"])
                | (Q(invoice_number__isnull=False) & Q(document_id__isnull=False)),
                name="authorized_means_cufe_and_document_id",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "document_type", "-id"], name="documents_of_tenant"),
            models.Index(fields=["tenant", "issued_at"], name="documents_by_issue_date"),
            models.Index(fields=["receiver_ruc", "tenant"], name="documents_by_receiver_ruc"),
            # For staff, who look over every tenant.
            models.Index(fields=["document_type", "-id"], name="documents_of_kind"),
            models.Index(fields=["number"], name="documents_by_number"),
            models.Index(fields=["issued_at"], name="documents_by_moment"),
            models.Index(
                fields=["external_id"],
                condition=Q(external_id__isnull=False),
                name="documents_by_external_id",
            ),
            models.Index(
                fields=["document_id"],
                condition=Q(document_id__isnull=False),
                name="documents_by_document_id",
            ),
            models.Index(
                fields=["submission_state", "-id"],
                condition=Q(submission_state__in=["QUEUED", "SENDING", "UNCERTAIN", "FAILED"]),
                name="documents_on_their_way",
            ),
            models.Index(
                fields=["legal_status", "-id"],
                condition=Q(legal_status__in=REJECTED),
                name="documents_rejected",
            ),
            models.Index(
                fields=["-id"],
                condition=Q(legal_status__isnull=False, submission_error__isnull=False),
                name="documents_contradicted",
            ),
            models.Index(
                fields=["tenant", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="submissions_due",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(lease_expires_at__isnull=False),
                name="submissions_in_flight",
            ),
            models.Index(
                fields=["tenant", "next_poll_at"],
                condition=Q(next_poll_at__isnull=False),
                name="polls_due",
            ),
        ]

    def __str__(self) -> str:
        series = f"{self.office.code}-{self.billing_point}"
        return f"{self.get_document_type_display()} {series}-{self.number}"

    @property
    def receiver(self) -> Receiver:
        return self.receiver_copy()

    @property
    def due(self) -> Decimal:
        """What the receiver has to pay, in B/.: total less withheld and credited."""
        return self.total - self.retention - self.credited

    @property
    def balance(self) -> Decimal:
        """What is still open, in B/.; negative where too much was paid."""
        return self.due - self.paid

    @property
    def is_proforma(self) -> bool:
        return self.generation_mode == GenerationMode.PROFORM

    @property
    def was_sent(self) -> bool:
        """Whether a POST of it may ever have reached the PAC."""
        return self.attempts > 0

    @property
    def is_rejected(self) -> bool:
        return self.legal_status in REJECTED

    @property
    def delivery_addresses(self) -> list[str]:
        """Where the document is mailed: its own addresses, else the receiver's."""
        return list(self.emails or self.receiver_emails)

    def is_fiscally_valid(self) -> bool:
        """Whether it has force before the law: everything the DGI's regime asks for is stored."""
        return bool(
            self.document_id
            and self.invoice_number
            and self.legal_status == LegalStatus.DGI_AUTHORIZED
            and self.qr_code_url
            and self.pac_input
            and self.pac_response
            and self.voided_at is None
            and any(file.kind == "PDF" for file in self.files.all())
        )


class DocumentLine(TenantOwned):
    """One line of a document, with what it comes to."""

    owner = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="lines")
    number = models.PositiveSmallIntegerField(_("línea"))
    code = models.CharField(_("código"), max_length=20, blank=True)
    description = models.CharField(_("descripción"), max_length=500)
    quantity = models.DecimalField(_("cantidad"), max_digits=18, decimal_places=6)
    unit = models.CharField(_("unidad"), max_length=20)
    unit_price = models.DecimalField(_("precio unitario"), max_digits=18, decimal_places=6)
    unit_discount = models.DecimalField(_("descuento unitario"), max_digits=18, decimal_places=6)
    itbms_rate = models.CharField(_("tasa de ITBMS"), max_length=2)
    cpbs_code = models.CharField("CPBS", max_length=4, blank=True)
    isc_rate = models.DecimalField(_("tasa de ISC"), max_digits=9, decimal_places=6, null=True)
    isc_amount = money("ISC")
    other_taxes = json_column(_("otras tasas"))
    net = money(_("neto"))
    itbms = money("ITBMS")
    total = money(_("total"))

    class Meta(TenantOwned.Meta):
        verbose_name = _("línea")
        verbose_name_plural = _("líneas")
        ordering = ["owner", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner", "number"], name="line_number_once_per_document"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number:04d} {self.description}"


class KindManager(TenantManager):
    """One kind of document of one tenant."""

    def __init__(self, kind: PacDocumentType) -> None:
        super().__init__()
        self.kind = kind

    def for_tenant(self, tenant: Tenant) -> models.QuerySet[Any]:
        return super().for_tenant(tenant).filter(document_type=self.kind)


class Invoice(Document):
    """A factura: the documents of type 01."""

    objects = KindManager(PacDocumentType.INVOICE)  # type: ignore[misc]  # narrows the base's

    class Meta:
        proxy = True
        verbose_name = _("factura")
        verbose_name_plural = _("facturas")
        default_manager_name = "unscoped"


class CreditNote(Document):
    """A nota de crédito: takes from an invoice (04), or stands by itself (06)."""

    objects = KindManager(PacDocumentType.CREDIT_NOTE)  # type: ignore[misc]  # narrows the base's

    class Meta:
        proxy = True
        verbose_name = _("nota de crédito")
        verbose_name_plural = _("notas de crédito")
        default_manager_name = "unscoped"


class DebitNote(Document):
    """A nota de débito: adds to an invoice (05), or stands by itself (07)."""

    objects = KindManager(PacDocumentType.DEBIT_NOTE)  # type: ignore[misc]  # narrows the base's

    class Meta:
        proxy = True
        verbose_name = _("nota de débito")
        verbose_name_plural = _("notas de débito")
        default_manager_name = "unscoped"
