from collections.abc import Callable, Iterator

import pytest

from pac.sandbox import Options, Sandbox
from pac.tests.sandbox.caller import TOKEN, Caller, Clock, Inbox, open_inbox


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(clock: Clock) -> Iterator[Sandbox]:
    """A sandbox whose DGI decides only when told to."""
    with Sandbox(Options(dgi_delay=3600), clock=clock) as running:
        yield running


@pytest.fixture
def new_caller(box: Sandbox) -> Iterator[Callable[..., Caller]]:
    callers = []

    def make(token: str = TOKEN, **company: str) -> Caller:
        ids = box.add_subscribed_company(token=token, **company)
        callers.append(Caller(box, token, ids))
        return callers[-1]

    yield make
    for each in callers:
        each.session.close()


@pytest.fixture
def alice(new_caller: Callable[..., Caller]) -> Caller:
    """A caller whose company may issue."""
    return new_caller()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as endpoint:
        yield endpoint
