"""What a developer's machine makes for itself, so that the first run needs no set-up."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def local_secret(data_dir: Path) -> str:
    """The machine's own secret key: made at the first call, the same ever after.

    The file is created by an atomic link, so that of several processes that start together one
    makes the key and the others read it whole.
    """
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=data_dir, prefix="secret_key.")  # for its owner alone
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
        # Where another process was first, its key is the machine's.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_text()
