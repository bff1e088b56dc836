"""`python -m bench`: every benchmark, a table, and `docs/performance.md`. `make bench` runs it.

Not a test: nothing fails on a slow machine. The exit code tells whether every figure was kept.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser

import django

from bench import world

PARTS = ("posting", "draining", "deliveries", "listing", "sweeping", "printing")


def main() -> int:
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the largest list")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with world.machine() as machine:
        django.setup()
        world.log_to(machine.data / "bench.log")
        # Only now: they import models.
        from bench import deliveries, draining, listing, posting, printing, sweeping
        from bench.figures import PAGE, as_page, as_text

        runs = {
            "posting": lambda: posting.run(machine),
            "draining": lambda: draining.run(machine),
            "deliveries": lambda: deliveries.run(machine),
            "listing": lambda: listing.run(options.rows),
            "sweeping": sweeping.run,
            "printing": printing.run,
        }
        figures, notes = [], []
        for part in options.parts or PARTS:
            say(f"{part} ...")
            found, told = runs[part]()
            figures += found
            notes += told
            say(as_text(found))
            say("")
        if not options.parts:
            PAGE.write_text(as_page(figures, notes))
            say(f"Written: {PAGE}")
        return 0 if all(figure.kept for figure in figures) else 1


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
