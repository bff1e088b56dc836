"""What a developer's machine makes for itself, so that the first run needs no set-up."""

import os
import secrets
from pathlib import Path


def local_secret(data_dir: Path) -> str:
    """The machine's own secret key: made at the first call, the same ever after.

    The file is created by an atomic link, so that of several processes that start together one
    makes the key and the others read it whole.
    """
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = data_dir / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its key is the machine's
        finally:
            draft.unlink()
    return path.read_text()
