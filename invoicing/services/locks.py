from django.db.models import QuerySet

from invoicing.models import Document


def locked_now(document: Document) -> QuerySet[Document]:
    """The row of `document` as it is now, held until the caller's transaction ends."""
    return (
        Document.unscoped.select_for_update(of=("self",))
        .select_related("tenant", "office")
        .filter(pk=document.pk)
    )
