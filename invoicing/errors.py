"""What can go wrong with a document, each with a code for programs and a sentence for people."""

from collections.abc import Sequence

from invoicing.fiscal.draft import Fault
from tenants.errors import Conflict, TenantError


class InvalidDocument(TenantError):
    """The request breaks rules: every one of them, with its path and code (HTTP 400)."""

    code = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault}" for fault in faults))
        self.faults = tuple(faults)


class PacUnavailable(TenantError):
    """The PAC gave no answer in time; nothing changed (HTTP 503)."""

    code = "pac_unavailable"


class Immutable(Conflict):
    def __init__(self, message: str) -> None:
        super().__init__("immutable", message)


class CatalogNotSynchronised(TenantError):
    """A catalogue of the PAC could not be taken over; ours stays as it was."""

    code = "catalog_not_synchronised"
