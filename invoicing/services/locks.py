from typing import Any

from django.db.models import QuerySet

from invoicing.models import Document


def locked_now(document: Document) -> QuerySet[Document]:
    """The row of `document` as it is now, held until the caller's transaction ends."""
    return (
        Document.unscoped.select_for_update(of=("self",))
        .select_related("tenant", "office")
        .filter(pk=document.pk)
    )


def locked_again(document: Document, **still: Any) -> Document:
    """The row of a `document` that an errand set out with, as it is now, held like `locked_now`.

    Tenant and office are those that the errand knows, and what was said to the PAC is read when it
    is asked for: the pump does this for every outcome, and the rest was half of what one cost.
    Raises `Document.DoesNotExist` where the row is not `still` so.
    """
    rows = Document.unscoped.select_for_update().defer("pac_input", "pac_response")
    row = rows.get(pk=document.pk, **still)
    row.tenant, row.office = document.tenant, document.office
    return row
