"""A mail server and a web server that take what Levity sends, on free ports of this machine."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

__all__ = ["Dying", "Killed", "MailServer", "WebServer", "running"]


class Killed(BaseException):
    """As SIGKILL: no `except` of ours sees it."""


class Dying(BaseEmailBackend):
    """A process that ends while it sends."""

    def send_messages(self, email_messages: Any) -> int:
        raise Killed


class MailServer(socketserver.TCPServer):
    """SMTP (RFC 5321), as much of it as a client needs; `refusing` answers 451 to everything,
    `refused` says what is answered to RCPT of an address."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.mails: list[tuple[list[str], Message]] = []
        self.refusing = False
        self.refused: dict[str, str] = {}

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Mail(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        to: list[str] = []
        self.say("220 test")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            verb = line.split(":")[0].upper()
            if verb.startswith(("EHLO", "HELO")):
                self.say("250 test")
            elif verb == "DATA":
                self.say("354 go on")
                self.server.mails.append((to, message_from_bytes(self.text())))
                self.say("250 taken")
                to = []
            elif verb == "QUIT":
                self.say("221 bye")
                return
            elif self.server.refusing:
                self.say("451 not now")
            else:
                address = line.partition("<")[2].partition(">")[0] if verb == "RCPT TO" else ""
                if address in self.server.refused:
                    self.say(self.server.refused[address])
                    continue
                if address:
                    to.append(address)
                self.say("250 ok")

    def text(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class WebServer(HTTPServer):
    """Keeps every POST, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Web)
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?token=t0ken"


class _Web(BaseHTTPRequestHandler):
    server: WebServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "http://169.254.169.254/")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """The server, in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
