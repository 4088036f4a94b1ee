"""Chargers that all connect in the same second, in a process of their own: PORT COUNT [PREFIX].

Each connects, and asks again when it is refused, after the Retry-After (divided by STORM_FACTOR, as
the simulator's time is); once in, it sends one Heartbeat. Prints a line of JSON when all are
served, and holds the connections until its input ends.
"""

import asyncio
import base64
import json
import os
import random
import resource
import sys
import time
from collections import Counter
from contextlib import suppress

FACTOR = float(os.environ.get("STORM_FACTOR", "1"))


class Stormer:
    """One of them."""

    def __init__(self, port: int, identity: str) -> None:
        self.port, self.identity = port, identity
        self.writer: asyncio.StreamWriter | None = None
        self.took = self.handshake = 0.0

    async def storm(self, began: float, seen: Counter[str]) -> None:
        """Until it is served."""
        while True:
            wait = random.uniform(1, 5)
            # TimeoutError is an OSError, too: what the kernel has dropped nobody answers.
            with suppress(OSError, asyncio.IncompleteReadError):
                tried = time.monotonic()
                async with asyncio.timeout(30):
                    reader, writer = await asyncio.open_connection(
                        "127.0.0.1", self.port, limit=4096
                    )
                    head = await self._shake(reader, writer)
                status = head.split(" ", 2)[1]
                seen[status] += 1
                if status == "101":
                    await self._beat(reader, writer)
                    self.writer, self.took = writer, time.monotonic() - began
                    self.handshake = time.monotonic() - tried
                    return
                writer.close()
                for line in head.split("\r\n"):
                    if line.lower().startswith("retry-after:"):
                        wait = float(line.split(":")[1])
            seen["tries again"] += 1
            await asyncio.sleep(wait / FACTOR)

    async def _shake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ws/{self.identity} HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )
        return (await reader.readuntil(b"\r\n\r\n")).decode()

    async def _beat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = b'[2,"1","Heartbeat",{}]'
        writer.write(bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text)
        head = await reader.readexactly(2)
        await reader.readexactly(head[1])


async def main(port: int, count: int, prefix: str) -> None:
    """All at once."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    began = time.monotonic()
    seen: Counter[str] = Counter()
    everyone = [Stormer(port, f"{prefix}-{number}") for number in range(count)]
    await asyncio.gather(*(each.storm(began, seen) for each in everyone))
    took = sorted(each.took for each in everyone)
    shakes = sorted(each.handshake for each in everyone)
    report = {
        "all in after": took[-1],
        "half after": took[len(took) // 2],
        "handshake p99": shakes[int(len(shakes) * 0.99)],
        **seen,
    }
    print(json.dumps(report), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), (sys.argv[3:] or ["STORM"])[0]))
