from decimal import Decimal

import pytest

from pac.dgi import codes
from pac.dgi.codes import Environment, PaymentTime, ReceiverType

CATALOGUES = {
    name: value
    for name, value in vars(codes).items()
    if name.isupper() and not isinstance(value, str)
}


def test_the_catalogues_have_the_dgi_codes():
    assert list(codes.ITBMS_RATES.items()) == [
        ("00", Decimal("0.00")),
        ("01", Decimal("0.07")),
        ("02", Decimal("0.10")),
        ("03", Decimal("0.15")),
    ]
    assert list(codes.ITBMS_NAMES) == list(codes.ITBMS_RATES)
    assert list(codes.DOCUMENT_TYPES) == [f"{code:02}" for code in range(1, 11)]
    assert list(codes.OTHER_TAXES) == [f"{code:02}" for code in range(1, 12)]
    assert list(codes.PAYMENT_METHODS) == [*(f"{code:02}" for code in range(1, 11)), "99"]
    assert list(codes.ISSUE_TYPES) == ["01", "02", "03", "04"]
    assert list(codes.SALE_TYPES) == [1, 2, 3, 4]
    assert list(codes.DESTINATIONS) == [1, 2]
    assert len(codes.NATURES) == len(codes.INCOTERMS) == 11
    assert codes.UNITS["und"] == "Unidad"


def test_each_retention_code_has_its_percentage():
    assert {code: entry.percent for code, entry in codes.RETENTION_CODES.items()} == {
        "1": Decimal(100),
        "2": Decimal(50),
        "3": Decimal(100),
        "4": Decimal(50),
        "7": Decimal(50),
        "8": None,
    }
    assert all(code == entry.code for code, entry in codes.RETENTION_CODES.items())


def test_receiver_types_carry_their_code_and_label():
    assert [(kind, kind.code, kind.label) for kind in ReceiverType] == [
        ("CONTRIBUYENTE", "01", "Contribuyente"),
        ("CONSUMIDOR_FINAL", "02", "Consumidor final"),
        ("GOBIERNO", "03", "Gobierno"),
        ("EXTRANJERO", "04", "Extranjero"),
    ]
    assert ReceiverType("GOBIERNO") is ReceiverType.GOBIERNO


def test_payment_times_carry_their_code():
    assert [(time, time.code) for time in PaymentTime] == [
        ("IMMEDIATE", 1),
        ("CREDIT", 2),
        ("MIXED", 3),
    ]
    assert list(codes.PAYMENT_TIMES) == [1, 2, 3]


def test_the_environment_is_its_number():
    assert [int(environment) for environment in Environment] == [1, 2]


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_cannot_be_changed(name):
    with pytest.raises(TypeError):
        CATALOGUES[name]["00"] = "otro"
