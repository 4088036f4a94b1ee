"""Several web processes that count together: each writes into files with its own number.
prometheus_client names these files after the process, and gunicorn starts new processes now and
then, so the number of files would grow for ever. Here a process takes the lowest number that no
living process has, and continues to count where the number's last owner stopped.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["VARIABLE", "use_slots"]

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MOST = 256
# The lock ends with its process; the descriptor must stay open that long.
_held: dict[int, int] = {}


def use_slots() -> None:
    """Call this before any metric is created: if the variable names a folder, count there, by
    slots."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(process_identifier=_slot_in(Path(folder)))


def _slot_in(folder: Path) -> Callable[[], int]:
    def slot() -> int:
        process = os.getpid()
        if process not in _held:
            _held.clear()  # a lock of the parent process is not ours
            _held[process] = _free_slot(folder)
        return _held[process]

    return slot


def _free_slot(folder: Path) -> int:
    for number in range(MOST):
        descriptor = os.open(folder / f"slot-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            continue
        return number
    return os.getpid()
