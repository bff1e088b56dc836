"""A tenant's way to the PAC: its own address and token, or those of the settings."""

from collections.abc import Callable
from functools import lru_cache

import requests
from django.conf import settings

from pac.client import Exchange, PacClient
from pac.download import Downloader
from pac.transport import open_session
from tenants.models import Tenant


@lru_cache(maxsize=1)
def _session() -> requests.Session:
    """One pool of connections a process, shared by the pump's threads; it keeps no token."""
    return open_session()


@lru_cache(maxsize=64)
def _downloader(origin: str, connect: float, read: float) -> Downloader:
    return Downloader(origin, connect_timeout=connect, read_timeout=read)


def pac_address(tenant: Tenant) -> tuple[str, str]:
    """Base URL and Bearer token that this tenant's calls to the PAC use."""
    return tenant.pac_base_url or settings.PAC_BASE_URL, tenant.pac_token or settings.PAC_API_KEY


def pac_timeouts(deadline: float | None) -> tuple[float, float]:
    """Seconds to connect and to read; together `deadline` at most."""
    connect, read = settings.PAC_CONNECT_TIMEOUT, settings.PAC_READ_TIMEOUT
    if deadline is not None:
        connect = min(connect, deadline / 2)
        read = min(read, deadline - connect)
    return connect, read


def pac_client(
    tenant: Tenant,
    record: Callable[[Exchange], object] | None = None,
    *,
    deadline: float | None = None,
) -> PacClient:
    """The PAC's client for this tenant.

    `record` receives every exchange, secrets masked; `deadline` bounds each call in seconds where a
    person waits for it, otherwise `PAC_TIMEOUT` does.
    """
    base_url, token = pac_address(tenant)
    connect, read = pac_timeouts(deadline)
    return PacClient(
        base_url=base_url,
        token=token,
        connect_timeout=connect,
        read_timeout=read,
        duplicate_codes=settings.PAC_DUPLICATE_CODES,
        session=_session(),
        downloader=_downloader(base_url, connect, read),
        record=record,
    )
