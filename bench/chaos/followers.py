"""The tenants' other programs: they follow the feed of events while all is breaking."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import requests

PAUSE = 0.3  # seconds between two questions when nothing is new, or nobody answers
TIMEOUT = 15.0  # seconds


class Followers:
    """One thread for each key, which reads `/events` from the beginning and goes on where it was,
    whatever becomes of the server meanwhile."""

    def __init__(self, url: str, keys: Sequence[str]) -> None:
        self._url = f"{url}/api/v1/events?page_size=200"
        self._finishing, self._giving_up = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, args=(key,), name="follower", daemon=True)
            for key in keys
        ]
        self.read: list[str] = []
        """The ids of the events as they were read."""

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float) -> None:
        """Reads what there still is, for `seconds` at most."""
        self._finishing.set()
        for thread in self._threads:
            thread.join(seconds)
        self._giving_up.set()

    def _follow(self, key: str) -> None:
        url = self._url
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {key}"
            while not self._giving_up.is_set():
                finishing = self._finishing.is_set()
                try:
                    answer = session.get(url, timeout=TIMEOUT)
                    page = answer.json() if answer.status_code == 200 else None
                except requests.RequestException:
                    page = None
                if page and page["results"]:
                    self.read += [event["id"] for event in page["results"]]
                    url = page["next"]
                elif page and finishing:
                    return
                else:
                    self._giving_up.wait(PAUSE)
