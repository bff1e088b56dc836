"""Everything the sandbox knows, in memory, under one lock."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from pac.sandbox.kinds import Kind
from pac.sandbox.records import DGI_REJECTED, PAC_REJECTED, Company, Document, Number
from pac.sandbox.wire import dumps, loads


class IssuePost(NamedTuple):
    """The series and number that a POST asked for, answered or not."""

    company_id: str
    document_type: str
    billing_point: str
    numeration: str


class State:
    """Companies, documents and counts.

    Take `lock` around anything that reads and then writes; it is reentrant. Whoever changes a
    record that is already here calls `touch`, or the state file keeps the old one.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.companies: dict[str, Company] = {}
        self.documents: dict[str, Document] = {}
        self.posts: Counter[IssuePost] = Counter()
        self.routes: Counter[str] = Counter()
        self.version = 0
        """Grows with every change: tells the state file that there is something to write."""
        self._by_number: dict[Number, Document] = {}
        self._by_numeration: defaultdict[tuple[str, Kind, str], list[Document]] = defaultdict(list)
        self._by_cufe: dict[str, Document] = {}
        self._notes: defaultdict[str, list[Document]] = defaultdict(list)
        # Encoding 10,000 documents anew for every write of the file would hold up the calls.
        self._encoded: dict[str, str] = {}

    def add_company(self, company: Company) -> None:
        with self.lock:
            self.companies[company.id] = company
            self.touch()

    def add_document(self, document: Document) -> None:
        with self.lock:
            self.documents[document.id] = document
            self._by_number[document.number] = document
            key = (document.company_id, document.kind, document.numeration)
            self._by_numeration[key].append(document)
            self._by_cufe[document.cufe] = document
            for original_id in document.reference_ids:
                self._notes[original_id].append(document)
            self.touch(document)

    def touch(self, document: Document | None = None) -> None:
        """Note that a record changed."""
        with self.lock:
            self.version += 1
            if document is not None:
                self._encoded.pop(document.id, None)

    def companies_of(self, token: str) -> list[Company]:
        with self.lock:
            return [each for each in self.companies.values() if each.token == token]

    def by_number(self, number: Number) -> Document | None:
        with self.lock:
            return self._by_number.get(number)

    def by_cufe(self, cufe: str) -> Document | None:
        with self.lock:
            return self._by_cufe.get(cufe)

    def listed(self, company_id: str, kind: Kind, numeration: str | None) -> list[Document]:
        """A company's documents of a family, oldest first; all numbers where none is given."""
        with self.lock:
            if numeration is not None:
                return list(self._by_numeration.get((company_id, kind, numeration), ()))
            everything = self.documents.values()
            return [
                each for each in everything if (each.company_id, each.kind) == (company_id, kind)
            ]

    def credits_of(self, originals: Iterable[Document]) -> list[Document]:
        """The credit notes that count against these originals: neither rejected nor void."""
        with self.lock:
            notes = {note.id: note for each in originals for note in self._notes.get(each.id, ())}
        return [
            note
            for note in notes.values()
            if note.kind is Kind.CREDIT_NOTE
            and not note.is_voided
            and note.legal_status not in (DGI_REJECTED, PAC_REJECTED)
        ]

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            collections = (
                self.companies, self.documents, self.posts, self.routes, self._by_number,
                self._by_numeration, self._by_cufe, self._notes, self._encoded,
            )  # fmt: skip
            for collection in collections:
                collection.clear()
            self.touch()

    def dump(self) -> str:
        """The state file's text."""
        with self.lock:
            companies = dumps([each.stored() for each in self.companies.values()])
            for key, document in self.documents.items():
                if key not in self._encoded:
                    self._encoded[key] = dumps(document.stored())
            documents = ",\n".join(self._encoded[key] for key in self.documents)
        return f'{{"companies":{companies},\n"documents":[\n{documents}\n]}}\n'

    def load(self, text: str) -> None:
        """Add what `dump` wrote."""
        stored = loads(text)
        with self.lock:
            for company in stored["companies"]:
                self.add_company(Company.of(company))
            for document in stored["documents"]:
                self.add_document(Document.of(document))
