from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pac.tests.local_server import LocalServer, Script


@pytest.fixture
def serve() -> Iterator[Callable[..., LocalServer]]:
    servers: list[LocalServer] = []

    def start(script: Script, **options: Any) -> LocalServer:
        servers.append(LocalServer(script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
