"""The state file: written whole, beside the calls, and never more than it needs to be."""

import os
import tempfile
import threading
import time
from pathlib import Path

from pac.sandbox.state import State

INTERVAL = 0.5
"""Seconds between two writes at least: a thousand calls in that time are one write."""


class StateFile:
    """Keeps a State in a JSON file.

    A power cut leaves the last complete file behind (a temporary one is renamed over it) and
    loses at most the changes of the last moments; a clean stop loses nothing.
    """

    def __init__(self, path: Path, state: State) -> None:
        self._path = path
        self._state = state
        self._written = state.version
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-state", daemon=True)

    def start(self) -> None:
        """Read the file where there is one, then keep it up to date."""
        if self._path.exists():
            self._state.load(self._path.read_text("utf-8"))
        self._written = self._state.version
        self._thread.start()

    def stop(self) -> None:
        """Write what is new and end."""
        self._stopping.set()
        self._thread.join()
        self._write()

    def _run(self) -> None:
        pause = INTERVAL
        while not self._stopping.wait(pause):
            began = time.monotonic()
            self._write()
            # A big state takes longer to write: spend at most a tenth of the time on it.
            pause = max(INTERVAL, 9 * (time.monotonic() - began))

    def _write(self) -> None:
        with self._state.lock:
            version = self._state.version
            if version == self._written:
                return
            text = self._state.dump()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._written = version
