"""RUC verification and catalogues."""

import pytest

from pac.sandbox.lookups import CATALOGUES, NO_SUCH_RUC, NO_TAXPAYER


def check(caller, ruc, ruc_type):
    return caller.call("GET", "/pan/v1/check-digit", ruc=ruc, type=ruc_type)


@pytest.mark.parametrize("ruc_type", ["JURIDICO", "2"])
def test_a_ruc_gets_its_check_digit(alice, ruc_type):
    assert check(alice, "155711111-2-2022", ruc_type).json() == {
        "checkDigit": "01",
        "receiver": "CONTRIBUYENTE",
        "type": "JURIDICO",
    }


@pytest.mark.parametrize(("ruc_type", "digit"), [("NATURAL", "76"), ("1", "76"), ("2", "52")])
def test_the_type_decides_on_the_digit_and_nt_is_the_state(alice, ruc_type, digit):
    answer = check(alice, "8-NT-1-123456", ruc_type).json()
    assert (answer["checkDigit"], answer["receiver"]) == (digit, "GOBIERNO")


def test_a_person_may_be_no_taxpayer(alice):
    assert check(alice, NO_TAXPAYER, "NATURAL").json()["receiver"] == "CONSUMIDOR_FINAL"


@pytest.mark.parametrize(
    ("ruc", "ruc_type"), [("nonsense", "2"), (NO_SUCH_RUC, "2"), ("155711111-2-2022", "3")]
)
def test_400_means_that_there_is_no_such_ruc(alice, ruc, ruc_type):
    assert check(alice, ruc, ruc_type).status_code == 400


def test_a_ruc_can_be_made_unknown(alice, box):
    box.options.unknown_rucs = frozenset({"155711111-2-2022"})
    assert check(alice, "155711111-2-2022", "2").status_code == 400
    assert [each["code"] for each in alice.issue(alice.invoice()).json()["errors"]] == ["1602"]


@pytest.mark.parametrize("name", sorted(CATALOGUES))
def test_a_catalogue_is_a_list_of_codes_and_names(alice, name):
    entries = alice.call("GET", f"/pan/v1/dgi/{name}").json()
    assert entries
    assert all(set(entry) == {"code", "name"} for entry in entries)


def test_there_is_no_other_catalogue(alice):
    assert alice.call("GET", "/pan/v1/dgi/planets").status_code == 404
