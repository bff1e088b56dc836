"""The catalogues: nothing untranslated, nothing left over, and compiled as they are written."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

LANGUAGES = ("en", "es")
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
QUOTED = re.compile(r"""(?:gettext|\b_)\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
FIELD = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_compiled_as_it_is_written(language: str) -> None:
    """`make messages` compiles them."""
    written = {key: text for entry in entries(language) for key, text in entry.compiled()}
    compiled = {key: text for key, text in catalogue(language).items() if key}
    assert compiled == written


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_translated_for_good(language: str) -> None:
    for entry in entries(language):
        assert not entry.is_fuzzy, entry.msgid
        for _, text in entry.compiled():
            assert text.strip(), entry.msgid
            assert sorted(FIELD.findall(text)) == sorted(FIELD.findall(entry.msgid)), entry.msgid


def test_every_text_of_ours_has_its_english_and_no_other_is_there() -> None:
    """`make messages` collects them."""
    marked = set(marked_in_code()) | set(marked_in_templates())
    assert len(marked) > 800
    assert marked == {entry.msgid for entry in entries("en")}


class Entry:
    """One message of a .po file."""

    def __init__(self, block: str) -> None:
        self.is_fuzzy = bool(re.search(r"^#,.*\bfuzzy\b", block, re.M))
        self.parts: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
                self.parts[name] = ""
            self.parts[name] += ast.literal_eval(line)

    @property
    def msgid(self) -> str:
        return self.parts.get("msgid", "")

    def compiled(self) -> Iterator[tuple[Any, str]]:
        """Keys and texts as `gettext` knows them."""
        if "msgid_plural" not in self.parts:
            yield self.msgid, self.parts["msgstr"]
            return
        for number in (0, 1):
            yield (self.msgid, number), self.parts[f"msgstr[{number}]"]


def entries(language: str) -> list[Entry]:
    text = file_of(language, "po").read_text(encoding="utf-8")
    found = [Entry(block) for block in re.split(r"\n{2,}", text.strip())]
    return [entry for entry in found if entry.msgid]


def catalogue(language: str) -> dict[Any, str]:
    """What the server reads."""
    with file_of(language, "mo").open("rb") as file:
        return dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]


def file_of(language: str, ending: str) -> Path:
    return Path(settings.BASE_DIR, "locale", language, "LC_MESSAGES", f"django.{ending}")


def marked_in_code() -> Iterator[str]:
    for app in ("cifras", "invoicing", "pac", "tenants", "webhooks"):
        for file in Path(settings.BASE_DIR, app).rglob("*.py"):
            if "tests" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _name_of(node.func) in MARKS:
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield first.value


def marked_in_templates() -> Iterator[str]:
    for file in Path(settings.BASE_DIR, "templates").rglob("*.*"):
        source = templatize(file.read_text(encoding="utf-8"))
        yield from map(ast.literal_eval, QUOTED.findall(source))


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
