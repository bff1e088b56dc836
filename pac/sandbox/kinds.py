"""The three families of documents and the words that each is called by on the wire."""

from enum import Enum


class Kind(Enum):
    """A family: its path, its word in `documentType` of notify-email, its DGI document types."""

    INVOICE = ("invoices", "invoice", ("01", "02", "03", "08", "09", "10"))
    CREDIT_NOTE = ("credit-notes", "credit-note", ("04", "06"))
    DEBIT_NOTE = ("debit-notes", "debit-note", ("05", "07"))

    def __init__(self, path: str, word: str, document_types: tuple[str, ...]) -> None:
        self.path = path
        self.word = word
        self.document_types = document_types

    @classmethod
    def of_path(cls, path: str) -> "Kind":
        """Raises KeyError for a path that is no family's."""
        return _BY_PATH[path]


_BY_PATH = {kind.path: kind for kind in Kind}
