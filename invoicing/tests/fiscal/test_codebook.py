"""The book of the DGI's codes: none is forgotten, and the page says what the rules do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings as SettingsWrapper

from invoicing.fiscal import codebook
from invoicing.fiscal.dgi_codes import NAMES
from invoicing.fiscal.judged import Judged, Reader, judged


def test_every_code_of_the_dgi_is_judged_or_explained() -> None:
    assert len(NAMES) == 180
    assert codebook.gaps() == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1505", "1505 is neither judged nor explained"),
        ("2051", "2051 is judged, and yet explained away"),
        ("9999", "9999 is no code of the DGI"),
        ("1000", "1000 is explained twice"),
    ],
)
def test_a_gap_in_the_book_is_found(code: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [
        (kind, why, " ".join(each for each in codes.split() if each != "1505"))
        for kind, why, codes in codebook.REASONS
    ]
    added = [] if code == "1505" else [("Kind", "Why.", f"1505 {code}")]
    monkeypatch.setattr(codebook, "REASONS", (*kept, *added))
    assert codebook.gaps() == [told]


SOURCE = """
def above(draft):
    for index, line in enumerate(draft.lines):
        path = f"lines.{index}"
        yield Fault(f"{path}.code", "code_wrong", f"At most {MOST}.", dgi="2008" if x else "2005")
        yield Fault("lines", "uncoded", "No code of the DGI.")

def below(path):
    def inner():
        yield Fault(f"{path}.unit", "unit_wrong", known("unit", UNITS), "2002")
        yield Fault(somewhere, "ruc_wrong", str(error), fault.dgi)
    return inner
"""


def test_a_rule_is_read_with_its_path_text_and_place() -> None:
    reader = Reader("fiscal.some_rules")
    reader.read(ast.parse(SOURCE))
    told = ("lines.N.code", "code_wrong", "At most ….")
    assert reader.found == [
        Judged("2008", "fiscal.some_rules.above", *told),
        Judged("2005", "fiscal.some_rules.above", *told),
        Judged(
            "2002",
            "fiscal.some_rules.below.inner",
            "lines.N.unit",
            "unit_wrong",
            "No such unit. Known are: ….",
        ),
    ]


def test_warnings_are_told_from_faults() -> None:
    told = {each.dgi: each.is_warning for each in judged()}
    assert told["2515"]
    assert not told["2510"]


def test_the_page_is_up_to_date() -> None:
    call_command("dgi_codes", check=True)


def test_a_page_that_is_out_of_date_fails_the_check_and_is_written_anew(
    tmp_path: Path, settings: SettingsWrapper, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    with pytest.raises(CommandError, match="out of date"):
        call_command("dgi_codes", check=True)
    call_command("dgi_codes")
    call_command("dgi_codes", check=True)
    page = (tmp_path / "docs" / "dgi-codes.md").read_text("utf-8")
    for code in NAMES:
        assert f"\n| {code} | " in page
    assert "180 codes" in capsys.readouterr().out


def test_codes_that_nobody_explains_stop_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codebook, "REASONS", codebook.REASONS[1:])
    with pytest.raises(CommandError, match="neither judged nor explained"):
        call_command("dgi_codes")
