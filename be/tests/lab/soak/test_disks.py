"""The small file systems that a round fills."""

import threading
import time
from pathlib import Path
from typing import Any

from levity_lab.soak.disks import Disk


class _Slow:
    """Takes whatever is written, slowly, as a large disk does."""

    def __enter__(self) -> "_Slow":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, data: bytes) -> int:
        time.sleep(0.01)
        return len(data)


def test_a_disk_that_was_emptied_is_not_filled_by_who_was_still_at_it(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """Filling goes on in a thread that cannot be cancelled: the next round had a full disk."""
    monkeypatch.setattr("levity_lab.soak.disks._mount", lambda *_: False)
    monkeypatch.setattr(Path, "open", lambda *_, **__: _Slow())
    disk = Disk(tmp_path / "disk", 1)
    disk.begin()
    filling = threading.Thread(target=disk.fill, daemon=True)
    filling.start()
    time.sleep(0.05)
    assert filling.is_alive()
    disk.empty()
    filling.join(2)
    assert not filling.is_alive()
    disk.fill()  # late: returns at once, else the test would hang here
    assert not (tmp_path / "disk" / "ballast").exists()
