"""The PAC's webhooks at a steady rate, by real HTTP, from a client that does not wait for answers
before it sends the next: a slow answer does not slow the questions."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import uuid4

from bench.figures import Figure, percentile
from cifras.local_processes import Machine, is_taken, wait_until
from tenants.models import Tenant
from webhooks.models import PacDelivery

RATE, SECONDS = 300, 15
CONNECTIONS = 32
LIMIT = 50  # ms


def run(machine: Machine) -> tuple[list[Figure], list[str]]:
    tenant = Tenant.objects.create(
        name="webhooks", ruc="webhooks-1-1", ruc_type="JURIDICO", dv="00",
        email="bench@cifras.example", pac_company_id="01BENCH", webhook_secret="a secret",  # noqa: S106
    )  # fmt: skip
    web = machine.web()
    web.command = [*web.command, "--workers", "2"]  # as the README starts it
    web.start()
    try:
        wait_until(lambda: is_taken(machine.port), what="the web", seconds=30, programs=[web])
        asyncio.run(deliver(machine.port, 2))  # warms it up
        took = asyncio.run(deliver(machine.port, SECONDS))
    finally:
        web.stop()
    stored = PacDelivery.unscoped.filter(tenant=tenant).count()
    if stored != RATE * (SECONDS + 2):
        raise RuntimeError(f"Of {RATE * (SECONDS + 2)} deliveries {stored} were stored.")
    p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
    return [
        Figure(
            f"webhooks at {RATE}/s, 99 of 100",
            f"{p99:.1f} ms",
            f"half of them: {p50:.1f} ms",
            p99 / p50,
            f"under {LIMIT} ms",
            p99 < LIMIT,
        )
    ], [
        f"Webhooks: {RATE} new deliveries a second for {SECONDS} s over {CONNECTIONS} connections "
        "to two gunicorn processes with eight threads each; from when one was to go out to the end "
        "of its answer."
    ]


async def deliver(port: int, seconds: int) -> list[float]:
    """Seconds that each delivery took, counted from when its turn was."""
    turns: asyncio.Queue[float | None] = asyncio.Queue()
    took: list[float] = []
    connections = [asyncio.create_task(connection(port, turns, took)) for _ in range(CONNECTIONS)]
    began = time.perf_counter() + 0.1
    for number in range(RATE * seconds):
        turn = began + number / RATE
        if (pause := turn - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        turns.put_nowait(turn)
    for _ in connections:
        turns.put_nowait(None)
    await asyncio.gather(*connections)
    return took


async def connection(port: int, turns: asyncio.Queue[float | None], took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (turn := await turns.get()) is not None:
        body = json.dumps({"id": uuid4().hex[:26], "legalStatus": "DGI_AUTHORIZED"})
        writer.write(
            (
                "POST /webhooks/pac/01BENCH HTTP/1.1\r\nHost: localhost\r\n"
                "X-Pac-Signature: a secret\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1]
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        await reader.readexactly(length)
        if status != b"200":
            raise RuntimeError(f"A webhook was answered {status.decode()}.")
        took.append(time.perf_counter() - turn)
        if b"connection: close" in head.lower():
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
