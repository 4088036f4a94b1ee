"""Work in a process that ends with it: its errors and words are the caller's, its memory is not."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the work is done in place there")

BEGIN = """
import os, signal, sys, time
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": NAME}})
import django
django.setup()
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from levity.run.cannot_open import CannotOpen
from levity.run.short_lived import Ended, short_lived
"""


def program(tmp_path: Path, text: str) -> list[str]:
    begin = BEGIN.replace("NAME}", f"{str(tmp_path / 'some.sqlite3')!r}}}")
    return [sys.executable, "-c", begin + textwrap.dedent(text)]


def ran(tmp_path: Path, text: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        program(tmp_path, text), capture_output=True, text=True, timeout=60, check=False
    )


def test_what_it_reads_and_imports_is_not_in_this_process(tmp_path: Path) -> None:
    done = ran(
        tmp_path,
        """
        def work():
            import wave
            print("child", "wave" in sys.modules, os.getpid() != parent)
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE made (x)")
        parent = os.getpid()
        print("before")
        connection.ensure_connection()
        short_lived(work)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM made")
            print("parent", "wave" in sys.modules, cursor.fetchone())
        """,
    )
    assert done.stdout.splitlines() == ["before", "child True True", "parent False (0,)"]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "error", ['CommandError("no", returncode=3)', 'CannotOpen("no")', 'OperationalError("no")']
)
def test_its_exception_is_raised_here_with_its_words(tmp_path: Path, error: str) -> None:
    done = ran(
        tmp_path,
        f"""
        def work():
            print("at work")
            raise {error}
        try:
            short_lived(work)
        except Exception as error:
            print(repr(error), getattr(error, "returncode", None))
            raise
        """,
    )
    wanted = 3 if "returncode" in error else None
    name = error.partition("(")[0]
    assert done.stdout.splitlines() == ["at work", f"{name}('no') {wanted}"]
    # With the lines of the child: what is nobody's fault here is looked for there.
    assert "in work" in done.stderr


def test_an_exception_that_cannot_travel_is_told_by_its_words(tmp_path: Path) -> None:
    done = ran(
        tmp_path,
        """
        def work():
            class Odd(Exception): pass
            raise Odd("of its own kind")
        try:
            short_lived(work)
        except RuntimeError as error:
            print(error, error.__cause__)
        """,
    )
    assert "of its own kind" in done.stdout
    assert "in work" in done.stdout


def test_a_child_that_is_killed_is_told_of(tmp_path: Path) -> None:
    done = ran(
        tmp_path,
        """
        try:
            short_lived(lambda: os.kill(os.getpid(), signal.SIGKILL))
        except Ended as error:
            print(error)
        """,
    )
    assert done.stdout == "the process that prepared the database ended by signal 9\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_this_process(tmp_path: Path, number: signal.Signals) -> None:
    text = """
        def work():
            print(os.getpid(), flush=True)
            time.sleep(60)
        short_lived(work)
        """
    with subprocess.Popen(program(tmp_path, text), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            parent.send_signal(number)
            # The pipe ends when the last process that could write has ended.
            began = time.monotonic()
            assert parent.stdout.read() == ""
            assert time.monotonic() - began < 30
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
