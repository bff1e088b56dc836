"""Colours, typefaces, and the way from any text to one that can be drawn.

Text is drawn as it is and never read as markup: it reaches reportlab as `Preformatted` or as the
plain string of a table cell, broken into lines here. The typeface is Helvetica, which every PDF
reader has, so that nothing is embedded; it covers Western Europe (Windows-1252).
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Preformatted

REGULAR = "Helvetica"
BOLD = "Helvetica-Bold"
FIXED = "Courier-Bold"  # where each character counts: 0 and O differ, and all are as wide

INK = HexColor("#1a2530")
MUTED = HexColor("#64707c")
RULE = HexColor("#d4dae0")


class Tone(NamedTuple):
    """The colours of a band: its text, its edge, its ground."""

    ink: Color
    rule: Color
    tint: Color


NEUTRAL = Tone(INK, RULE, HexColor("#f1f4f7"))
CAUTION = Tone(HexColor("#7a4b00"), HexColor("#e8c683"), HexColor("#fff6e3"))
ALARM = Tone(HexColor("#ffffff"), HexColor("#a31621"), HexColor("#a31621"))


def style(font: str, size: float, leading: float, color: Color = INK) -> ParagraphStyle:
    return ParagraphStyle("", fontName=font, fontSize=size, leading=leading, textColor=color)


TITLE = style(BOLD, 22, 26)
HEADLINE = style(BOLD, 15, 18)
TOTAL = style(BOLD, 12, 15)
NAME = style(BOLD, 10, 13)
BODY = style(REGULAR, 8.5, 11.5)
QUIET = style(REGULAR, 8.5, 11.5, MUTED)
LABEL = style(BOLD, 7, 10, MUTED)
FOOT = style(REGULAR, 7.5, 10, MUTED)
CODE = style(FIXED, 9.5, 13)

Command = tuple[Any, ...]


def font(look: ParagraphStyle, start: tuple[int, int], stop: tuple[int, int]) -> list[Command]:
    """The table commands that set the cells from `start` to `stop` in this style."""
    return [
        ("FONT", start, stop, look.fontName, look.fontSize, look.leading),
        ("TEXTCOLOR", start, stop, look.textColor),
    ]


# Letters and signs that Unicode does not decompose into what Windows-1252 has.
_REPLACEMENTS = str.maketrans(
    {
        "\N{CHARACTER TABULATION}": " ",
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{LEFTWARDS ARROW}": "<-",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
        "ł": "l",
        "Ł": "L",
    }
)
_NOT_DRAWN = frozenset({"Cc", "Cf", "Cs", "Cn"})  # control, invisible, surrogate, unassigned


def printable(text: str) -> str:
    """The text in what the typeface can draw.

    A letter it lacks loses its accent (``ř`` is drawn ``r``) or becomes ``?``; pictures, emoji and
    invisible signs are left out. Line breaks stay.
    """
    if text.isprintable() and _drawable(text):
        return text
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).translate(_REPLACEMENTS)
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    if character in "\n\r\x0b\x0c\x85\u2028\u2029":
        return "\n"
    if unicodedata.category(character) in _NOT_DRAWN:
        return ""
    if _drawable(character):
        return character
    plain = "".join(filter(_drawable, unicodedata.normalize("NFKD", character)))
    if plain:
        return plain
    return "?" if character.isalnum() else ""


def _drawable(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def wrap(text: str, look: ParagraphStyle, width: float) -> list[str]:
    """One paragraph in drawable lines of at most `width` points; a word too long is cut."""
    font_name, size = look.fontName, look.fontSize
    text = " ".join(printable(text).split())
    if stringWidth(text, font_name, size) <= width:
        return [text]
    space = stringWidth(" ", font_name, size)
    lines: list[str] = []
    line: list[str] = []
    room = width
    for word in text.split(" "):
        needed = stringWidth(word, font_name, size)
        if line and needed > room:
            lines.append(" ".join(line))
            line, room = [], width
        while needed > width and len(word) > 1:
            head = _fitting(word, font_name, size, width)
            lines.append(word[:head])
            word = word[head:]
            needed = stringWidth(word, font_name, size)
        line.append(word)
        room -= needed + space
    return [*lines, " ".join(line)]


def _fitting(word: str, font_name: str, size: float, width: float) -> int:
    """How many characters of `word` fit, at least one."""
    lengths = range(1, len(word) + 1)
    return max(
        1,
        bisect_right(
            lengths, width, key=lambda length: stringWidth(word[:length], font_name, size)
        ),
    )


def text_width(texts: Iterable[str], look: ParagraphStyle) -> float:
    """The width of the widest, in points."""
    return max(
        (stringWidth(printable(text), look.fontName, look.fontSize) for text in texts), default=0
    )


def cell(text: str, look: ParagraphStyle, width: float) -> str:
    """A paragraph as the content of a table cell that is `width` points wide inside."""
    return "\n".join(wrap(text, look, width))


def balanced(text: str, look: ParagraphStyle, width: float) -> str:
    """A heading in as few lines as `cell` would make, but lines of about the same length."""
    lines = wrap(text, look, width)
    narrowest = text_width([text], look) / len(lines)
    while len(closer := wrap(text, look, narrowest)) > len(lines):
        narrowest = min(width, narrowest + look.fontSize / 2)
    return "\n".join(closer)


def block(text: str, look: ParagraphStyle, width: float) -> Preformatted:
    """A paragraph as a flowable."""
    return Preformatted(cell(text, look, width), look)


def long_block(text: str, look: ParagraphStyle, width: float) -> Preformatted:
    """A text that keeps its own line breaks, as a flowable that may go over pages."""
    paragraphs = printable(text).strip().split("\n")
    return Preformatted("\n".join(cell(part, look, width) for part in paragraphs), look)
