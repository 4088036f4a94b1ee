"""TLS on loopback, ended as nginx ends it in `fe`: for tests that are not about nginx.

What the stranger says in the headers that only a proxy may set is thrown away. (The very
configuration of nginx is tried in be/tests/deploy.)
"""

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "terminated"]

_OURS = re.compile(rb"^(x-forwarded-|x-client-)", re.IGNORECASE)
DAY = timedelta(days=1)


class Authority:
    """Signs certificates for servers and chargers."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        self.folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.pem = folder / f"{name}.pem"
        own = self._signed(self._name, self._key.public_key(), is_authority=True)
        self.pem.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, ended: bool = False) -> Path:
        """Key and certificate made out to this name (a server's: 127.0.0.1), in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key.public_key(), ended=ended)
        path = self.folder / f"{name} of {self.pem.stem}{' ended' if ended else ''}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        ended: bool = False,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now - DAY if ended else now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        with suppress(ValueError):
            address = ip_address(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
            names = x509.SubjectAlternativeName([x509.IPAddress(address)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


@contextmanager
def terminated(upstream: int, authority: Authority) -> Iterator[int]:
    """A port on which TLS is spoken, and which leads to `upstream` without it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.pem))
    context.load_cert_chain(authority.issue("127.0.0.1"))
    context.verify_mode = ssl.CERT_OPTIONAL
    loop = asyncio.new_event_loop()
    started = threading.Event()
    port: list[int] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            inner, outward = await asyncio.open_connection("127.0.0.1", upstream)
            writers.append(outward)
            outward.write(_rewritten(head, writer))
            there = asyncio.ensure_future(_pump(reader, outward))
            try:
                await _pump(inner, writer)
            finally:
                there.cancel()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for each in writers:
                each.transport.abort()

    async def run() -> None:
        server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
        port.append(server.sockets[0].getsockname()[1])
        started.set()
        await stopping.wait()
        server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for _ in range(3):
            await asyncio.sleep(0)  # a round for each callback of the transports that let go

    stopping = asyncio.Event()

    def work() -> None:
        loop.run_until_complete(run())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert started.wait(60)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(60)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()


def _rewritten(head: bytes, writer: asyncio.StreamWriter) -> bytes:
    first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    kept = [line for line in lines if not _OURS.match(line)]
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    verified = "SUCCESS" if shown else "NONE"
    added = ["X-Forwarded-For: 192.0.2.50", "X-Forwarded-Proto: https"]
    added.append(f"X-Client-Verify: {verified}")
    if shown:
        added.append(f"X-Client-Cert: {quote(ssl.DER_cert_to_PEM_cert(shown))}")
    return b"\r\n".join([first, *kept, *(line.encode() for line in added)]) + b"\r\n\r\n"
