"""What strace saw, as the bench reads it. Nothing is traced here."""

from levity_lab.bench.disk import read_trace

LINES = """\
71 fsync(5</data/levity.sqlite3>) = 0
71 getppid() = 70
71 pwrite64(6</data/levity.sqlite3-wal>, "\\0\\0\\0 = 9", 24, 32) = 24
71 pwrite64(6</data/levity.sqlite3-wal>, "x"..., 4096, 56) = 4096
71 fdatasync(6</data/levity.sqlite3-wal>) = 0
71 getppid() = 70
71 pwrite64(5</data/levity.sqlite3>, ""..., 4096, 0) = 4096
71 pwrite64(5</data/levity.sqlite3>, ""..., 4096, 0) = -1 ENOSPC (No space left on device)
72 pwrite64(9</data/another.file>, ""..., 10, 0) = 10
71 fsync(5</data/levity.sqlite3>) = 0
71 fdatasync(6</data/levity.sqlite3-wal>) = 0
71 getppid() = 70
71 fsync(5</data/levity.sqlite3>) = 0
"""


def test_writes_and_waits_are_counted_for_each_phase() -> None:
    first, second = read_trace(LINES.splitlines())
    assert (first.waits, dict(first.written)) == (1, {"log": 4120})
    assert (second.waits, dict(second.written)) == (2, {"database": 4096})


def test_a_line_says_the_share_of_each_message() -> None:
    first, _ = read_trace(LINES.splitlines())
    assert first.line("Heartbeat", 4).split() == [
        *("Heartbeat", "0.25", "waits", "1,030", "bytes", "(log", "1,030)")
    ]
