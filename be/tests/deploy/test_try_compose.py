"""`make try-compose` without an engine: what it says is missing, what it calls, what it leaves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.images import FULL
from tests.system.processes import CHECKOUT

# Stands in for docker: writes down how it was called, and answers for the database.
DOCKER = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
"$FAILS"*) exit 1 ;;
*psql*) echo "$FOUND" ;;
esac
"""
SIMULATE = """#!/bin/sh
echo "levity $* ${SSL_CERT_FILE:+trusting}" >>"$CALLS"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What of the checkout the script needs, with stand-ins for docker, the images and levity."""
    for name in ("tools/try-compose", *FULL):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    for name, text in (
        ("bin/docker", DOCKER),
        ("tools/images", "#!/bin/sh\n"),
        (".venv/bin/levity", SIMULATE),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return tmp_path


def tried(
    checkout: Path, *names: str, found: str = "1", fails: str = "never"
) -> tuple[int, str, list[str]]:
    """Its status, what it said, and what it called."""
    calls = checkout / "calls"
    calls.write_text("")
    environ = {
        "CALLS": str(calls),
        "FOUND": found,
        "FAILS": fails,
        "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        [checkout / "tools/try-compose", *names],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines()


def test_both_files_come_up_a_charger_charges_and_nothing_is_left(checkout: Path) -> None:
    status, said, calls = tried(checkout)
    assert (status, "all good" in said) == (0, True), said
    urls = [call.split()[3] for call in calls if call.startswith("levity")]
    assert urls == ["ws://localhost/ws", "wss://localhost/ws"]
    assert [call.endswith("trusting") for call in calls if call.startswith("levity")] == [
        False,
        True,
    ]
    for name in FULL:
        mine = [call for call in calls if f"--file {name} " in call]
        assert any(" up --detach --no-build --wait " in call for call in mine)
        assert " down --volumes" in mine[-1]
    scripts = [call.partition("/bin/")[2].split()[0] for call in calls if " run --rm " in call]
    assert scripts == ["write-nginx-conf.sh", "self-signed-cert.sh"]


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("compose version", "docker has no compose"),
        ("info", "no Docker engine answers"),
    ],
)
def test_it_says_what_is_missing(checkout: Path, fails: str, said: str) -> None:
    status, told, calls = tried(checkout, fails=fails)
    assert (status, said in told) == (1, True), told
    assert not [call for call in calls if " up " in call]


def test_a_session_that_is_not_in_the_database_is_no_success_and_leaves_nothing(
    checkout: Path,
) -> None:
    for found in ("0", ""):
        status, said, calls = tried(checkout, "full", found=found)
        assert (status, "its transaction is not in the database" in said) == (1, True)
        assert " logs " in calls[-2]
        assert " down --volumes" in calls[-1]


def test_a_file_that_is_not_there_is_named(checkout: Path) -> None:
    status, said, calls = tried(checkout, "half")
    assert (status, "there is no docker-compose.half.yml" in said) == (1, True)
    assert not [call for call in calls if " up " in call]
