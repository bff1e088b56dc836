"""Stored files: the content goes to the storage first, its row into the caller's transaction.

A kill in between leaves a file that no row names, which is harmless; never a row without a file.
"""

import hashlib
from functools import partial

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from invoicing.models import Document, File
from tenants.base import new_id


def new_file(document: Document, kind: str, name: str, content: bytes) -> File:
    """A `File` with its content stored, not yet saved itself."""
    file = File(
        id=new_id(),
        tenant_id=document.tenant_id,
        owner=document,
        kind=kind,
        name=name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    path = f"{document.tenant_id}/{file.pk.hex[:4]}/{file.pk}-{name}"
    file.content.name = default_storage.save(path, ContentFile(content))
    return file


def attach(file: File) -> bool:
    """Saves the row of a stored file, in a transaction that holds the document's row.

    False where the document has a file of that name: the PAC's PDF is named by its CUFE, and the
    first one stands, though the PAC may draw it anew at each download; or where this very file was
    attached already, by a commit of which nobody was told.
    """
    named = File.unscoped.filter(owner_id=file.owner_id, kind=file.kind, name=file.name)
    twins = set(named.values_list("pk", flat=True))
    if twins:
        if file.pk not in twins:
            file.content.delete(save=False)
        return False
    file.save(force_insert=True)
    return True


def replace_files(document: Document, files: list[File]) -> None:
    """Puts `files` in the place of the document's own, in the caller's transaction.

    The old contents go once that has committed; a kill before leaves them unnamed, which is
    harmless.
    """
    old = list(document.files.all())
    File.unscoped.filter(pk__in=[file.pk for file in old]).delete()
    File.unscoped.bulk_create(files)
    for file in old:
        transaction.on_commit(partial(file.content.delete, save=False))
