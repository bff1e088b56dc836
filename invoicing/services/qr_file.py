"""The DGI's link on an uploaded invoice: a PDF or a picture of one.

The file is read by a process of its own (`invoicing.qr_reader`), which is killed when it takes too
long: a file that breaks a decoder costs that process and nothing else. The process gets none of
our secrets. A kill of ours leaves it to its own limits of time and memory; nothing is written.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from django.conf import settings

from invoicing import qr_reader
from invoicing.errors import InvalidDocument
from invoicing.fiscal.draft import Fault
from pac.dgi.qr import cufe_in
from tenants.errors import Busy

log = logging.getLogger(__name__)

SECONDS = 20.0
PATIENCE = 5.0  # seconds that a request waits for its turn
ROOT = Path(qr_reader.__file__).resolve().parent.parent
NEEDED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")

# A reader holds a thread of the web server: at most a quarter of them read files.
_places = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 4))


def dgi_link(content: bytes) -> str:
    """The link of the DGI that stands on this file.

    Raises `InvalidDocument` with one fault of `file`: `no_qr`, `qr_not_dgi`, `several_invoices`,
    `unreadable_file`, `file_too_large`, `unsupported_file_type`; and `Busy` while too many other
    files are being read.
    """
    try:
        texts = _read_apart(content)
    except qr_reader.UnreadableFile as error:
        raise _refusal(error.code, error.message) from error
    links = {cufe: text for text in texts if (cufe := cufe_in(text)) is not None}
    if len(links) == 1:
        return next(iter(links.values())).strip()
    if links:
        raise _refusal(
            "several_invoices", "The file shows the QR of several invoices: send one at a time."
        )
    if texts:
        raise _refusal("qr_not_dgi", "The file has a QR, but not the DGI's (dgi-fep.mef.gob.pa).")
    raise _refusal("no_qr", "No QR was found; it must be whole and sharp.")


def _refusal(code: str, message: str) -> InvalidDocument:
    return InvalidDocument([Fault("file", code, message)])


def _read_apart(content: bytes) -> list[str]:
    """`qr_reader.read_texts` in a process of its own; raises what it raises, and `Busy`."""
    if not _places.acquire(timeout=PATIENCE):
        raise Busy("Other files are being read; send the same request again.")
    try:
        done = subprocess.run(  # noqa: S603 (our own module; the content is its standard input)
            [sys.executable, "-m", qr_reader.__name__],
            input=content[: qr_reader.MAX_BYTES + 1],
            capture_output=True,
            timeout=SECONDS,
            cwd=ROOT,
            env=_environment(),
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise qr_reader.UnreadableFile(
            "unreadable_file", f"The file could not be read within {SECONDS:.0f} seconds."
        ) from error
    except subprocess.CalledProcessError as error:
        log.warning("A file broke its reader (%s): %s", error.returncode, error.stderr[-2000:])
        raise qr_reader.UnreadableFile("unreadable_file", "The file is damaged.") from error
    finally:
        _places.release()
    answer = json.loads(done.stdout)
    if "code" in answer:
        raise qr_reader.UnreadableFile(answer["code"], answer["message"])
    texts: list[str] = answer["texts"]
    return texts


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in NEEDED if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
