"""Rules about who receives the document (pure)."""

from collections.abc import Iterator

from invoicing.fiscal.draft import Draft, Fault
from pac.dgi import ruc, shapes
from pac.dgi.codes import ReceiverType
from pac.dgi.ruc import RucType

PANAMA = "PA"
UNLISTED_COUNTRY = "ZZ"
MOST_ADDRESSES = 10


def receiver_kind(draft: Draft) -> Iterator[Fault]:
    """What each of the four kinds of receiver needs, and what it must not have."""
    if not draft.sound("receiver.type"):
        return
    receiver = draft.receiver
    match receiver.type:
        case ReceiverType.CONTRIBUYENTE | ReceiverType.GOBIERNO:
            yield from _registered(draft)
        case ReceiverType.CONSUMIDOR_FINAL:
            yield from _consumer(draft)
        case ReceiverType.EXTRANJERO:
            yield from _foreigner(draft)
        case None:
            yield Fault("receiver.type", "required", "Say who receives the document.", "1600")
        case _:
            yield Fault(
                "receiver.type",
                "receiver_type_unknown",
                f"The type is one of {', '.join(ReceiverType)}.",
                "1600",
            )
    if draft.dgi_document_type == "03" and receiver.type != ReceiverType.EXTRANJERO:
        yield Fault(
            "receiver.type", "export_needs_foreigner", "An export goes to an EXTRANJERO.", "1620"
        )


def _registered(draft: Draft) -> Iterator[Fault]:
    receiver = draft.receiver
    if not receiver.ruc and draft.sound("receiver.ruc"):
        yield Fault("receiver.ruc", "ruc_required", "A taxpayer or the State has a RUC.", "1601")
    if not receiver.name and draft.sound("receiver.name"):
        yield Fault(
            "receiver.name", "name_required", "Give the receiver's registered name.", "1605"
        )
    yield from _no_foreign_id(draft)


def _consumer(draft: Draft) -> Iterator[Fault]:
    receiver = draft.receiver
    if receiver.ruc and receiver.ruc_type == RucType.JURIDICO:
        yield Fault(
            "receiver.ruc",
            "juridical_ruc_for_consumer",
            "A company (JURIDICO) is a CONTRIBUYENTE, not a final consumer.",
            "1621",
        )
    yield from _no_foreign_id(draft)


def _no_foreign_id(draft: Draft) -> Iterator[Fault]:
    if draft.receiver.foreign_number or draft.receiver.foreign_country:
        yield Fault(
            "receiver.foreign_id",
            "foreign_id_not_allowed",
            "Only an EXTRANJERO has a foreign id.",
            "1619",
        )


def _foreigner(draft: Draft) -> Iterator[Fault]:
    receiver = draft.receiver
    if draft.sound("receiver.foreign_id") and not (
        receiver.foreign_number and receiver.foreign_country
    ):
        yield Fault(
            "receiver.foreign_id",
            "foreign_id_required",
            "A foreigner needs the number of his passport or tax id, and its country.",
            "1618",
        )
    if receiver.ruc:
        yield Fault(
            "receiver.ruc",
            "ruc_not_allowed",
            "A foreigner has no Panamanian RUC.",
            "1622" if receiver.ruc_type == RucType.JURIDICO else "1619",
        )
    if receiver.location:
        yield Fault(
            "receiver.location",
            "location_not_allowed",
            "A foreigner has no Panamanian location.",
            "1616",
        )


def receiver_ruc(draft: Draft) -> Iterator[Fault]:
    """RUC, type of RUC and DV agree."""
    receiver = draft.receiver
    if not draft.sound("receiver.ruc", "receiver.ruc_type", "receiver.dv"):
        return
    if not receiver.ruc:
        for path, value in (("dv", receiver.dv), ("ruc_type", receiver.ruc_type)):
            if value:
                yield Fault(
                    f"receiver.{path}",
                    "ruc_required",
                    "This belongs to a RUC: give that too, or leave this.",
                )
        return
    if receiver.type == ReceiverType.EXTRANJERO:
        return
    if receiver.ruc_type is None:
        yield Fault(
            "receiver.ruc_type",
            "ruc_type_required",
            "Say whether the RUC is NATURAL or JURIDICO: the text alone can be either.",
            "1601",
        )
        return
    try:
        digit = ruc.check_digit(receiver.ruc, RucType(receiver.ruc_type))
    except ruc.MalformedRuc as error:
        yield Fault("receiver.ruc", "ruc_malformed", str(error), "1601")
        return
    if receiver.dv and receiver.dv != digit:
        yield Fault(
            "receiver.dv",
            "ruc_dv_mismatch",
            f"The DV of {receiver.ruc} as {receiver.ruc_type} is {digit}, not {receiver.dv}.",
            "1601",
        )


def receiver_country(draft: Draft) -> Iterator[Fault]:
    receiver = draft.receiver
    if not draft.sound("receiver.country", "receiver.other_country"):
        return
    if not shapes.is_country(receiver.country) and receiver.country != UNLISTED_COUNTRY:
        yield Fault(
            "receiver.country", "country_unknown", "Use an ISO 3166 code of two letters.", "1610"
        )
    if receiver.foreign_country and not shapes.is_country(receiver.foreign_country):
        yield Fault(
            "receiver.foreign_id.country",
            "country_unknown",
            "Use an ISO 3166 code of two letters.",
            "1610",
        )
    if receiver.country == UNLISTED_COUNTRY and not receiver.other_country:
        yield Fault(
            "receiver.other_country",
            "country_name_required",
            "Country ZZ needs the country's name.",
            "1614",
        )
    if receiver.country != UNLISTED_COUNTRY and receiver.other_country:
        yield Fault(
            "receiver.other_country",
            "country_name_not_allowed",
            "The name goes with country ZZ only.",
            "1615",
        )
    if draft.destination == 2 and receiver.country == PANAMA:
        yield Fault(
            "receiver.country",
            "foreign_country_required",
            "With destination 2 the receiver's country is not Panama.",
            "1612",
        )


def receiver_contact(draft: Draft) -> Iterator[Fault]:
    receiver = draft.receiver
    if receiver.location and not shapes.is_location(receiver.location):
        yield Fault(
            "receiver.location",
            "location_malformed",
            "A location is province-district-corregimiento without leading zeros, such as 8-8-7.",
            "1616",
        )
    if draft.sound("receiver.phones"):
        for index, phone in enumerate(receiver.phones):
            if not shapes.is_phone(phone):
                yield Fault(
                    f"receiver.phones.{index}",
                    "phone_malformed",
                    "A phone is 999-9999 or 9999-9999.",
                )
        if len(receiver.phones) > 3:
            yield Fault("receiver.phones", "too_many", "At most three phones.")
    for path, addresses in (("receiver.emails", receiver.emails), ("emails", draft.emails)):
        if len(addresses) > MOST_ADDRESSES:
            yield Fault(path, "too_many", f"At most {MOST_ADDRESSES} e-mail addresses.")


RULES = (receiver_kind, receiver_ruc, receiver_country, receiver_contact)
