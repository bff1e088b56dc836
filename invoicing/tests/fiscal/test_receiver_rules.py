"""Who receives the document: the four kinds, RUC and DV, country, contact."""

from __future__ import annotations

from typing import Any

import pytest

from invoicing.fiscal import receiver_rules
from invoicing.fiscal.draft import Receiver
from invoicing.tests.fiscal import (
    Found,
    consumer,
    draft,
    exportation,
    faults_of,
    foreigner,
    line,
    receiver,
)


def wrong(made: Receiver, **changes: Any) -> list[Found]:
    lines = [line(cpbs_code="8111")]
    return faults_of(draft(receiver=made, lines=lines, **changes))


@pytest.mark.parametrize(
    "made",
    [
        receiver(),
        receiver(dv="86"),
        receiver(location="13-10-25", address="Calle 50", phones=["269-1234", "6123-4567"]),
        receiver(type="GOBIERNO"),
        receiver(ruc="8-NT-1-99999"),
        receiver(ruc="8-274-125", ruc_type="NATURAL", dv="91"),
        receiver(ruc=" 8av-1-196 ", ruc_type="NATURAL"),
        receiver(country="ZZ", other_country="Atlántida"),
        consumer(),
        consumer(name="Juan"),
        consumer(ruc="8-274-125", ruc_type="NATURAL"),
        foreigner(),
        foreigner(country="PA"),
        receiver(emails=[f"p{number}@cliente.test" for number in range(10)]),
    ],
)
def test_a_sound_receiver_has_no_fault(made: Receiver) -> None:
    assert wrong(made) == []


@pytest.mark.parametrize(
    ("made", "faults"),
    [
        (receiver(type=None), [("receiver.type", "required", "1600")]),
        (receiver(type="NADIE"), [("receiver.type", "receiver_type_unknown", "1600")]),
        (receiver(type="01"), [("receiver.type", "receiver_type_unknown", "1600")]),
        (receiver(ruc="", ruc_type=None), [("receiver.ruc", "ruc_required", "1601")]),
        (
            receiver(ruc=""),
            [("receiver.ruc", "ruc_required", "1601"), ("receiver.ruc_type", "ruc_required", None)],
        ),
        (
            receiver(type="GOBIERNO", ruc="", ruc_type=None, dv="86"),
            [("receiver.ruc", "ruc_required", "1601"), ("receiver.dv", "ruc_required", None)],
        ),
        (receiver(name=""), [("receiver.name", "name_required", "1605")]),
        (receiver(type="GOBIERNO", name=""), [("receiver.name", "name_required", "1605")]),
        (
            receiver(foreign_number="1"),
            [("receiver.foreign_id", "foreign_id_not_allowed", "1619")],
        ),
        (
            consumer(foreign_country="CO"),
            [("receiver.foreign_id", "foreign_id_not_allowed", "1619")],
        ),
        (
            consumer(ruc="155646463-2-2017", ruc_type="JURIDICO"),
            [("receiver.ruc", "juridical_ruc_for_consumer", "1621")],
        ),
        (
            foreigner(foreign_number=""),
            [("receiver.foreign_id", "foreign_id_required", "1618")],
        ),
        (
            foreigner(foreign_number="", foreign_country=""),
            [("receiver.foreign_id", "foreign_id_required", "1618")],
        ),
        (
            foreigner(ruc="8-274-125", ruc_type="NATURAL"),
            [("receiver.ruc", "ruc_not_allowed", "1619")],
        ),
        (
            foreigner(ruc="155646463-2-2017", ruc_type="JURIDICO"),
            [("receiver.ruc", "ruc_not_allowed", "1622")],
        ),
        (foreigner(location="8-8-7"), [("receiver.location", "location_not_allowed", "1616")]),
        (receiver(ruc_type=None), [("receiver.ruc_type", "ruc_type_required", "1601")]),
        (receiver(ruc="155646463"), [("receiver.ruc", "ruc_malformed", "1601")]),
        (receiver(ruc="PE-842-3681"), [("receiver.ruc", "ruc_malformed", "1601")]),
        (receiver(dv="87"), [("receiver.dv", "ruc_dv_mismatch", "1601")]),
        (receiver(dv="8"), [("receiver.dv", "ruc_dv_mismatch", "1601")]),
        (
            receiver(ruc="8-NT-1-123456", dv="76"),
            [("receiver.dv", "ruc_dv_mismatch", "1601")],  # right for a natural person only
        ),
        (receiver(country="pa"), [("receiver.country", "country_unknown", "1610")]),
        (receiver(country="XX"), [("receiver.country", "country_unknown", "1610")]),
        (
            foreigner(foreign_country="XX"),
            [("receiver.foreign_id.country", "country_unknown", "1610")],
        ),
        (receiver(country="ZZ"), [("receiver.other_country", "country_name_required", "1614")]),
        (
            receiver(other_country="Panamá"),
            [("receiver.other_country", "country_name_not_allowed", "1615")],
        ),
        (receiver(location="08-8-7"), [("receiver.location", "location_malformed", "1616")]),
        (receiver(location="14-1-1"), [("receiver.location", "location_malformed", "1616")]),
        (
            receiver(phones=["269-1234", "2691234"]),
            [("receiver.phones.1", "phone_malformed", None)],
        ),
        (receiver(phones=["٢٦٩-1234"]), [("receiver.phones.0", "phone_malformed", None)]),
        (receiver(phones=["269-1234"] * 4), [("receiver.phones", "too_many", None)]),
        (receiver(emails=["a@b.test"] * 11), [("receiver.emails", "too_many", None)]),
    ],
)
def test_a_fault_of_the_receiver_is_named_with_its_path_and_the_dgis_code(
    made: Receiver, faults: list[Found]
) -> None:
    assert wrong(made) == faults


def test_an_export_goes_to_a_foreigner_abroad() -> None:
    export = {"dgi_document_type": "03", "exportation": exportation()}
    assert wrong(foreigner(), **export) == []
    assert wrong(foreigner(country="PA"), **export) == [
        ("receiver.country", "foreign_country_required", "1612")
    ]
    assert wrong(receiver(country="CO"), **export) == [
        ("receiver.type", "export_needs_foreigner", "1620")
    ]


def test_a_document_has_at_most_ten_addresses_of_its_own() -> None:
    assert not wrong(receiver(), emails=["a@b.test"] * 10)
    assert wrong(receiver(), emails=["a@b.test"] * 11) == [("emails", "too_many", None)]


def test_the_sentence_for_a_wrong_dv_names_the_right_one() -> None:
    [fault] = receiver_rules.receiver_ruc(draft(receiver=receiver(dv="11")))
    assert str(fault) == ("The DV of 155646463-2-2017 as JURIDICO is 86, not 11. (DGI 1601)")
