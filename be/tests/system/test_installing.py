"""Levity as it is installed: from the built wheels, and by the README's steps for the fleet."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call
from tests.rabbitmq import AMQP_URL, isolated_queues

from levity.ocpp.models import ChargePoint
from tests.system.books import Books, postgres_database
from tests.system.chargers import independent_charger
from tests.system.pages import Browser
from tests.system.processes import CHECKOUT, Process, eventually, python, run
from tests.system.site import POSTGRES_URL, clean_environ, http_get

pytestmark = [pytest.mark.services, pytest.mark.slow]


def boots(port: int, identity: str) -> str:
    """What an independent charger's BootNotification is answered with."""

    async def play() -> str:
        async with independent_charger(f"ws://127.0.0.1:{port}/ws", identity) as charger:
            boot = await charger.call(call.BootNotification("Model S1", "Independent"))
            return str(boot.status)

    return asyncio.run(play())


def test_wheels_alone_serve_pages_with_style_and_take_chargers(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    """In an empty environment, from an empty folder: nothing of the checkout is there."""
    environ = clean_environ(tmp_path)
    for name in ("PYTHONPATH", "LEVITY_DATA_DIR"):
        del environ[name]
    built = run(["tools/wheels", str(tmp_path / "wheels")], environ, CHECKOUT, 240)
    assert built.returncode == 0, built.stderr
    wheels = sorted((tmp_path / "wheels").glob("*.whl"))
    assert [wheel.name.split("-")[0] for wheel in wheels] == ["levity", "levity_ws"]

    venv, bin_folder = tmp_path / "venv", tmp_path / "venv" / "bin"
    made = run(python("-m", "venv", "--without-pip", venv), environ, tmp_path, 240)
    assert made.returncode == 0, made.stderr
    # A pip of its own would have to be installed first; and of what is installed, two of five
    # modules are imported.
    pip = python("-m", "pip", "--python", venv, "install", "--no-compile", *wheels)
    installed = run(
        pip,
        # Where packages come from is this machine's affair, and in its own settings.
        environ
        | {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
        | {"HOME": os.environ.get("HOME", "/"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        tmp_path,
        300,
    )
    assert installed.returncode == 0, installed.stderr

    empty = tmp_path / "empty"
    empty.mkdir()
    served = Process(
        "levity serve",
        [str(bin_folder / "levity"), "serve", "--http-host", "127.0.0.1"],
        {**environ, "HTTP_PORT": "0", "WS_PORT": "0", "WS_HOST": "127.0.0.1"},
        empty,
    )
    try:
        port = int(served.line(r"ws://127\.0\.0\.1:(\d+)/ws/")[1])
        web = int(served.line(r"http://localhost:(\d+)/admin/")[1])
        name, password = served.line(r"Log in as +(\S+), password (\S+) ").groups()
        assert boots(port, "WHEEL-1") == "Accepted"
        browser = Browser(web)
        assert browser.login(name, password)
        sheets = browser.stylesheets("/admin/")
        assert sheets
        assert {(status, kind.partition(";")[0]) for status, kind in sheets} == {(200, "text/css")}
        status, _, page = browser.get("/admin/ocpp/chargepoint/")
        assert (status, "WHEEL-1" in page) == (200, True)
        assert served.stop() == 0
    finally:
        served.kill()
    assert list(empty.iterdir()) == []
    database = tmp_path / "home/.local/share/levity/levity.sqlite3"
    books = Books(f"sqlite:///{database}", django_db_blocker)
    assert books.rows(ChargePoint, "identity") == [("WHEEL-1",)]


def test_readme_steps_of_the_developer_install_let_a_charger_through(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    """`./manage.py migrate`, `createsuperuser`, `runserver`, `consume_rpc_queue`; `main.py`."""
    manage, children = CHECKOUT / "be/manage.py", []

    def start(name: str, *arguments: str | Path) -> Process:
        process = Process(name, python(*arguments), environ, tmp_path)
        children.append(process)
        return process

    with isolated_queues() as queues, postgres_database(POSTGRES_URL) as database:
        environ = clean_environ(
            tmp_path,
            DJANGO_SETTINGS_MODULE="levity.settings",
            DATABASE_URL=database,
            AMQP_URL=AMQP_URL,
            LEVITY_AMQP_PREFIX=queues.prefix,
            WS_PORT="0",
            WS_HOST="127.0.0.1",
            DJANGO_SUPERUSER_USERNAME="admin",
            DJANGO_SUPERUSER_PASSWORD="s3cret-9",
            DJANGO_SUPERUSER_EMAIL="admin@example.com",
        )
        try:
            for step in (["migrate"], ["createsuperuser", "--noinput"]):
                ran = run(python(manage, *step), environ, tmp_path)
                assert ran.returncode == 0, ran.stderr
            pages = start("runserver", manage, "runserver", "127.0.0.1:0")
            start("consume_rpc_queue", manage, "consume_rpc_queue")
            edge = start("main.py", CHECKOUT / "ws/main.py")
            web = int(pages.line(r"http://127\.0\.0\.1:(\d+)/")[1])
            port = int(edge.line(r"Listening on ws://[^:]+:(\d+)/")[1])
            ready = (200, "text/plain; charset=utf-8", b"ok\n")
            assert eventually(lambda: http_get(port, "/readyz"), ready) == ready
            assert boots(port, "README-1") == "Accepted"
            browser = Browser(web)
            assert browser.login("admin", "s3cret-9")
            status, _, page = browser.get("/admin/ocpp/chargepoint/")
            assert (status, "README-1" in page) == (200, True)
        finally:
            for child in children:
                child.kill()
        books = Books(database, django_db_blocker)
        assert books.rows(ChargePoint, "identity", "vendor") == [("README-1", "Independent")]
