"""`levity serve`: the worker and the web pages in this process, the edge in a second one."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection
from django.utils import timezone
from waitress.server import create_server

from levity.addresses import local_addresses
from levity.installation import is_levitys_own
from levity.monitoring.health.checks import all_are_applied, migrations
from levity.monitoring.metrics.counters import WORKER, count_batch
from levity.monitoring.metrics.exposition import also_show
from levity.monitoring.worker_threads import Pulse
from levity.ocpp.decisions.retention import prune
from levity.ocpp.models import ChargePoint, Edge
from levity.ocpp.worker.housekeeping import forget_edges
from levity.ocpp.worker.loop import Worker, leave_what_stays
from levity.run.amqp.transport import AmqpWorkerTransport
from levity.run.cannot_open import CannotOpen
from levity.run.edge_process import EdgeProcess
from levity.run.holding import Hold, holding
from levity.run.opening import open_database
from levity.run.short_lived import Ended, short_lived
from levity.run.web.bodies import ANYBODY, limit_bodies
from levity.run.welcome import as_typed, first_admin, pages_path, welcome
from levity_ws.__main__ import loop_factory
from levity_ws.edge.server import CannotListen, run
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.amqp import AmqpEdgeTransport
from levity_ws.rpc.memory import MemoryBroker
from levity_ws.rpc.topology import prefix_from_environ
from levity_ws.rpc.transport import EdgeTransport, WorkerTransport

__all__ = ["Standalone"]

log = logging.getLogger(__name__)

# Each holds a database connection; only a few people use the pages of one installation.
WEB_THREADS = 4
# Seconds.
FIRST_PRUNE, DAY = 300.0, 86_400.0


class Standalone:
    """Everything that a small installation needs, until Ctrl-C or SIGTERM. The edge is a process of
    its own, connected to this one by a pipe (docs/adr/0022); with an `amqp_url` they are connected
    through the broker, and the edge runs in this process.
    """

    def __init__(
        self,
        edge: EdgeSettings,
        *,
        http_host: str,
        http_port: int,
        amqp_url: str,
        say: Callable[[str], object],
    ) -> None:
        self.edge = edge
        self.http_host, self.http_port = http_host, http_port
        self._say = say
        self.make_worker_transport: Callable[[], WorkerTransport]
        self.edge_transport: EdgeTransport | None = None
        self.edge_process: EdgeProcess | None = None
        self.shared_with_others = bool(amqp_url)
        if amqp_url:
            prefix = prefix_from_environ(os.environ)
            self.edge_transport = AmqpEdgeTransport(amqp_url, prefix=prefix)
            self.make_worker_transport = lambda: AmqpWorkerTransport(amqp_url, prefix=prefix)
        else:
            broker = MemoryBroker()
            self.edge_process = EdgeProcess(broker, edge.port, _nobody_is_connected_any_more)
            self.make_worker_transport = broker.worker_transport
        self._stopping = threading.Event()
        self._worker: Worker | None = None
        self._pulse = Pulse(
            beat=lambda: self._worker.beat if self._worker else time.monotonic(),
            transport=lambda: self._worker and self._worker.transport,
        )

    def run(self, *, demo: bool = False) -> None:
        """Migrate, serve, and stop in order. Raises `HeldByAnother` if Levity already runs on this
        data, `CannotOpen` if it can't be used, `CannotListen` if a port can't be used.
        """
        with holding(
            "levity serve",
            alone=not self.shared_with_others,
            on_lost=lambda: os.kill(os.getpid(), signal.SIGTERM),
        ) as hold:
            self._run(hold, demo=demo)

    def _run(self, hold: Hold, *, demo: bool) -> None:
        if demo and not os.environ.get("LOG_LEVEL"):
            # Ten active chargers fill a terminal within a second, and the password would be out of
            # sight.
            os.environ["LOG_LEVEL"] = "WARNING"  # the edge's process reads it
        self._say("Levity: preparing the database ...")
        try:
            short_lived(_prepare)
        except Ended as error:
            raise CannotOpen(
                f"{error}. Start again: the update goes on where it stopped."
            ) from error
        all_are_applied()
        if demo and apps.is_installed("levity.billing"):
            from levity.run.demo_bills import make_bills
            from levity.run.demo_history import make_history

            now = timezone.now()
            if make_history(now):
                make_bills(now)
        if not self.shared_with_others:
            _nobody_is_connected()
        web = self._web_server()
        # The chosen port, if HTTP_PORT is 0.
        settings.LEVITY_HTTP_PORT = self.http_port = web.effective_port
        hold.at(f"http://{(local_addresses() or ['localhost'])[0]}:{self.http_port}{pages_path()}")
        worker = threading.Thread(target=self._work, name="worker")
        pages = threading.Thread(target=web.run, name="web", daemon=True)
        deliveries = _deliveries()
        pruning = threading.Thread(target=self._prune_daily, name="prune", daemon=True)
        files = _files()
        leave_what_stays()
        try:
            pages.start()
            worker.start()
            pruning.start()
            self._pulse.start()
            if files is not None:
                files.start()
            if deliveries is not None:
                deliveries.start()
            also_show(*WORKER)
            self._run_edge(demo=demo)
        finally:
            self._say("Levity: stopping ...")
            self._stopping.set()
            if self._worker is not None:
                self._worker.stop()
            worker.join(timeout=10)
            self._pulse.stop()
            if files is not None:
                files.stop()
            if deliveries is not None:
                deliveries.stop()
            web.close()
            connection.close()
        self._say("Levity: stopped. Every answered message is in the database.")

    def _web_server(self) -> Any:
        if is_levitys_own():
            settings.ALLOWED_HOSTS += [
                address for address in local_addresses() if address not in settings.ALLOWED_HOSTS
            ]
        settings.OCPP_WAITING_REQUESTS = WEB_THREADS // 2
        try:
            server = create_server(
                _pages(),
                host=self.http_host,
                port=self.http_port,
                threads=WEB_THREADS,
                max_request_body_size=ANYBODY + 1,
                ident="Levity",
                # levity.run.web.proxies does that, and believes the configured proxies.
                clear_untrusted_proxy_headers=False,
            )
        except OSError as error:
            where = f"{self.http_host}:{self.http_port}"
            raise CannotListen(f"Can't listen on {where}: {error.strerror or error}") from error
        limit_bodies(server)
        return server

    def _work(self) -> None:
        """Run the worker; if it fails, start a new one with the unfinished batches."""
        while not self._stopping.is_set():
            transport = self.make_worker_transport()
            try:
                self._worker = Worker(transport, on_taken=count_batch)
                if not self._stopping.is_set():
                    self._worker.run()
            except Exception:
                log.exception("the worker failed; restarting it")
                transport.close()
                connection.close()
                self._stopping.wait(1)

    def _prune_daily(self) -> None:
        """Delete old messages, soon after the start and then once a day."""
        pause = FIRST_PRUNE
        while not self._stopping.wait(pause):
            pause = DAY
            try:
                prune(timezone.now())
            except DatabaseError:
                log.exception("old messages could not be deleted; trying again tomorrow")
            finally:
                connection.close()

    def _run_edge(self, *, demo: bool) -> None:
        def started(port: int, metrics: Any) -> None:
            also_show(metrics)
            # Only now: a password that is generated but not shown, because a port is taken, would
            # lock all users out.
            with ThreadPoolExecutor(1) as apart:  # Django's ORM refuses to block an event loop
                admin = apart.submit(_first_admin_and_close).result()
            settings.LEVITY_WS_PORT = port
            if demo:
                # Django has reset its logging meanwhile.
                logging.getLogger().setLevel(os.environ["LOG_LEVEL"])
            self._say(welcome(self.http_port, port, admin, demo=demo))
            if demo:
                tasks.append(asyncio.ensure_future(_play(f"ws://127.0.0.1:{port}/ws")))

        tasks: list[asyncio.Future[None]] = []

        async def serve() -> None:
            try:
                await self._edge(started)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

        with (
            contextlib.suppress(KeyboardInterrupt),
            asyncio.Runner(loop_factory=loop_factory()) as runner,
        ):
            runner.run(serve())

    async def _edge(self, started: Callable[[int, Any], None]) -> None:
        """Run the edge until the stop: in a process of its own, or here if there is a broker."""
        if self.edge_process is not None:
            process = self.edge_process
            await process.run(lambda: started(process.port, process))
        elif self.edge_transport is not None:
            await run(
                self.edge,
                self.edge_transport,
                on_started=lambda server: started(server.port, server.metrics),
            )


def _prepare() -> None:
    """Bring the database to this release; raises CannotOpen if that is for somebody else to do."""
    open_database()
    if is_levitys_own():
        call_command("migrate", verbosity=0, interactive=False)
    elif missing := migrations():
        what, _, _ = missing.partition(":")
        raise CannotOpen(f"{what}: run {as_typed(sys.argv[0])} migrate")


def _files() -> Any:
    """What looks after chargers' files, if the project has them."""
    if not apps.is_installed("levity.files"):
        return None
    from levity.files.keeper import Keeper

    return Keeper()


def _pages() -> Any:
    """The project's pages, and its static files if the project leaves them to a server."""
    if is_levitys_own():
        return get_wsgi_application()
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import get_internal_wsgi_application

    application = get_internal_wsgi_application()
    if any("whitenoise" in name.lower() for name in settings.MIDDLEWARE):
        return application
    return (
        StaticFilesHandler(application)
        if apps.is_installed("django.contrib.staticfiles")
        else application
    )


def _deliveries() -> Any:
    """What delivers events, where the project has that app."""
    if not apps.is_installed("levity.integrations"):
        return None
    from levity.integrations.mqtt.settings import BadMqttUrl
    from levity.integrations.starting import runner

    try:
        return runner()
    except BadMqttUrl as error:
        raise CannotOpen(str(error)) from error


def _first_admin_and_close() -> list[str]:
    try:
        return first_admin(os.environ)
    finally:
        connection.close()


def _nobody_is_connected() -> None:
    """Reset the connections of the last run: this process is the only edge."""
    edges = list(Edge.objects.values_list("pk", flat=True))
    if edges:
        forget_edges(edges, timezone.now())
    ChargePoint.objects.filter(connection__isnull=False).update(connection=None, edge=None)


def _nobody_is_connected_any_more() -> None:
    """The same in a thread of another event loop."""
    try:
        _nobody_is_connected()
    except DatabaseError:
        log.exception("chargers may be shown as online until housekeeping runs")
    finally:
        connection.close()


async def _play(url: str) -> None:
    from levity.simulator.fleet import demo_fleet

    try:
        await demo_fleet(url).run()
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("the simulated chargers stopped")
