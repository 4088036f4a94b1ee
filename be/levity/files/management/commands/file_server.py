"""`levity file_server`: FTP for chargers and the campaigns, in the fleet shape."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from levity.files import conf
from levity.files.keeper import Keeper

__all__ = ["Command"]


class Command(BaseCommand):
    """One for an installation; `serve` has it inside."""

    help = (
        "Run what looks after chargers' files in the fleet shape: the FTP server (LEVITY_FTP_PORT, "
        "2121), which is open only while a job needs it, and firmware campaigns. It needs the same "
        "folder of files as the web pages (LEVITY_FILES_DIR). `levity serve` includes it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        keeper = Keeper()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: keeper.stopping.set())
        port, folder = conf.ftp_port(), conf.folder()
        self.stdout.write(f"file server: FTP on port {port or 'none'}, files in {folder}")
        self.stdout.flush()
        keeper.start()
        keeper.wait()
