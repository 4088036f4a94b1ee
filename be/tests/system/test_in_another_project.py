"""Levity in a Django project that is not its own, by the recipe of docs/extending.md."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from ocpp.v16 import call
from tests.rabbitmq import AMQP_URL, isolated_queues, unused_port

from levity.ocpp.models import Transaction
from tests.system.another_project import CHAPTER, AnotherProject, lines_of, recipe
from tests.system.books import Books, postgres_database
from tests.system.chargers import independent_charger
from tests.system.pages import Browser
from tests.system.processes import Process, eventually, python, run
from tests.system.site import POSTGRES_URL, http_get

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024
# What a person of that project looks at, as the project's own admin shows it.
VISIT = """
import json, re, sys
import django
django.setup()
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from flats.models import Flat
settings.ALLOWED_HOSTS = ["*"]
anna = User.objects.get(username="anna")
flat, _ = Flat.objects.get_or_create(number="4b")
seen = {}
def look(client, path):
    page = client.get(path)
    text = page.content.decode()
    text = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]*', r"\\1", text)
    headers = {name: value for name, value in page.headers.items() if name != "Expires"}
    seen[path] = [page.status_code, headers, text]
look(Client(), "/admin/login/")
client = Client()
client.force_login(anna)
for path in ("", "flats/", "flats/flat/", "flats/flat/add/", f"flats/flat/{flat.pk}/change/",
             f"flats/flat/{flat.pk}/delete/", f"flats/flat/{flat.pk}/history/", "auth/user/",
             "auth/user/add/", "password_change/", "flats/flat/?q=4", "jsi18n/"):
    look(client, f"/admin/{path}")
seen["files"] = {path: open(finders.find(path)).read() for path in (
    "admin/js/actions.js", "admin/js/admin/RelatedObjectLookups.js", "admin/css/base.css")}
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT 'flat' REGEXP '^f'")
    seen["regexp"] = cursor.fetchone()
json.dump(seen, sys.stdout)
"""


@pytest.fixture
def project(tmp_path: Path) -> AnotherProject:
    return AnotherProject(tmp_path)


def seen(project: AnotherProject) -> dict[str, Any]:
    """Every page of VISIT: status, headers, text."""
    environ = {**project.environ, "DJANGO_SETTINGS_MODULE": "house.settings"}
    ran = run(python("-c", VISIT), environ, project.root)
    assert ran.returncode == 0, ran.stderr
    pages: dict[str, Any] = json.loads(ran.stdout)
    return pages


def test_the_recipe_has_at_most_ten_lines() -> None:
    shell = re.findall(r"```shell\n(.*?)```", CHAPTER.partition("\n### ")[0], re.DOTALL)
    lines = ["pip install levity", *recipe("settings.py"), *recipe("urls.py")]
    lines += [line for block in shell for line in block.splitlines()]
    assert len(lines) <= 10


def test_after_the_recipe_the_checks_have_nothing_to_say(project: AnotherProject) -> None:
    project.follow_the_recipe()
    said = project.must("check", "--fail-level", "WARNING")
    assert said == "System check identified no issues (0 silenced).\n"
    # The migrations are those of the models, whatever this project's settings are.
    project.must("makemigrations", "--check", "--dry-run", "ocpp", "operation")


@pytest.mark.parametrize(
    ("left_out", "name", "line"),
    [
        ("tuned(", "ocpp.E008", 'DATABASES["default"] = tuned(DATABASES["default"])'),
        ('"unfold.apps', "pages.E001", 'INSTALLED_APPS += ["unfold.apps.BasicAppConfig"]'),
    ],
)
def test_a_line_that_was_left_out_is_named(
    project: AnotherProject, left_out: str, name: str, line: str
) -> None:
    project.follow_the_recipe(without=left_out)
    ran = project.manage("check")
    assert ran.returncode == 1
    assert f"({name})" in ran.stderr
    assert line in ran.stderr


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("levity.monitoring", "run.E001"),
        ("levity.run", "ocpp.W003"),
        ("levity.ocpp", "ImproperlyConfigured"),
    ],
)
def test_an_app_that_was_left_out_is_named(project: AnotherProject, app: str, name: str) -> None:
    project.follow_the_recipe()
    project.settings(f'INSTALLED_APPS.remove("{app}")')
    ran = project.manage("check", "--fail-level", "WARNING")
    assert ran.returncode == 1
    assert name in ran.stderr
    assert f'INSTALLED_APPS += ["{app}"]' in ran.stderr
    worker = project.manage("consume_rpc_queue")
    assert worker.returncode == 1
    assert app in worker.stderr or app == "levity.run"


def test_a_missing_address_and_a_wrong_order_are_named(project: AnotherProject) -> None:
    project.settings(*recipe("settings.py"))
    project.settings("INSTALLED_APPS.remove('unfold.apps.BasicAppConfig')")
    project.settings("INSTALLED_APPS.insert(0, 'unfold.apps.BasicAppConfig')")
    ran = project.manage("check", "--fail-level", "WARNING")
    assert "(pages.E002)" in ran.stderr
    assert 'path("levity/", site.urls)' in ran.stderr
    assert "(pages.W001)" in ran.stderr


def test_the_core_stands_without_its_pages(project: AnotherProject) -> None:
    """Models, pipeline, worker: no unfold, no admin of Levity's."""
    project.settings(*recipe("settings.py")[:2])
    project.settings('INSTALLED_APPS += ["levity.ocpp", "levity.monitoring", "levity.run"]')
    assert "no issues" in project.must("check", "--fail-level", "WARNING")
    project.migrate()


def test_the_projects_own_admin_is_the_same_to_the_byte(project: AnotherProject) -> None:
    project.migrate()
    before = seen(project)
    project.follow_the_recipe()
    project.must("migrate", "-v", "0")
    after = seen(project)
    for page, was in before.items():
        assert after[page] == was, page
    assert before["/admin/flats/flat/"][0] == 200
    assert "4b" in before["/admin/flats/flat/"][2]
    assert before["regexp"] == [1]


def test_an_app_of_the_project_has_menu_entries_and_tiles(project: AnotherProject) -> None:
    """By the examples of docs/extending.md."""
    files = {name: lines_of(f"parking/{name}") for name in ("apps.py", "tiles.py", "admin.py")}
    project.write(
        "parking",
        {
            "__init__.py": "",
            "models.py": (
                "from django.db import models\n\n\n"
                "class Fee(models.Model):\n"
                "    name = models.CharField(max_length=9)\n"
                "    price = models.DecimalField(max_digits=9, decimal_places=2)\n"
            ),
            **files,
        },
    )
    project.follow_the_recipe()
    project.settings('INSTALLED_APPS += ["parking"]')
    project.migrate()
    visit = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from django.contrib.auth.models import User\n"
        "from django.test import Client\n"
        "settings.ALLOWED_HOSTS = ['*']\n"
        "client = Client()\n"
        "client.force_login(User.objects.get(username='anna'))\n"
        "for path in ('', 'parking/fee/', 'parking/fee/add/', 'ocpp/chargepoint/add/',\n"
        "             'ocpp/transaction/', 'operation/alert/', 'operation/alertrule/add/',\n"
        "             'password_change/', 'search/?s=fee'):\n"
        "    page = client.get(f'/levity/{path}')\n"
        "    assert page.status_code == 200, (path, page.status_code)\n"
        "    print(page.content.decode())\n"
    )
    environ = {**project.environ, "DJANGO_SETTINGS_MODULE": "house.settings"}
    ran = run(python("-c", visit), environ, project.root)
    assert ran.returncode == 0, ran.stderr
    overview = ran.stdout
    for text in ("/levity/parking/fee/", "/reports/parking/", "Income today", "€ 12.40"):
        assert text in overview, text
    assert "unpaid sessions" in overview
    assert 'href="/admin/' not in overview


# Whatever the pages of Levity link to, and what the API has, with a session in the books.
WALK = """
import json, re
import django
django.setup()
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from levity.ocpp import commands
from levity.ocpp.models import ChargePoint
from levity.ocpp.testing import CentralSystem, Charger, wire
settings.ALLOWED_HOSTS = ["*"]
system, charger = CentralSystem(), Charger("garage-1")
system.connect(charger)
system.result(charger.boots())
transaction_id = system.start(charger, meterStart=1000)
system.take(charger.measures(transaction_id, 3500, wire(1800)))
system.take(charger.stops(transaction_id, meterStop=6000))
commands.queue(ChargePoint.objects.get(), "Reset", {"type": "Soft"}, source="house")
client = Client(raise_request_exception=False)
client.force_login(User.objects.get(username="anna"))
found, known, wrong = ["/levity/"], {"/levity/"}, []
for address in found:
    page = client.get(address)
    if page.status_code >= 400:
        wrong.append([address, page.status_code])
    if page.status_code == 302:
        links = [page["Location"]]
    elif "html" in page["Content-Type"] and not page.streaming:
        links = re.findall('(?:href|hx-get)="([^"#]+)"', page.content.decode())
    else:
        links = []
    for link in links:
        path = link.partition("?")[0]
        if path.startswith("/") and not path.startswith(("/levity/", "/static/", "/api/")):
            wrong.append([address, link])
        if path.startswith("/levity/") and path not in known and "logout" not in path:
            known.add(path)
            found.append(path)
resources = 0
if "levity.api" in settings.INSTALLED_APPS:
    schema = json.loads(client.get("/api/v1/openapi.json").content)
    for path, methods in schema["paths"].items():
        address = re.sub("{[^}]*}", "1", path.replace("{identity}", "garage-1"))
        status = client.get(address).status_code if "get" in methods else 200
        resources += status == 200
        if status not in (200, 404, 422):
            wrong.append([address, status])
print(json.dumps({"pages": len(found), "resources": resources, "wrong": wrong}))
"""


def walked(project: AnotherProject) -> dict[str, Any]:
    """How many pages and resources answered, and what was wrong."""
    environ = {**project.environ, "DJANGO_SETTINGS_MODULE": "house.settings"}
    ran = run(python("-c", WALK), environ, project.root)
    assert ran.returncode == 0, ran.stderr
    walk: dict[str, Any] = json.loads(ran.stdout)
    return walk


def test_every_page_works_in_that_project(project: AnotherProject) -> None:
    """Pages of ours linked to the project's own admin, in which there is no `ocpp`: 500."""
    project.follow_the_recipe()
    project.migrate()
    walk = walked(project)
    assert walk["wrong"] == []
    assert walk["pages"] > 80


def test_bills_events_files_and_the_api_work_in_that_project(project: AnotherProject) -> None:
    """By the lines of docs/extending.md. There, people are the project's, and so is their login."""
    project.follow_the_recipe()
    project.follow_the_rest()
    assert "no issues" in project.must("check", "--fail-level", "WARNING")
    project.migrate()
    walk = walked(project)
    assert walk["wrong"] == []
    assert walk["pages"] > 150
    assert walk["resources"] > 90
    token = project.must("api_token", "create", "house", "--scope", "operate").split()[-1]
    asked = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "page = Client().get('/api/v1/charge-points', HTTP_HOST='localhost',\n"
        f"                    HTTP_AUTHORIZATION='Bearer {token}')\n"
        "print(page.status_code, page.content.decode())\n"
    )
    environ = {**project.environ, "DJANGO_SETTINGS_MODULE": "house.settings"}
    ran = run(python("-c", asked), environ, project.root)
    assert ran.stdout.startswith("200 ")
    assert "garage-1" in ran.stdout


@pytest.mark.parametrize("line", ["", 'urlpatterns += [path("rest/", include("levity.api.urls"))]'])
def test_an_api_elsewhere_is_named(project: AnotherProject, line: str) -> None:
    project.follow_the_recipe()
    project.settings(*recipe("settings.py, for all of Levity"))
    project.urls("from django.urls import include", line)
    ran = project.manage("check")
    assert ran.returncode == 1
    assert "(api.E001)" in ran.stderr
    assert 'path("api/", include("levity.api.urls"))' in ran.stderr


def test_the_test_kit_works_in_that_project(project: AnotherProject) -> None:
    project.follow_the_recipe()
    (project.root / "test_sessions.py").write_text(lines_of("test_sessions.py"))
    environ = {**project.environ, "DJANGO_SETTINGS_MODULE": "house.settings"}
    ran = run(
        python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_sessions.py"),
        environ,
        project.root,
    )
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def charge_a_car(url: str) -> int:
    """Boot, start, samples, stop; the transaction's id."""

    async def play() -> int:
        start = datetime.now(UTC) - timedelta(hours=1)

        def at(minutes: float) -> str:
            return f"{start + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"

        async with independent_charger(url, "HOUSE-1") as charger:
            boot = await charger.call(call.BootNotification("Model S1", "Independent"))
            assert boot.status == "Accepted"
            await charger.call(call.StatusNotification(1, "NoError", "Preparing", timestamp=at(0)))
            [remote] = await charger.until_asked(1)
            assert remote.action == "RemoteStartTransaction"
            tag = remote.payload["id_tag"]
            started = await charger.call(call.StartTransaction(1, tag, 1000, at(0)))
            for minutes in (15, 30):
                sample = {"value": str(1000 + 100 * minutes)}
                value = {"timestamp": at(minutes), "sampledValue": [sample]}
                await charger.call(call.MeterValues(1, [value], started.transaction_id))
            stop = call.StopTransaction(6000, at(45), started.transaction_id, reason="Local")
            await charger.call(stop)
            return int(started.transaction_id)

    return asyncio.run(play())


def look_at_the_session(web: int, transaction: int) -> None:
    """Anna logs in to the project, and sees the session on Levity's page, with style."""
    browser = Browser(web)
    assert browser.login("anna", "s3cret-9")
    status, _, page = browser.get(f"/levity/ocpp/transaction/{transaction}/change/")
    assert status == 200
    assert "HOUSE-1" in page
    assert "5.0" in page
    assert "/admin/ocpp" not in page
    status, _, page = browser.get("/levity/")
    assert (status, "HOUSE-1" in page) == (200, True)
    sheets = browser.stylesheets("/levity/")
    assert {(status, kind.partition(";")[0]) for status, kind in sheets} == {(200, "text/css")}


def booked(url: str, blocker: Any) -> list[tuple[Any, ...]]:
    return Books(url, blocker).rows(
        Transaction, "id", "charge_point__identity", "state", "energy", "meter_stop"
    )


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def started(stack: ExitStack, process: Process) -> Process:
    stack.callback(process.kill)
    return process


def test_serve_charges_a_car_on_sqlite(
    project: AnotherProject, processes: ExitStack, django_db_blocker: Any
) -> None:
    project.follow_the_recipe()
    ran = project.manage("serve")
    assert ran.returncode == 1
    assert "manage.py migrate" in ran.stderr
    project.migrate()
    quiet = {"HTTP_PORT": "0", "WS_PORT": "0", "WS_HOST": "127.0.0.1"}
    served = started(
        processes, project.start("serve", "manage.py", "serve", "--http-host", "127.0.0.1", **quiet)
    )
    web = int(served.line(r"http://localhost:(\d+)/levity/")[1])
    port = int(served.line(r"Listening on ws://[^:]+:(\d+)/")[1])
    transaction = charge_a_car(f"ws://127.0.0.1:{port}/ws")
    database = f"sqlite:///{project.root / 'db.sqlite3'}"
    assert booked(database, django_db_blocker) == [
        (transaction, "HOUSE-1", Transaction.State.STOPPED, 5000, 6000)
    ]
    look_at_the_session(web, transaction)
    process = psutil.Process(served.pid)
    resident = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    assert resident <= 160 * MEGABYTE
    # The database is the project's, and so are its rights.
    assert (project.root / "db.sqlite3").stat().st_mode & 0o044
    assert served.stop() == 0
    assert "Traceback" not in served.log


@pytest.mark.services
def test_workers_and_edges_charge_a_car_on_postgres_and_rabbitmq(
    tmp_path: Path, processes: ExitStack, django_db_blocker: Any
) -> None:
    queues = processes.enter_context(isolated_queues())
    database = processes.enter_context(postgres_database(POSTGRES_URL))
    project = AnotherProject(
        tmp_path, DATABASE_URL=database, AMQP_URL=AMQP_URL, LEVITY_AMQP_PREFIX=queues.prefix
    )
    project.settings("import dj_database_url", 'DATABASES = {"default": dj_database_url.config()}')
    project.follow_the_recipe()
    project.migrate()
    web = unused_port()
    started(processes, project.start("pages", "manage.py", "runserver", "--noreload", str(web)))
    worker = started(processes, project.start("worker", "manage.py", "consume_rpc_queue"))
    listens = {"WS_PORT": str(unused_port()), "WS_HOST": "127.0.0.1"}
    edge = started(processes, project.start("edge", "-m", "levity_ws", **listens))
    port = int(edge.line(r"Listening on ws://[^:]+:(\d+)/")[1])
    assert eventually(lambda: http_get(port, "/readyz")[0], 200) == 200
    transaction = charge_a_car(f"ws://127.0.0.1:{port}/ws")
    assert booked(database, django_db_blocker) == [
        (transaction, "HOUSE-1", Transaction.State.STOPPED, 5000, 6000)
    ]
    assert eventually(lambda: http_get(web, "/admin/login/")[0], 200) == 200
    look_at_the_session(web, transaction)
    assert worker.stop() == 0
    assert "Traceback" not in worker.log
