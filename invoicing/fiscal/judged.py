"""Where the rules name a code of the DGI: every `Fault(...)` with one, read from their source."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

APP = Path(__file__).parents[1]
FOLDERS = ("fiscal", "services")
OF_WARNINGS = "notices"
FIELDS = ("path", "code", "message", "dgi")  # of a Fault, in order
DGI_CODE = re.compile("[0-9]{4}")


@dataclass(frozen=True, slots=True, order=True)
class Judged:
    """One place in the rules that names a code of the DGI; `…` stands for what depends."""

    dgi: str
    where: str
    path: str
    code: str
    text: str

    @property
    def is_warning(self) -> bool:
        return f".{OF_WARNINGS}." in self.where


def judged() -> list[Judged]:
    """Every place in the rules that names a code, by code."""
    found: set[Judged] = set()
    for folder in FOLDERS:
        for source in (APP / folder).glob("*.py"):
            reader = Reader(f"{folder}.{source.stem}")
            reader.read(ast.parse(source.read_text("utf-8")))
            found.update(reader.found)
    return sorted(found)


class Reader:
    """Finds the faults of one module."""

    def __init__(self, module: str) -> None:
        self.found: list[Judged] = []
        self._module = module
        self._paths: dict[str, str] = {}

    def read(self, node: ast.AST, functions: tuple[str, ...] = ()) -> None:
        match node:
            case ast.FunctionDef(name=name):
                functions = (*functions, name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.JoinedStr() as value):
                # Helpers get their path from the function above them, under the same name.
                self._paths.setdefault(name, self._path(value))
            case ast.Call(func=ast.Name(id="Fault")):
                self._fault(node, functions)
        for child in ast.iter_child_nodes(node):
            self.read(child, functions)

    def _fault(self, call: ast.Call, functions: tuple[str, ...]) -> None:
        given = dict(zip(FIELDS, call.args, strict=False))
        given |= {keyword.arg or "": keyword.value for keyword in call.keywords}
        where = ".".join((self._module, *functions))
        for dgi in _codes(given.get("dgi")):
            path, text = self._path(given["path"]), _message(given["message"])
            self.found.append(Judged(dgi, where, path, ast.literal_eval(given["code"]), text))

    def _path(self, node: ast.expr) -> str:
        """`lines.N.code` of f"{path}.code" under `path = f"lines.{index}"`."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=parts):
                return "".join(self._path(part) for part in parts)
            case ast.FormattedValue(value=ast.Name(id="index")):
                return "N"
            case ast.FormattedValue(value=ast.Name(id=name)) | ast.Name(id=name):
                return self._paths.get(name, "…")
        return "…"


def _codes(argument: ast.expr | None) -> list[str]:
    """The codes in an argument, which may choose between two."""
    parts = ast.walk(argument) if argument else []
    texts = [part.value for part in parts if isinstance(part, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and DGI_CODE.fullmatch(text)]


def _message(node: ast.expr) -> str:
    """A message as a person reads it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_message(part) for part in parts)
        case ast.Call(func=ast.Name(id="known"), args=[ast.Constant(value=str(what)), _]):
            return f"No such {what}. Known are: …."
    return "…"
