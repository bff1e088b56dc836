"""Kills processes and takes the PAC away, when the plan says so."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.chaos.plan import Plan
from bench.chaos.stage import Stage

LOOK = 0.2  # seconds
APART = 3.0  # seconds between two kills of the same process: it has to be up again to die
REFUSING = 1 / 3  # of the outage: at first the PAC answers 503, then nobody answers


@dataclass
class Saboteur:
    """A thread that strikes. `progress` tells the share of invoices by measure."""

    plan: Plan
    stage: Stage
    progress: Callable[[], Mapping[str, float]]
    say: Callable[[str], None]
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    """What the sandbox counted in the life that the outage ended."""
    posts: int = 0
    """How many POSTs to issue that life got."""
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self._blows = self.plan.blows()
        self._ready_at = {"web": 0.0, "worker": 0.0}
        self._stopping = threading.Event()
        self._outage: threading.Thread | None = None
        self._thread = threading.Thread(target=self._guarded, args=[self._run], daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Strikes no more; waits until the PAC is back."""
        self._stopping.set()
        self._thread.join()
        if self._outage:
            self._outage.join()

    @property
    def is_done(self) -> bool:
        """Whether every blow fell, and the PAC is back."""
        return not self._thread.is_alive() and not (self._outage and self._outage.is_alive())

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # told by whoever waits for us
            self.failure = error

    def _run(self) -> None:
        while self._blows and not self._stopping.wait(LOOK):
            progress = self.progress()
            for blow in [each for each in self._blows if progress[each.measure] >= each.at]:
                if self._strike(blow.what):
                    self._blows.remove(blow)

    def _strike(self, what: str) -> bool:
        if what == "pac":
            self._outage = threading.Thread(target=self._guarded, args=[self._take_pac_away])
            self._outage.start()
            return True
        if time.monotonic() < self._ready_at[what]:
            return False
        program = self.stage.web if what == "web" else self.stage.worker
        self.stage.kill(program)
        self._ready_at[what] = time.monotonic() + APART
        self.kills[what] += 1
        self.say(f"killed the {program.name}")
        return True

    def _take_pac_away(self) -> None:
        self.say("the PAC is away")
        back = time.monotonic() + self.plan.outage
        self.stage.tell_pac(down="503")
        self._stopping.wait(self.plan.outage * REFUSING)
        counted = self.stage.ask_pac("requests")
        self.faults.update(counted["faults"])
        self.posts += sum(post["count"] for post in counted["posts"])
        self.stage.pac.stop()
        self._stopping.wait(max(0.0, back - time.monotonic()))
        self.stage.replace_pac()
        self.say("the PAC is back")
