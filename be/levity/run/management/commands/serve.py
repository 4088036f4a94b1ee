"""`levity serve`: the whole of Levity with one command."""

import contextlib
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.installation import amqp_url
from levity.run.cannot_open import CannotOpen
from levity.run.holding import HeldByAnother
from levity_ws.edge.server import CannotListen
from levity_ws.edge.settings import EdgeSettings, SettingsError

__all__ = ["Command"]


class Command(BaseCommand):
    """Needs no broker and no database server; with AMQP_URL and DATABASE_URL it uses them."""

    help = (
        "Run everything that a small installation needs: web pages (HTTP_PORT, 8000), chargers' "
        "websockets (WS_PORT, 9000) and the worker. Migrates the database, and creates the first "
        "admin (DJANGO_SUPERUSER_USERNAME, DJANGO_SUPERUSER_PASSWORD) if there is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="with ten simulated charge points (DEMO-01, ...)"
        )
        parser.add_argument(
            "--http-host",
            default=os.environ.get("HTTP_HOST") or "0.0.0.0",  # noqa: S104  # for the whole site
            help="address to serve web pages on [0.0.0.0: all addresses of this machine]",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from levity.run.serve import Standalone

        try:
            edge = EdgeSettings.from_environ({"WS_PORT": "9000", **os.environ})
        except SettingsError as error:
            raise CommandError(str(error)) from error
        http_port = self._port("HTTP_PORT", 8000)
        try:
            Standalone(
                edge,
                http_host=options["http_host"],
                http_port=http_port,
                amqp_url=amqp_url(),
                say=self._say,
            ).run(demo=options["demo"])
        except (HeldByAnother, CannotOpen) as error:
            raise CommandError(str(error)) from error
        except CannotListen as error:
            raise CommandError(
                f"{error}. Another program uses that port. To use other ports: HTTP_PORT=8080 "
                "WS_PORT=9090"
            ) from error

    def _say(self, text: str) -> None:
        # The reader of the output (`| tee`, a terminal) may be gone: that is no reason to stop, nor
        # to stop only partly.
        with contextlib.suppress(OSError, ValueError):
            self.stdout.write(text)
            self.stdout.flush()

    def _port(self, name: str, default: int) -> int:
        text = os.environ.get(name) or str(default)
        if not text.isascii() or not text.isdigit() or int(text) > 65535:
            raise CommandError(f"{name}={text!r} is not a port (0 to 65535)")
        return int(text)
