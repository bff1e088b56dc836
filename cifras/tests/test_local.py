"""The key that a developer's machine makes for itself."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cifras.local import local_secret


def test_it_is_made_once_and_is_the_same_ever_after(tmp_path: Path) -> None:
    first = local_secret(tmp_path / "var")
    assert len(first) >= 50
    assert local_secret(tmp_path / "var") == first
    assert local_secret(tmp_path / "elsewhere") != first


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    local_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_it_leaves_no_draft_behind(tmp_path: Path) -> None:
    local_secret(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_who_comes_second_takes_the_first_ones_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process makes the key between our look and our link."""
    link = os.link

    def be_overtaken(draft: Path, path: Path) -> None:
        path.write_text("the other's key")
        link(draft, path)

    monkeypatch.setattr(os, "link", be_overtaken)
    assert local_secret(tmp_path) == "the other's key"
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_threads_of_one_process_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: local_secret(tmp_path), range(8)))) == 1
