"""What a run does to Cifras: how many of everything, and which faults. All chance is the seed's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

FAULTS: Mapping[str, float] = {
    "error-rate": 0.10,  # with the next one: 15 % of the calls that write are answered 5xx
    "error-after-rate": 0.05,
    "lost-answer-rate": 0.06,  # with half of the next one: 8 % are taken and never answered
    "timeout-rate": 0.04,
    "late-rate": 0.02,
    "late-seconds": 4.0,  # the caller gives up after three
    "reset-rate": 0.05,
    "webhook-loss-rate": 0.10,
    "webhook-late-rate": 0.15,
}
"""Of the calls about documents, and of the webhooks; each is drawn after the one above."""

SENT_TWICE = 0.05
"""Share of orders that a client sends a second time while the first may still be running."""

POSTED, AUTHORISED = "posted", "authorised"


@dataclass(frozen=True, slots=True)
class Blow:
    """What happens when the share `at` of all invoices is `posted`, or `authorised`."""

    what: str
    measure: str
    at: float


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that a tenant's customer bought."""

    tenant: int
    number: int

    @property
    def key(self) -> str:
        return f"order-{self.number}"

    @property
    def body(self) -> dict[str, Any]:
        """Every order differs from its neighbours in receiver and amount."""
        return {
            "external_id": self.key,
            "receiver": RECEIVERS[self.number % len(RECEIVERS)]
            | {"emails": [f"{self.key}@cliente.test"]},
            "lines": [
                {
                    "code": "SRV-01",
                    "description": f"Soporte mensual {self.key}",
                    "quantity": str(1 + self.number % 7),
                    "unit_price": f"{10 + self.number % 90}.50",
                    "itbms_rate": ("00", "01", "02")[self.number % 3],
                }
            ],
        }


RECEIVERS: list[dict[str, Any]] = [
    {
        "type": "CONTRIBUYENTE",
        "ruc": "155646463-2-2017",
        "ruc_type": "JURIDICO",
        "name": "Cliente Prueba, S.A.",
        "address": "Calle 50",
        "location": "8-8-7",
    },
    {
        "type": "CONTRIBUYENTE",
        "ruc": "8-274-125",
        "ruc_type": "NATURAL",
        "name": "Bárbara Batista",
        "address": "Vía España",
        "location": "8-8-7",
    },
    {"type": "CONSUMIDOR_FINAL", "name": "Cliente de mostrador"},
]


@dataclass(frozen=True)
class Plan:
    """One run. Seconds throughout."""

    seed: int
    invoices: int = 2000
    tenants: int = 5
    clients: int = 6
    kills: int = 10
    outage: float = 60.0
    deadline: float = 1200.0
    faults: Mapping[str, float] = field(default_factory=lambda: FAULTS)

    def orders(self) -> Iterator[Order]:
        """All orders, the tenants in turn; the ones that are sent twice follow their twins."""
        chance = self._chance("orders")
        for number in range(1, self.invoices + 1):
            order = Order((number - 1) % self.tenants, number)
            yield order
            if chance.random() < SENT_TWICE:
                yield order

    def blows(self) -> list[Blow]:
        """The PAC goes away in the middle; the kills strike web servers while orders come in, and
        workers all along, turn about."""
        chance = self._chance("blows")
        blows = [Blow("pac", AUTHORISED, 0.4)] if self.outage else []
        for turn in range(self.kills):
            if turn % 2:
                blows.append(Blow("web", POSTED, chance.uniform(0.05, 0.9)))
            else:
                blows.append(Blow("worker", AUTHORISED, chance.uniform(0.02, 0.9)))
        return blows

    def pac_options(self, life: int) -> list[str]:
        """The sandbox's arguments; each of its lives (it goes away once) has its own chances."""
        rates = [f"--{name}={value}" for name, value in self.faults.items()]
        return [*rates, "--duplicate-webhooks", f"--seed={self.seed * 10 + life}"]

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{self.seed} {what}")  # noqa: S311 (faults, no secrets)
