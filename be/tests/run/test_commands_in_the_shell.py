"""What `levity` says to whoever mistypes something: what is wrong, and what to do next."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError, call_command

from levity.__main__ import COMMANDS, main
from levity.accounts.changepassword import Command
from levity.monitoring.checks import check_settings as check_alert_settings
from levity.ocpp.checks import check_environment
from levity.ocpp.models import ChargePoint
from levity.run.checks import check_variables
from levity_ws import __version__


def levity(data: Path, *words: str, **environment: str) -> tuple[int, str]:
    """The exit status and the last lines of both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "levity", *words],
        env={
            "PATH": "",
            "SECRET_KEY": "of-no-value-" * 5,
            "LEVITY_DATA_DIR": str(data),
            "TIME_ZONE": "UTC",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def said_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """The same of what needs no database, without the second that a process takes to start."""

    def said(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["__main__.py", *words])
        monkeypatch.setattr(BaseCommand, "suppressed_base_arguments", set())
        status: Any = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code
        out, err = capsys.readouterr()
        return status or 0, out + err

    return said


def test_a_reader_who_has_seen_enough_gets_no_traceback(tmp_path: Path) -> None:
    """`levity run_report ... | head -1`; `quirks` needs no database."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "levity", "quirks"],
        env={"PATH": "", "SECRET_KEY": "of-no-value-" * 5, "LEVITY_DATA_DIR": str(tmp_path)},
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_settings_module_that_is_not_there_is_named_without_a_traceback(tmp_path: Path) -> None:
    status, said = levity(tmp_path, "check", DJANGO_SETTINGS_MODULE="my_site.settings")
    assert (status, "Traceback" in said) == (1, False)
    assert "DJANGO_SETTINGS_MODULE=my_site.settings: no such Python module" in said


@pytest.mark.slow
def test_a_command_on_an_empty_folder_says_migrate(tmp_path: Path) -> None:
    """It was a traceback of a hundred lines that ended with "no such table"."""
    status, said = levity(tmp_path, "retire", "garage-1")
    assert (status, "Traceback" in said) == (1, False)
    assert "run “levity migrate”" in said


@pytest.mark.slow
def test_a_database_that_is_not_there_is_named_without_a_traceback(tmp_path: Path) -> None:
    address = "postgres://postgres@127.0.0.1:1/none"
    status, said = levity(tmp_path, "retire", "garage-1", DATABASE_URL=address)
    assert (status, "Traceback" in said) == (1, False)
    assert "is DATABASE_URL right?" in said


def test_help_of_a_command_names_its_own_options_only(
    said_here: Callable[..., tuple[int, str]],
) -> None:
    """Django's ten stood before those of Levity, and --version said Django's."""
    status, said = said_here("retire", "--help")
    assert status == 0
    assert "--demo" in said
    assert "--pythonpath" not in said
    assert said_here("retire", "--version")[1].startswith("Levity ")


@pytest.mark.parametrize("words", [("--version",), ("version",), ("check", "--version")])
def test_the_version_is_levitys(
    said_here: Callable[..., tuple[int, str]], words: tuple[str, ...]
) -> None:
    assert said_here(*words) == (0, f"Levity {__version__}\n")


def test_help_lists_levitys_commands_before_djangos(
    said_here: Callable[..., tuple[int, str]],
) -> None:
    """They were lost among sixty in the order of the alphabet."""
    listed = said_here("help", "--commands")[1].split()
    ours = [name for name in COMMANDS if name in listed]
    assert len(ours) >= len(COMMANDS) - 1
    assert listed[: len(ours)] == ours
    assert "runserver" in listed[len(ours) :]
    assert len(set(listed)) == len(listed)
    assert said_here("help")[1] == said_here()[1]
    assert "runserver" not in said_here("help")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serv",), "Unknown command: 'serv'. Did you mean serve?"),
        (("help", "sendcommand"), "Did you mean send_command?"),
        (("qwertz",), "Type 'levity help' for usage."),
    ],
)
def test_an_unknown_command_is_answered_with_the_one_that_is_meant(
    said_here: Callable[..., tuple[int, str]], words: tuple[str, ...], said: str
) -> None:
    status, answer = said_here(*words)
    assert status == 1
    assert said in answer
    assert "django help" not in answer


@pytest.mark.parametrize(
    ("name", "hints"),
    [
        ("LEVITY_DATADIR", ["Did you mean LEVITY_DATA_DIR?"]),
        ("LEVITY_METRIC_TOKEN", ["Did you mean LEVITY_METRICS_TOKEN?"]),
        ("LEVITY_HTTP", ["Did you mean LEVITY_HTTPS?"]),
        ("LEVITY_HTTPS", []),
        ("LEVITY_CA_PASSPHRASE_FILE", []),
        ("LEVITY_TAG", []),
    ],
)
def test_a_variable_that_is_mistyped_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, hints: list[str]
) -> None:
    """run.W001: nothing read it, and nothing said so."""
    monkeypatch.setenv(name, "x")
    found = [problem for problem in check_variables() if problem.msg.endswith(f" {name}")]
    assert [problem.hint for problem in found] == hints


def test_a_setting_of_the_alerts_that_does_not_exist_is_named(settings: Any) -> None:
    settings.OPERATION_OFFLINE_MINUTE = 5
    [problem] = check_alert_settings()
    assert problem.id == "operation.W002"
    assert problem.hint == "Did you mean OPERATION_OFFLINE_MINUTES?"


def test_the_command_is_ours_and_not_djangos(said_here: Callable[..., tuple[int, str]]) -> None:
    assert "for the only one" in " ".join(said_here("changepassword", "-h")[1].split())


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "a long enough pass phrase")


def test_the_password_of_the_only_login_needs_no_name(db: None, typed: None) -> None:
    """Django took the name of the person at this machine: "user 'root' does not exist"."""
    admin = User.objects.create_superuser("admin", password="before it")
    call_command(Command(), stdout=io.StringIO())
    admin.refresh_from_db()
    assert admin.check_password("a long enough pass phrase")


@pytest.mark.parametrize(
    ("names", "given", "said"),
    [
        (
            (),
            (),
            "name the login: changepassword NAME; there is no login yet: createsuperuser adds one",
        ),
        (("admin", "ann"), (), "name the login: changepassword NAME; logins are: admin, ann"),
        (("admin",), ("adm",), "no login 'adm'; logins are: admin"),
    ],
)
def test_a_wrong_name_is_answered_with_those_that_there_are(
    names: tuple[str, ...], given: tuple[str, ...], said: str, db: None
) -> None:
    for name in names:
        User.objects.create_user(name)
    with pytest.raises(CommandError) as error:
        call_command(Command(), *given)
    assert str(error.value) == said


def test_two_factor_says_that_there_is_no_login(db: None) -> None:
    """It said nothing at all."""
    out = io.StringIO()
    call_command("two_factor", stdout=out)
    assert out.getvalue() == "there is no login yet: createsuperuser adds one\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "name the charge points, as in “levity retire garage-1 garage-2”, or use --demo"),
        (("garage-11",), "no charge point garage-11; nothing was changed. Did you mean Garage-1?"),
        (("xyz",), "nothing was changed. The page “Charge points” lists all identities"),
    ],
)
def test_retire_says_what_to_do_next(given: tuple[str, ...], said: str, db: None) -> None:
    ChargePoint.objects.create(identity="Garage-1")
    with pytest.raises(CommandError) as error:
        call_command("retire", *given)
    assert said in str(error.value)


def test_a_demo_that_is_not_there_cannot_be_retired(db: None) -> None:
    out = io.StringIO()
    call_command("retire", "--demo", stdout=out)
    assert out.getvalue() == "none of the demo's charge points is in this database\n"


def test_a_setting_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing reads OCPP_AUTHORIZATION there, and nothing said so: everybody went on charging."""
    monkeypatch.setenv("OCPP_AUTHORIZATION", "known")
    [found] = check_environment()
    said: Any = found.msg
    assert (found.id, said) == (
        "ocpp.W002",
        "OCPP_AUTHORIZATION in the environment has no effect",
    )
