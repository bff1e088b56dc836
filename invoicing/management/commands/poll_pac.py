"""`manage.py poll_pac`: the pump by hand, without a worker."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from invoicing import pump


class Command(BaseCommand):
    """A tool for an operator; in a deployment the pump runs in the worker. Beside a running worker
    it does no harm: every piece of work is claimed once."""

    help = (
        "Sends what is due to the PAC, asks for what has no verdict yet, and mails what is ready, "
        "until Ctrl-C or, with --once, until nothing is due."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            done = pump.drain("pac", "mail")
            self.stdout.write(f"{done} carried out; nothing else is due now.")
            return
        stop = threading.Event()
        before = signal.signal(signal.SIGINT, lambda *_: _first_then_abrupt(stop))
        self.stdout.write("Doing what is due, every second. Ctrl-C stops.")
        try:
            done = self.loop(stop)
        finally:
            signal.signal(signal.SIGINT, before)
        self.stdout.write(f"Stopped. {done} carried out.")

    def loop(self, stop: threading.Event) -> int:
        done = 0
        while not stop.is_set():
            now = pump.drain("pac", "mail")
            done += now
            if now:
                self.stdout.write(f"{now} carried out.")
            stop.wait(pump.IDLE)
        return done


def _first_then_abrupt(stop: threading.Event) -> None:
    """The first Ctrl-C lets what is in flight come home, the second does not wait for it."""
    if stop.is_set():
        raise KeyboardInterrupt
    stop.set()
