from django_filters import rest_framework as filters

from invoicing.models import Document, GenerationMode, LegalStatus, Status, SubmissionState


class DocumentFilter(filters.FilterSet):
    """`?legal_status=`, `?status=`, `?issued_from=&issued_to=` (days in Panama) and the like."""

    legal_status = filters.ChoiceFilter(choices=LegalStatus.choices)
    pending = filters.BooleanFilter(field_name="legal_status", lookup_expr="isnull")
    status = filters.ChoiceFilter(choices=Status.choices)
    generation_mode = filters.ChoiceFilter(choices=GenerationMode.choices)
    submission_state = filters.ChoiceFilter(choices=SubmissionState.choices)
    dgi_document_type = filters.CharFilter()
    number = filters.CharFilter()
    external_id = filters.CharFilter()
    cufe = filters.CharFilter(field_name="invoice_number")
    receiver_ruc = filters.CharFilter()
    issued_from = filters.DateFilter(field_name="issued_at", lookup_expr="date__gte")
    issued_to = filters.DateFilter(field_name="issued_at", lookup_expr="date__lte")

    class Meta:
        model = Document
        fields: list[str] = []
