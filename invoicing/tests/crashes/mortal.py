"""A process of Cifras that can be killed: at every commit, HTTP call, e-mail and file.

It lives inside the test's own process, so that it can be stopped to the step. Its seams with the
world are the boundaries: what the database has committed, what went over the wire, what the mail
server took and what the storage holds is all that a kill leaves behind. Memory goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from invoicing import bell
from pac import transport

T = TypeVar("T")

BEFORE, AFTER = "before", "after"
_WRITE = re.compile(r'\s*(INSERT|UPDATE|DELETE)(?: OR IGNORE)?(?: INTO| FROM)? "?(\w+)')
_ID = re.compile(r"/[^/]{20,}")


class Killed(BaseException):
    """The process is gone. No handler of errors sees this, as none sees a SIGKILL."""


@dataclass
class Mortal:
    """Runs work as one process after another, of which one dies at the boundary `dies_at`.

    `dies_at` is the boundary's position, counted from 1 over all of them, and on which side of it:
    just before the commit, or with the commit made and nothing done after it. With `lives_for`,
    each dies before its boundary of that position. `passed` names the boundaries that were reached.
    Use it within `seams(process)`.
    """

    dies_at: tuple[int, str] | None = None
    lives_for: int | None = None
    passed: list[str] = field(default_factory=list)
    deaths: int = 0
    _born_at: int = 0
    _is_running: bool = False
    _is_dead: bool = False
    _written: dict[int, list[str]] = field(default_factory=dict)

    def run(self, work: Callable[[], T]) -> T | None:
        """What `work` comes to; None where the process died in it. The next call is a new process,
        with nothing of the old one in its memory."""
        cache.clear()
        self._born_at = len(self.passed)
        self._is_running = True
        try:
            return work()
        except Killed:
            return None
        finally:
            self._is_running = False
            if self._is_dead:
                self._bury()

    def _bury(self) -> None:
        self._is_dead = False
        self.deaths += 1
        self._written.clear()
        connection.close()

    @contextmanager
    def boundary(self, name: str) -> Iterator[None]:
        """What is done in here touches the world, whole or not at all."""
        if not self._is_running:
            yield
            return
        self._breathe()
        self.passed.append(name)
        position = len(self.passed)
        self._perhaps_die(position, BEFORE)
        yield
        self._perhaps_die(position, AFTER)

    def _breathe(self) -> None:
        if self._is_dead:
            raise Killed

    def _perhaps_die(self, position: int, side: str) -> None:
        age = position - self._born_at
        if (position, side) == self.dies_at or (age, side) == (self.lives_for, BEFORE):
            self._is_dead = True
            raise Killed

    # The database: what counts is the commit. A statement outside a transaction is one.

    def execute(self, cursor: CursorWrapper, sql: Any, execute: Callable[[], T]) -> T:
        if not self._is_running:
            return execute()
        self._breathe()
        write = _WRITE.match(str(sql))
        if write is None:
            return execute()
        name = f"{write[1]} {write[2]}"
        if cursor.db.in_atomic_block:
            self._written.setdefault(id(cursor.db), []).append(name)
            return execute()
        with self.boundary(name):
            return execute()

    def commit(self, database: BaseDatabaseWrapper, commit: Callable[[], None]) -> None:
        written = self._written.pop(id(database), [])
        if not (self._is_running and written):
            commit()
            return
        try:
            with self.boundary("COMMIT " + ", ".join(dict.fromkeys(written))):
                commit()
        except Killed:
            # The server sees the connection go. After the commit, there is nothing left to undo.
            database._rollback()  # type: ignore[attr-defined]
            raise

    def rolled_back(self, database: BaseDatabaseWrapper) -> None:
        self._written.pop(id(database), None)


@contextmanager
def seams(process: Mortal) -> Iterator[None]:
    """Puts the process's boundaries between Cifras and the world."""
    execute, executemany = CursorWrapper._execute, CursorWrapper._executemany
    commit, rollback = BaseDatabaseWrapper._commit, BaseDatabaseWrapper._rollback
    send, send_messages = transport.send, EmailBackend.send_messages
    save, delete = FileSystemStorage._save, FileSystemStorage.delete

    def _execute(self: CursorWrapper, sql: Any, *args: Any) -> Any:
        return process.execute(self, sql, lambda: execute(self, sql, *args))

    def _executemany(self: CursorWrapper, sql: Any, *args: Any) -> Any:
        return process.execute(self, sql, lambda: executemany(self, sql, *args))

    def _commit(self: BaseDatabaseWrapper) -> None:
        process.commit(self, lambda: commit(self))

    def _rollback(self: BaseDatabaseWrapper) -> None:
        process.rolled_back(self)
        rollback(self)

    def _send(session: Any, request: Any, **options: Any) -> transport.Reply:
        path = _ID.sub("/{}", urlsplit(request.url).path)
        with process.boundary(f"{request.method} {path}"):
            return send(session, request, **options)

    def _send_messages(self: EmailBackend, messages: Any) -> int:
        with process.boundary("e-mail"):
            return send_messages(self, messages)

    def _save(self: FileSystemStorage, name: str, content: Any) -> str:
        with process.boundary("file stored"):
            return save(self, name, content)

    def _delete(self: FileSystemStorage, name: str) -> None:
        with process.boundary("file deleted"):
            delete(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CursorWrapper, "_execute", _execute)
        patch.setattr(CursorWrapper, "_executemany", _executemany)
        patch.setattr(BaseDatabaseWrapper, "_commit", _commit)
        patch.setattr(BaseDatabaseWrapper, "_rollback", _rollback)
        patch.setattr(transport, "send", _send)
        patch.setattr(EmailBackend, "send_messages", _send_messages)
        patch.setattr(FileSystemStorage, "_save", _save)
        patch.setattr(FileSystemStorage, "delete", _delete)
        # However slow the machine, every process rings as often as the recorded one did.
        patch.setattr(bell, "GRAIN", 3600)
        yield
