"""The edge of `levity serve` as the process that it is."""

import signal
import socket
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_ctrl_c_while_it_still_loads_leaves_no_traceback() -> None:
    """It reaches both processes at once; the other one says what there is to say."""
    ours, its = socket.socketpair()
    with ours, its:
        process = subprocess.Popen(
            [
                sys.executable,
                "-X",
                "importtime",
                "-m",
                "levity_ws.child_process",
                str(its.fileno()),
            ],
            pass_fds=[its.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.stderr is not None
    # The first thing that it loads once it is itself.
    for line in process.stderr:
        if "asyncio." in line:
            break
    process.send_signal(signal.SIGINT)
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == -signal.SIGINT
    assert "Traceback" not in told
