"""`manage.py pac_sandbox`: the Alanube simulator, a process of its own."""

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pac.sandbox import Options, Sandbox
from pac.sandbox.options import OptionError

OPTION_NAMES = (
    "latency",
    "dgi_delay",
    "reject_rate",
    "error_rate",
    "error_after_rate",
    "reset_rate",
    "timeout_rate",
    "late_rate",
    "late_seconds",
    "lost_answer_rate",
    "no_webhooks",
    "duplicate_webhooks",
    "webhook_loss_rate",
    "webhook_late_rate",
    "webhook_late_seconds",
    "seed",
)


def share(text: str) -> float:
    """A probability, from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text} is no number from 0 to 1")
    return value


class Command(BaseCommand):
    """Serves until Ctrl-C or SIGTERM. Needs no database and no settings of Cifras."""

    help = "Runs a simulated Alanube PAC, for trying Cifras without an account."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--host", default="127.0.0.1")
        add("--port", type=int, default=8010, help="0 takes a free one")
        add("--latency", type=float, default=0.0, metavar="MS", help="added to every call")
        add(
            "--dgi-delay", type=float, default=1.0, metavar="S",
            help="from the PAC's acceptance to the DGI's verdict",
        )  # fmt: skip
        for name, what in (
            ("reject", "documents that the DGI rejects"),
            ("error", "document calls answered 5xx, unprocessed"),
            ("error-after", "writing document calls processed and then answered 502"),
            ("reset", "document calls whose connection is reset, unprocessed"),
            ("timeout", "document calls never answered, processed or not"),
            ("late", "document calls answered late, and half of them processed as late"),
            ("lost-answer", "writing document calls processed and then cut off"),
            ("webhook-loss", "webhooks that are never sent"),
            ("webhook-late", "webhooks that later ones overtake"),
        ):
            add(f"--{name}-rate", type=share, default=0.0, metavar="P", help=f"share of {what}")
        add("--late-seconds", type=float, default=4.0, metavar="S", help="how late late calls are")
        add("--webhook-late-seconds", type=float, default=5.0, metavar="S",
            help="how late late webhooks are",
        )  # fmt: skip
        add("--no-webhooks", action="store_true")
        add("--duplicate-webhooks", action="store_true", help="send each two or three times")
        add("--state", type=Path, metavar="FILE", help="remember companies and documents there")
        add("--seed", type=int, help="make the random faults reproducible")

    def handle(self, *args: Any, **given: Any) -> None:
        options = Options()
        try:
            options.update({name: given[name] for name in OPTION_NAMES})
        except OptionError as error:
            raise CommandError(str(error)) from None
        try:
            box = Sandbox(
                options, host=given["host"], port=given["port"], state_file=given["state"]
            )
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {given['host']}:{given['port']}: {error}"
            ) from None
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        with box:
            self.stdout.write(f"Sandbox PAC on {box.url} (any Bearer token). Ctrl-C stops it.")
            self.stdout.flush()
            stop.wait()
        self.stdout.write("Sandbox PAC stopped.")
