"""What Levity refuses to start with, what it tells browsers, and that the documented steps work."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as active
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpResponse
from django.test import Client, RequestFactory

from levity import environment
from levity.run.web.errors import server_error
from levity.run.web.production import problems
from levity.run.web.proxies import TrustedProxies
from tests.pages.whole.conftest import PASSWORD

BE = Path(__file__).resolve().parents[3]
GOOD = "kq3v0-Jx7bT1wZ5yN8rU2sP6dF4gH9aL_cM-eR0tYuIoQpAsDfGh"


def conf(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            "SECRET_KEY": GOOD,
            "DEBUG": False,
            "ALLOWED_HOSTS": ["chargers.example.net"],
            "LEVITY_DEVELOPMENT": False,
            **values,
        }
    )


def test_good_settings_have_no_problem() -> None:
    assert problems(conf()) == []


UNSAFE = (
    ({"SECRET_KEY": ""}, "levity.E001", "is empty"),
    ({"SECRET_KEY": "short"}, "levity.E001", "it has 5 characters"),
    ({"SECRET_KEY": GOOD[:49]}, "levity.E001", "it has 49 characters"),
    ({"SECRET_KEY": "ab" * 40}, "levity.E001", "2 different"),
    ({"SECRET_KEY": f"django-insecure-{GOOD}"}, "levity.E001", "made for development"),
    ({"SECRET_KEY": f"changeme-{GOOD}"}, "levity.E001", "publicly known example"),
    ({"SECRET_KEY": f"your-secret-key-here-{GOOD}"}, "levity.E001", "publicly known example"),
    ({"DEBUG": True}, "levity.E002", "DEBUG is on"),
    ({"ALLOWED_HOSTS": ["*"]}, "levity.E003", "to any host name"),
    ({"ALLOWED_HOSTS": ["localhost", "*.example.net"]}, "levity.E003", "to any host name"),
)


@pytest.mark.parametrize(("values", "name", "said"), UNSAFE)
def test_each_unsafe_setting_is_refused_unless_for_development(
    values: dict[str, Any], name: str, said: str
) -> None:
    """W-05."""
    found = problems(conf(**values))
    assert [each[0] for each in found] == [name]
    assert said in found[0][1]
    assert found[0][2]
    assert problems(conf(**values, LEVITY_DEVELOPMENT=True)) == []


def start(command: list[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run this with these variables and none of this process's own settings."""
    ours = ("SECRET_KEY", "DEBUG", "HOSTNAME", "DATABASE_URL", "AMQP_URL", "DJANGO_SETTINGS_MODULE")
    rest = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith("LEVITY_")
    }
    return subprocess.run(
        command,
        cwd=BE,
        env={**rest, "LEVITY_DATA_DIR": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


WSGI = [sys.executable, "-c", "import levity.wsgi; print('it started')"]
STARTS = {
    "wsgi": WSGI,
    "serve": [sys.executable, "-m", "levity", "serve"],
    "worker": [sys.executable, "manage.py", "consume_rpc_queue"],
}
ENVIRONMENTS = {
    "key": {"SECRET_KEY": "too-short"},
    "debug": {"DEBUG": "true"},
    "hosts": {"HOSTNAME": "*"},
}


WAYS = [*(("wsgi", what) for what in ENVIRONMENTS), ("serve", "debug"), ("worker", "key")]


@pytest.mark.parametrize(("how", "what"), WAYS)
def test_the_process_refuses_to_start(how: str, what: str, tmp_path: Path) -> None:
    """W-05: 3 of 3, and by each way to start."""
    done = start(STARTS[how], tmp_path, **ENVIRONMENTS[what])
    assert done.returncode != 0
    number = {"key": "E001", "debug": "E002", "hosts": "E003"}[what]
    assert f"levity.{number}" in done.stderr
    assert "it started" not in done.stdout


def test_with_nothing_set_it_starts_with_a_key_of_its_own(tmp_path: Path) -> None:
    """W-05: as in the documented steps, which set nothing."""
    assert start(WSGI, tmp_path).stdout == "it started\n"
    key = (tmp_path / "secret_key").read_text()
    assert len(key) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert start(WSGI, tmp_path).stdout == "it started\n"
    assert (tmp_path / "secret_key").read_text() == key


def test_the_development_switch_allows_it(tmp_path: Path) -> None:
    environ = {"DEBUG": "true", "SECRET_KEY": "x", "HOSTNAME": "*", "LEVITY_DEVELOPMENT": "true"}
    assert start(WSGI, tmp_path, **environ).stdout == "it started\n"


def test_the_documented_steps_for_developers_work_word_for_word(tmp_path: Path) -> None:
    environ = {"DJANGO_SETTINGS_MODULE": "levity.settings"}
    done = start([sys.executable, "manage.py", "migrate"], tmp_path, **environ)
    assert done.returncode == 0, done.stderr
    check = [sys.executable, "manage.py", "check", "--fail-level", "WARNING"]
    assert start(check, tmp_path, **environ).returncode == 0


def test_check_deploy_is_clean(tmp_path: Path) -> None:
    """W-04: 0 warnings, with the settings of a site behind TLS."""
    done = start(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        tmp_path,
        SECRET_KEY=GOOD,
        HOSTNAME="chargers.example.net",
        LEVITY_HTTPS="true",
        LEVITY_TRUSTED_PROXIES="10.0.0.0/8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues (2 silenced)" in done.stdout


def hosts(**environ: str) -> list[str]:
    return environment.allowed_hosts(environ, "box")


LOCAL = ["localhost", "127.0.0.1", "[::1]", "box", "box.local"]


@pytest.mark.parametrize(
    "name", ["", "3f2a9c51d7e0", "3F2A9C51D7E0", "ab" * 32, "box", "BOX", "localhost"]
)
def test_a_containers_id_is_no_name_of_the_site(name: str) -> None:
    assert hosts(HOSTNAME=name) == LOCAL


def test_names_are_added_to_the_local_ones() -> None:
    found = hosts(HOSTNAME="Chargers.Example.net", LEVITY_ALLOWED_HOSTS="10.0.0.5, ::2 .a.b")
    assert found == [*LOCAL, "chargers.example.net", "10.0.0.5", "[::2]", ".a.b"]


@pytest.mark.parametrize(
    "name", ["https://a.example", "a.example:8000", "a.example/", "a_b@c", "-", "a..", "ä.example"]
)
def test_what_is_no_host_name_is_named_in_the_error(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="use the name alone"):
        hosts(HOSTNAME=name)


def test_a_machine_with_an_odd_name_starts_all_the_same() -> None:
    found = environment.allowed_hosts({"HOSTNAME": "Anna's Mac"}, "Anna's Mac")
    assert found == LOCAL[:3]


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe", "UTC+2"])
def test_an_unknown_time_zone_is_named_in_the_error(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="unknown time zone"):
        environment.time_zone({"TIME_ZONE": name})


def test_a_time_zone_is_taken_and_else_it_is_the_computers(tmp_path: Path) -> None:
    """It was UTC, so that "today" began at one or two in the morning."""
    assert environment.time_zone({"TIME_ZONE": "Europe/Berlin"}) == "Europe/Berlin"
    assert environment.time_zone({}, tmp_path) == "UTC"
    (tmp_path / "timezone").write_text("America/Toronto\n")
    assert environment.time_zone({}, tmp_path) == "America/Toronto"
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Zurich")
    assert environment.time_zone({}, tmp_path) == "Europe/Zurich"
    assert environment.time_zone({"TZ": ":Asia/Kolkata"}, tmp_path) == "Asia/Kolkata"
    assert environment.time_zone({"TZ": "/usr/share/zoneinfo/Asia/Tokyo"}, tmp_path) == "Asia/Tokyo"
    # A rule is no name, and Django wants one.
    assert environment.time_zone({"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}, tmp_path) == "Europe/Zurich"
    (tmp_path / "localtime").unlink()
    (tmp_path / "localtime").write_bytes(b"TZif2")
    (tmp_path / "timezone").write_text("Nowhere/At-all\n")
    assert environment.time_zone({}, tmp_path) == "UTC"


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "0", "٣", "9" * 30])
def test_what_is_no_number_is_named_in_the_error(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="LEVITY_SESSION_HOURS"):
        environment.number(
            {"LEVITY_SESSION_HOURS": text}, "LEVITY_SESSION_HOURS", default=12, least=1
        )


def test_what_is_no_network_is_named_in_the_error() -> None:
    with pytest.raises(ImproperlyConfigured, match="LEVITY_TRUSTED_PROXIES"):
        environment.networks({"LEVITY_TRUSTED_PROXIES": "nginx"}, "LEVITY_TRUSTED_PROXIES")


@pytest.fixture
def trusted(settings: Any) -> dict[str, str]:
    settings.LEVITY_TRUSTED_PROXIES = environment.networks({"X": "10.0.0.2 fd00::/8"}, "X")
    return {"REMOTE_ADDR": "10.0.0.2"}


def seen(peer: str, **headers: str) -> Any:
    """What the views see of a request from there."""
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
    found: list[Any] = []

    def view(request: Any) -> HttpResponse:
        found.append((request.META["REMOTE_ADDR"], request.is_secure()))
        found.extend(name for name in request.META if name.startswith("HTTP_X_"))
        return HttpResponse()

    TrustedProxies(view)(request)
    return found


FROM_AFAR = {"HTTP_X_FORWARDED_FOR": "1.2.3.4, 203.0.113.9", "HTTP_X_FORWARDED_PROTO": "https"}


def test_a_proxys_word_counts(trusted: dict[str, str]) -> None:
    """E-12, E-13: the address right of all hearsay, and whether it came over TLS."""
    assert seen("10.0.0.2", **FROM_AFAR)[0] == ("203.0.113.9", True)
    assert seen("fd00::1", **FROM_AFAR)[0] == ("203.0.113.9", True)
    assert seen("", **FROM_AFAR)[0] == ("203.0.113.9", True)


@pytest.mark.parametrize("peer", ["10.0.0.3", "127.0.0.1", "203.0.113.9", "::1", "nonsense"])
def test_nobody_elses_word_counts(peer: str, trusted: dict[str, str]) -> None:
    """E-12, E-13: the headers are gone before any view sees them."""
    more = {"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_REAL_IP": "1.2.3.4"}
    spoofed = {**FROM_AFAR, **more, "HTTP_X_SSL_CLIENT_S_DN": "CN=me"}
    assert seen(peer, **spoofed) == [(peer, False)]


def test_a_proxy_that_nobody_named_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    chain = TrustedProxies(lambda request: HttpResponse())
    for peer in ("8.8.8.8", "172.18.0.5", "172.18.0.5"):
        chain(RequestFactory().get("/", REMOTE_ADDR=peer, **FROM_AFAR))
    assert [record.getMessage().split(".")[-1] for record in caplog.records] == ["5"]
    assert "set LEVITY_TRUSTED_PROXIES=172.18.0.5" in caplog.text


def cookies_after_login(client: Client, **meta: str) -> dict[str, tuple[bool, bool, str]]:
    client.get("/admin/login/", **meta)  # type: ignore[arg-type]
    fields = {"username": "root", "password": PASSWORD}
    answer = client.post("/admin/login/", fields, **meta)  # type: ignore[arg-type]
    assert answer.status_code == 302
    return {
        name: (bool(item["secure"]), bool(item["httponly"]), item["samesite"])
        for name, item in answer.cookies.items()
    }


def test_on_plain_http_in_ones_own_network_one_can_log_in(root: User) -> None:
    found = cookies_after_login(Client())
    assert set(found) == {"sessionid", "csrftoken", "levity_known"}
    assert set(found.values()) == {(False, True, "Lax")}


def test_cookies_that_are_set_over_tls_are_secure(root: User, trusted: dict[str, str]) -> None:
    """W-07: without any setting; only the proxy has to be known."""
    found = cookies_after_login(Client(**trusted), **FROM_AFAR)  # type: ignore[arg-type]
    assert set(found.values()) == {(True, True, "Lax")}


def test_behind_tls_plain_http_is_sent_on_and_browsers_remember(
    root: User, trusted: dict[str, str], settings: Any
) -> None:
    """W-07: HSTS."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    plain = Client().get("/admin/")
    assert (plain.status_code, plain.headers["Location"]) == (301, "https://testserver/admin/")
    answer = Client(**trusted).get("/admin/login/", **FROM_AFAR)  # type: ignore[arg-type]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_settings_follow_from_the_one_switch(tmp_path: Path) -> None:
    names = "SECURE_SSL_REDIRECT,SECURE_HSTS_SECONDS,SESSION_COOKIE_SECURE,CSRF_COOKIE_SECURE"
    ask = f"from levity.settings import {names}; print({names})"
    command = [sys.executable, "-c", ask]
    assert start(command, tmp_path).stdout == "False 0 False False\n"
    done = start(command, tmp_path, LEVITY_HTTPS="true", LEVITY_HSTS_SECONDS="300")
    assert done.stdout == "True 300 True True\n"


def test_errors_are_said_in_plain_words(
    root: User, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    client = browser(root)
    answer = client.get("/admin/ocpp/chargepoint/1/send/nonsense/")
    assert (answer.status_code, "There is no such page" in answer.content.decode()) == (404, True)
    answer = browser(person("viewer", "Viewer")).get("/admin/ocpp/command/add/")
    assert answer.status_code == 403
    assert "You are not allowed to do this" in answer.content.decode()


def test_a_failure_of_ours_tells_nothing_of_the_inside(
    root: User, browser: Callable[..., Client], settings: Any
) -> None:
    assert active.DEBUG is False
    client = browser(root, raise_request_exception=False)
    settings.LEVITY_UNFOLD = {**active.LEVITY_UNFOLD, "DASHBOARD_CALLBACK": "levity.nothing.there"}
    answer = client.get("/admin/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong here" in text
    assert "levity.nothing" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (13, "The disk of this computer is full"),
        (8, "is read-only"),
        (11, "levity restore"),
        (1, "Something went wrong here"),
    ],
)
def test_a_page_that_fails_for_the_disk_says_so(code: int, said: str) -> None:
    """C11: the login was a bare 500 on a full disk."""
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    try:
        raise SuspiciousOperation("the session could not be saved") from error
    except SuspiciousOperation:
        answer = server_error(RequestFactory().get("/admin/login/"))
    assert answer.status_code == 500
    assert said in answer.content.decode()
