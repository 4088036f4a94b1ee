"""Harm that is done to Postgres in its own language."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Any

import psycopg2

from levity_lab.soak.scene import Scene

__all__ = [
    "cancel_statements",
    "deadlocks",
    "exhaust_connections",
    "kill_backend",
    "long_lock",
    "read_only",
    "terminate_backends",
]

Harm = Callable[[Scene], AbstractAsyncContextManager[None]]
OF_WORKERS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    " AND pid <> pg_backend_pid() AND application_name <> 'soak'"
)
LOCKED = "ocpp_chargepoint, ocpp_transaction, ocpp_message"


def _keep_asking(statement: str, every: float, what: str) -> Harm:
    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        async def go_on() -> None:
            while True:
                rows = await asyncio.to_thread(scene.site.database.rows, statement)
                scene.count(what, len(rows))
                await asyncio.sleep(every)

        async with scene.meanwhile(go_on):
            yield

    return harm


def terminate_backends() -> Harm:
    """pg_terminate_backend for every session of a worker, about every half second."""
    return _keep_asking(f"SELECT pg_terminate_backend(pid) {OF_WORKERS}", 0.4, "sessions ended")


def cancel_statements() -> Harm:
    """pg_cancel_backend for whatever runs: what a statement time-out does."""
    active = f"SELECT pg_cancel_backend(pid) {OF_WORKERS} AND state = 'active'"
    return _keep_asking(active, 0.05, "statements cancelled")


def kill_backend() -> Harm:
    """SIGKILL for one backend: Postgres throws everybody out and recovers."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        pids = await asyncio.to_thread(scene.site.database.backends)
        if pids:
            os.kill(scene.chance.choice(pids), signal.SIGKILL)
            scene.count("kills")
        yield

    return harm


def read_only() -> Harm:
    """Every transaction is read-only, as on a standby after a failover."""

    def alter(scene: Scene, value: str) -> None:
        with scene.site.database.open() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            cursor.execute("SELECT pg_reload_conf()")

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        await asyncio.to_thread(alter, scene, "on")
        try:
            yield
        finally:
            await asyncio.to_thread(alter, scene, "off")

    return harm


def exhaust_connections() -> Harm:
    """Others take every connection, those of the workers as well."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        database = scene.site.database
        with ExitStack() as held:

            def take_all() -> None:
                first = psycopg2.connect(database.url(), application_name="soak")
                held.callback(first.close)
                first.autocommit = True
                while True:
                    try:
                        more = psycopg2.connect(database.url(), application_name="soak")
                    except psycopg2.OperationalError:
                        with first.cursor() as cursor:
                            cursor.execute(f"SELECT pg_terminate_backend(pid) {OF_WORKERS}")
                            if not cursor.rowcount:
                                return
                        # The next comer gets the place, and that had better be us.
                        continue
                    held.callback(more.close)
                    scene.count("connections taken")

            await asyncio.to_thread(take_all)
            yield

    return harm


def long_lock() -> Harm:
    """Somebody holds an exclusive lock on the tables that every batch needs."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        other = psycopg2.connect(scene.site.database.url(), application_name="soak")
        try:
            await asyncio.to_thread(_execute, other, f"LOCK TABLE {LOCKED} IN EXCLUSIVE MODE")
            yield
        finally:
            other.close()

    return harm


def deadlocks() -> Harm:
    """Somebody updates the charge points in the other order, and never gives way first."""

    def once(scene: Scene) -> None:
        with contextlib.closing(
            psycopg2.connect(scene.site.database.url(), application_name="soak")
        ) as other:
            try:
                # Whoever looks for a deadlock first is the victim: the workers look after 1 s.
                _execute(other, "SET deadlock_timeout = '20s'")
                with other.cursor() as cursor:
                    cursor.execute(
                        "SELECT id FROM ocpp_chargepoint WHERE identity LIKE %s ORDER BY id DESC",
                        [f"{scene.crew.prefix}%"],
                    )
                    for (pk,) in cursor.fetchall():
                        cursor.execute(
                            "UPDATE ocpp_chargepoint SET vendor = vendor WHERE id = %s", [pk]
                        )
                        time.sleep(0.01)
                other.commit()
            except psycopg2.Error:
                scene.count("of ours ended")

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        async def go_on() -> None:
            while True:
                await asyncio.to_thread(once, scene)
                scene.count("transactions")

        before = await asyncio.to_thread(_deadlocks, scene)
        async with scene.meanwhile(go_on):
            yield
        scene.count("deadlocks", await asyncio.to_thread(_deadlocks, scene) - before)

    return harm


def _deadlocks(scene: Scene) -> int:
    ((count,),) = scene.site.database.rows(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return int(count)


def _execute(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
