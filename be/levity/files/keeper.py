"""The thread that looks after files: FTP while a job needs it, campaigns all the time.

One process of an installation has it: `levity serve`, or `levity file_server` in the fleet shape.
"""

import logging
import threading
import time
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from levity.files import conf, drops

__all__ = ["Keeper"]

log = logging.getLogger(__name__)

LOOK, CAMPAIGNS = 2.0, 10.0
"""Seconds between two looks whether a charger may come by FTP, and at the campaigns."""
ANY = "0.0.0.0"  # noqa: S104  # chargers are in all networks


class Keeper:
    """Begin with `start`, end with `stop`."""

    def __init__(self, host: str = ANY) -> None:
        self.host = host
        self.port = 0
        """At which FTP is open; 0: it is closed."""
        self.stopping = threading.Event()
        self._server: Any = None
        self._told = ""
        self._campaigns_at = 0.0
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and hang up on everybody."""
        self.stopping.set()
        self._thread.join(5)

    def wait(self) -> None:
        """Until it is stopped, or has failed."""
        while self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        try:
            while not self.stopping.is_set():
                self._look()
                until = time.monotonic() + LOOK
                if self._server is None:
                    self.stopping.wait(LOOK)
                while self._server is not None and time.monotonic() < until:
                    self._server.serve_forever(timeout=0.2, blocking=False, handle_exit=False)
                    if self.stopping.is_set():
                        break
        finally:
            self._close()
            connection.close()

    def _look(self) -> None:
        try:
            wanted = bool(conf.ftp_port()) and drops.any_ftp()
            if wanted and self._server is None:
                self._open()
            elif not wanted and self._server is not None:
                self._close()
            if time.monotonic() >= self._campaigns_at:
                self._campaigns_at = time.monotonic() + CAMPAIGNS
                self._drive()
            self._told = ""
        except DatabaseError as error:
            self._tell(f"files wait: the database does not answer ({error})")
        except OSError as error:
            self._tell(
                f"FTP can't listen on port {conf.ftp_port()}: {error.strerror or error}. Set "
                "LEVITY_FTP_PORT to another port, or to 0 to switch FTP off"
            )
        except Exception:
            log.exception("looking after files failed; trying again")
        finally:
            connection.close()

    def _drive(self) -> None:
        from levity.files import campaigns

        campaigns.drive(timezone.now())

    def _open(self) -> None:
        # Some 8 MB that only those need whose chargers come by FTP.
        from levity.files.ftp import serve_on

        self._server = serve_on(self.host, conf.ftp_port())
        self.port = self._server.address[1]
        log.info("FTP is open on port %d: a job waits for a charger", self.port)

    def _close(self) -> None:
        if self._server is not None:
            self._server.close_all()
            log.info("FTP is closed")
        self._server, self.port = None, 0

    def _tell(self, text: str) -> None:
        if text != self._told:
            log.error("%s", text)
        self._told = text
