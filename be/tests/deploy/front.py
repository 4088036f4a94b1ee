"""Real nginx with the very files of `fe` and `fe-tls`, in a folder of its own and on free ports."""

import atexit
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.rabbitmq import unused_port
from websockets.sync.server import Server, ServerConnection, serve

from tests.system.processes import CHECKOUT, Process, Ran

__all__ = ["DOMAIN", "Backends", "Front", "front", "raw", "tool"]

DOMAIN = "chargers.example.com"


def tool(name: str, package: str) -> str:
    """Where a program of the operating system is; fails with the package that has it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found, f"{name} is not installed: apt-get install {package} (make check-deploy does it)"
    return found


class Backends:
    """In the place of be and ws: they note what reaches them, and say it back."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.sockets: list[dict[str, Any]] = []
        self.redirects: dict[str, str] = {}
        """Where nginx is sent (X-Accel-Redirect), by path."""
        pages, redirects = self.pages, self.redirects

        class Page(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                pages.append({"path": self.path, "headers": dict(self.headers)})
                body = json.dumps(pages[-1]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if target := redirects.get(self.path):
                    self.send_header("X-Accel-Redirect", target)
                    self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815  # its name there

            def log_message(self, *args: Any) -> None:
                pass

        self.be = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.ws: Server = serve(self._echo, "127.0.0.1", 0, compression=None, ping_interval=None)
        for server in (self.be, self.ws):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.be_port = self.be.server_address[1]
        self.ws_port = self.ws.socket.getsockname()[1]

    def _echo(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        seen = {"path": request.path, "headers": dict(request.headers.raw_items())}
        self.sockets.append(seen)
        with suppress(Exception):
            connection.send(json.dumps(seen))
            for frame in connection:
                connection.send(frame)

    def close(self) -> None:
        self.be.shutdown()
        self.be.server_close()
        self.ws.shutdown()


class Front:
    """`fe` (and, where `tls`, the scripts of `fe_tls`) as a site has them."""

    def __init__(self, folder: Path, be: int, ws: int, *, tls: bool, **environ: str) -> None:
        self.folder, self.tls = folder, tls
        self.http, self.https, self.alive = unused_port(), unused_port(), unused_port()
        # In the container everything belongs to nginx. Here root's nginx works as nobody, who can't
        # look into pytest's own folders.
        self.shared = Path(tempfile.mkdtemp(prefix="levity-front-"))
        self.shared.chmod(0o755)
        atexit.register(shutil.rmtree, self.shared, ignore_errors=True)
        for path in (folder / "site", folder / "letsencrypt", self.acme, self.run, self.firmware):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        self.certificates = folder / "letsencrypt"
        tool("nginx", "nginx-light")
        self.environ = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "LEVITY_NGINX_TEMPLATES": str(CHECKOUT / "fe/templates"),
            "LEVITY_TLS_TEMPLATES": str(CHECKOUT / "fe-tls/templates"),
            "LEVITY_SITE_DIR": str(folder / "site"),
            "LEVITY_TLS_DIR": str(self.certificates),
            "LEVITY_ACME_DIR": str(self.acme),
            "LEVITY_TLS_WORK_DIR": str(folder / "certbot"),
            "LEVITY_RUN_DIR": str(self.run),
            "LEVITY_FIRMWARE_DIR": str(self.firmware),
            "LEVITY_BE": f"127.0.0.1:{be}",
            "LEVITY_WS": f"127.0.0.1:{ws}",
            "LEVITY_HTTP_LISTEN": f"127.0.0.1:{self.http}",
            "LEVITY_HTTPS_LISTEN": f"127.0.0.1:{self.https}",
            "LEVITY_HTTPS_SUFFIX": f":{self.https}",
            "LEVITY_ALIVE_PORT": str(self.alive),
            "LEVITY_RELOAD_SECONDS": "0.2",
            "LEVITY_TLS": "true" if tls else "false",
            **environ,
        }
        self.process: Process | None = None

    @property
    def acme(self) -> Path:
        """Where certbot puts its proofs."""
        return self.shared / "acme"

    @property
    def firmware(self) -> Path:
        """What be shares with nginx."""
        return self.shared / "firmware"

    @property
    def run(self) -> Path:
        """What levity-fe has rendered."""
        return self.shared / "run"

    def script(self, name: str, *arguments: str, stdin: bytes = b"", **environ: str) -> Ran:
        """A script of fe_tls, called as the README has it called."""
        done = subprocess.run(
            ["sh", str(CHECKOUT / "fe-tls/bin" / name), *arguments],
            env={**self.environ, **environ},
            input=stdin,
            capture_output=True,
            timeout=90,
            check=False,
        )
        return Ran(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def prepare(self, domain: str = DOMAIN) -> None:
        """The two steps before nginx can start."""
        for name in ("write-nginx-conf.sh", "self-signed-cert.sh"):
            done = self.script(name, domain)
            assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """nginx, as the image starts it; returns when it is alive."""
        self.process = Process(
            "levity-fe", [str(CHECKOUT / "fe/levity-fe")], self.environ, self.folder
        )
        for _ in range(200):
            assert self.process.running, self.process.log
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.alive), 1):
                return
            threading.Event().wait(0.05)
        raise AssertionError(self.process.log)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
        shutil.rmtree(self.shared, ignore_errors=True)

    def connect(self, *, tls: bool | None = None, **options: Any) -> socket.socket:
        """A connection to port 80, or to 443 where `tls`."""
        tls = self.tls if tls is None else tls
        plain = socket.create_connection(("127.0.0.1", self.https if tls else self.http), 10)
        return self.context(**options).wrap_socket(plain) if tls else plain

    def context(self, *, certificate: Path | None = None) -> ssl.SSLContext:
        """A client that asks no questions about the server's certificate."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context

    def served_certificate(self) -> bytes:
        """The certificate that a new connection gets."""
        with self.connect(tls=True) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            found = connection.getpeercert(binary_form=True)
        assert found
        return found


@contextmanager
def front(folder: Path, *, tls: bool, **environ: str) -> Iterator[tuple[Front, Backends]]:
    """A running front with noting backends behind it."""
    backends = Backends()
    made = Front(folder, backends.be_port, backends.ws_port, tls=tls, **environ)
    try:
        if tls:
            made.prepare()
        made.start()
        yield made, backends
    finally:
        made.close()
        backends.close()


def raw(connection: socket.socket, request: str | bytes) -> tuple[int, bytes]:
    """Send this, and read until the other side is silent or gone: status and everything it said."""
    connection.sendall(request.encode() if isinstance(request, str) else request)
    connection.settimeout(0.8)
    answer = b""
    with suppress(OSError):
        while piece := connection.recv(65536):
            answer += piece
    status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0
    return status, answer
