"""`.env.example` and the settings speak of the same variables."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"


def read_by_the_settings() -> set[str]:
    """The first argument of each `env.str("NAME", ...)` and its like."""
    tree = ast.parse((ROOT / "cifras" / "settings.py").read_text())
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }


def named_in_the_example() -> list[str]:
    return re.findall(r"^#?([A-Z][A-Z0-9_]*)=", EXAMPLE.read_text(), re.MULTILINE)


def test_every_variable_of_the_settings_is_in_the_example() -> None:
    assert read_by_the_settings() - set(named_in_the_example()) == set()


def test_the_example_names_no_variable_that_nobody_reads() -> None:
    assert set(named_in_the_example()) - read_by_the_settings() == set()


def test_the_example_names_each_variable_once() -> None:
    names = named_in_the_example()
    assert sorted(names) == sorted(set(names))


def test_the_defaults_of_the_example_are_those_of_the_settings(tmp_path: Path) -> None:
    """Uncommented as it stands, the example changes nothing but what has no default."""
    free = ("SECRET_KEY", "FIELD_ENCRYPTION_KEY", "DATABASE_URL", "MEDIA_ROOT", "EMAIL_URL")
    lines = re.findall(r"^#([A-Z][A-Z0-9_]*=.*)$", EXAMPLE.read_text(), re.MULTILINE)
    uncommented = tmp_path / "env"
    uncommented.write_text("\n".join(line for line in lines if not line.startswith(free)))
    assert _settings(str(uncommented)) == _settings(os.devnull)


def _settings(env_file: str) -> str:
    program = (
        # Texts of the settings are shown as they are written.
        "from django.conf import settings; settings.configure(USE_I18N=False); "
        "import cifras.settings as s; "
        "print({n: v for n, v in sorted(vars(s).items()) if n.isupper()})"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ENV_FILE": env_file, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.sub(r" at 0x[0-9a-f]+", "", answer)  # where a function stands
