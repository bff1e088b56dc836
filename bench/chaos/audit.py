"""What has to be true in the end, whatever happened on the way."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bench.chaos.clients import Clients
from bench.chaos.facts import Facts
from bench.chaos.plan import Plan

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: how many kept it, and who did not."""

    promise: str
    count: int
    broken: list[str]

    @property
    def holds(self) -> bool:
        return not self.broken


def audit(plan: Plan, clients: Clients, facts: Facts) -> list[Check]:
    """Every promise, checked one document at a time."""
    return [
        _each_order_is_one_document(plan, clients, facts),
        _authorised_once(facts),
        _pac_has_the_same(facts),
        _numbers_without_gap(facts),
        _one_pdf(facts),
        _one_email(facts),
        _feed_skips_nothing(facts),
        _nobody_is_needed(facts),
        Check("no answer that a client must not get", clients.answers.total(), clients.surprises),
        Check("no error in the logs of web server and worker", 0, facts.defects),
    ]


def _each_order_is_one_document(plan: Plan, clients: Clients, facts: Facts) -> Check:
    documents = {str(document["id"]): document["external_id"] for document in facts.documents}
    broken = []
    for order in {order.number: order for order in plan.orders()}.values():
        ids = clients.ids.get(order.number, set())
        if len(ids) != 1:
            broken.append(f"{order.key} became {len(ids)} documents: {sorted(ids)}")
        broken += [
            f"{order.key}: {pk} is not its own"
            for pk in ids
            if documents.pop(pk, None) != order.key
        ]
    broken += [f"{pk} ({key}) was never answered" for pk, key in documents.items()]
    return Check("each order is one document, and one answer", len(facts.documents), broken)


def _authorised_once(facts: Facts) -> Check:
    broken = [
        f"{document['external_id']}: {document['submission_state']}, {document['legal_status']}, "
        f"{document['verdicts']} verdicts"
        for document in facts.documents
        if (document["submission_state"], document["legal_status"], document["verdicts"])
        != ("DONE", "DGI_AUTHORIZED", 1)
    ]
    return Check("authorised by the DGI, once", len(facts.documents), broken)


def _pac_has_the_same(facts: Facts) -> Check:
    """CUFE, id and total of every document, here and there."""
    here = Counter(
        (row["pac_company_id"], row["invoice_number"], row["document_id"], row["total"])
        for row in facts.documents
    )
    there = Counter(
        (
            row["idCompany"],
            row["cufe"],
            row["id"],
            Decimal(str(row["total"])).quantize(Decimal("0.01")),
        )
        for row in facts.at_pac
        if row["legalStatus"] == "DGI_AUTHORIZED" and not row["voided"]
    )
    cufes = Counter(row["cufe"] for row in facts.at_pac)
    broken = [f"only here: {each}" for each in here - there]
    broken += [f"only at the PAC: {each}" for each in there - here]
    broken += [f"{count} times at the PAC: {cufe}" for cufe, count in cufes.items() if count > 1]
    broken += [
        f"at the PAC: {row['cufe']} {row['legalStatus']}"
        for row in facts.at_pac
        if row["legalStatus"] != "DGI_AUTHORIZED"
    ]
    return Check("at the PAC: the same documents, each once", len(facts.at_pac), broken)


def _numbers_without_gap(facts: Facts) -> Check:
    series = defaultdict(list)
    for row in facts.documents:
        name = f"{row['tenant_name']} {row['office_code']}-{row['billing_point']}"
        series[f"{name} type {row['dgi_document_type']}"].append(int(row["number"]))
    broken = [
        f"{name}: {_shown(set(range(1, len(numbers) + 1)) ^ set(numbers))}"
        for name, numbers in series.items()
        if sorted(numbers) != list(range(1, len(numbers) + 1))
    ]
    return Check("numbers without gap, by series", len(series), broken)


def _one_pdf(facts: Facts) -> Check:
    files = defaultdict(list)
    for file in facts.files:
        files[file["owner_id"]].append(file)
    broken = []
    for document in facts.documents:
        its_own = files.pop(document["id"], [])
        if [file["name"] for file in its_own] != [f"{document['invoice_number']}.pdf"]:
            broken.append(f"{document['external_id']} has {[file['name'] for file in its_own]}")
        for file in its_own:
            path = facts.media / file["content"]
            content = path.read_bytes() if path.exists() else b""
            if hashlib.sha256(content).hexdigest() != file["sha256"]:
                broken.append(f"{document['external_id']}: {path} is not what was stored")
    broken += [f"a file of nobody: {owner}" for owner in files]
    return Check("one PDF each, whole", len(facts.files), broken)


def _one_email(facts: Facts) -> Check:
    """Copies under one Message-ID are one e-mail: see `repeated_copies`."""
    broken, sent = [], Counter(facts.messages)
    by_owner = defaultdict(list)
    for email in facts.emails:
        by_owner[email["owner_id"]].append(email["message_id"])
    for document in facts.documents:
        ids = by_owner.pop(document["id"], [])
        if len(ids) != 1 or not sent.pop(ids[0], 0):
            broken.append(f"{document['external_id']} has the e-mails {ids}")
    broken += [f"an e-mail of nobody: {message_id}" for message_id in sent]
    return Check("one e-mail each, by Message-ID", len(facts.messages), broken)


def repeated_copies(facts: Facts) -> int:
    """E-mails that a worker's death repeated under the same Message-ID."""
    return facts.messages.total() - len(facts.messages)


def _feed_skips_nothing(facts: Facts) -> Check:
    there, read = Counter(facts.history), Counter(facts.followed)
    broken = [f"never read: {each}" for each in there - read]
    broken += [f"read once too often: {each}" for each in read - there]
    return Check("each event once in its tenant's feed", len(facts.followed), broken)


def _nobody_is_needed(facts: Facts) -> Check:
    broken = [f"{count} x {what}" for what, count in facts.unsettled.items()]
    return Check("nothing waits, nothing needs a person", 0, broken)


def _shown(items: Iterable[int]) -> str:
    return ", ".join(str(each) for each in sorted(items)[:SHOWN])
