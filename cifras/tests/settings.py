"""Settings of the test suite: the product's own, with nothing taken from a developer's `.env`."""

import os
import tempfile
from pathlib import Path

os.environ |= {
    "ENV_FILE": os.devnull,
    "DEBUG": "true",
    "SECRET_KEY": "for tests only: long enough, and the same in every process of a run",
    "DATABASE_URL": os.environ.get(
        "TEST_DATABASE_URL", f"sqlite:///{tempfile.gettempdir()}/cifras-test.sqlite3"
    ),
    "REDIS_URL": "",
    "EMAIL_URL": "memorymail://",
    "PAC_WEBHOOK_SECRET": "",
}
os.environ.setdefault("MEDIA_ROOT", tempfile.mkdtemp(prefix="cifras-test-"))

from cifras.settings import *  # noqa: F403 (the environment has to be set first)
from cifras.settings import DATABASES

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, since a database in memory cannot be seen by the threads of the live server.
    DATABASES["default"]["TEST"] = {
        "NAME": Path(tempfile.gettempdir()) / f"cifras-test-{os.getpid()}.sqlite3"
    }
    # What a test writes need not outlive a power cut.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"
