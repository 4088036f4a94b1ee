"""The files over FTP: an account for each job, which sees its own place and nothing else.

Imported only while a charger may come by FTP. There is no folder behind an account: what it stores
is written under a name of Levity's own, and what it may fetch is the one firmware of its job. Data
connections are passive ones only: the server never connects to anywhere.
"""

import logging
import socket
import stat
import time
import warnings
from os import stat_result
from typing import Any, ClassVar

from django.db import DatabaseError
from django.utils import timezone

from levity.files import conf, drops, storage
from levity.files.models import Drop, StoredFile
from levity.files.places import own_name
from levity.files.storage import Incoming, NotStored

with warnings.catch_warnings():
    # Of Python 3.11, about asyncore; later ones have it from a package.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import AuthenticationFailed
    from pyftpdlib.filesystems import AbstractedFS, FilesystemError
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.servers import FTPServer

__all__ = ["serve_on"]

log = logging.getLogger(__name__)

MOST, MOST_OF_ONE = 20, 5
"""Control connections: of all, of one address."""
IDLE = 300
STALLED = 120
"""Seconds without a command, and without a byte of a file."""
COPY = 1_000_000
_ACTIVE = ("PORT", "EPRT")
_UPLOADS, _DOWNLOADS = "elawm", "elr"


class _Accounts:
    """Who has the token of a job may log in as it."""

    def validate_authentication(self, user: str, password: str, handler: Any) -> None:
        try:
            drop = drops.by_login(user, password)
        except DatabaseError as error:
            log.exception("an FTP login could not be checked")
            raise AuthenticationFailed("Try again later.") from error
        if drop is None:
            raise AuthenticationFailed("Authentication failed.")
        drops.note_came(drop)
        handler.drop = drop

    def get_home_dir(self, user: str) -> str:
        return "/"

    def get_msg_login(self, user: str) -> str:
        return "Welcome."

    def get_msg_quit(self, user: str) -> str:
        return "Goodbye."

    def has_perm(self, user: str, perm: str, path: str | None = None) -> bool:
        # Its own place is all that there is: the handler asks the file system for it.
        return True

    def get_perms(self, user: str) -> str:
        return _UPLOADS + _DOWNLOADS

    def impersonate_user(self, user: str, password: str) -> None:
        """Nobody else."""

    def terminate_impersonation(self, user: str) -> None:
        """Nobody else."""


class _Place(AbstractedFS):
    """What an account sees: folders that are there once somebody goes into them, and its files."""

    def ftp2fs(self, ftppath: str) -> str:
        return str(self.ftpnorm(ftppath))

    def fs2ftp(self, fspath: str) -> str:
        return fspath

    def validpath(self, path: str) -> bool:
        return True

    @property
    def drop(self) -> Drop:
        found: Drop = self.cmd_channel.drop
        return found

    def open(self, filename: str, mode: str) -> Any:
        drop = self.drop
        if drop.expires_at < timezone.now():
            raise FilesystemError("This account is closed")
        if "r" in mode and "+" not in mode:
            return self._firmware(drop, filename)
        if drop.firmware is not None:
            raise FilesystemError("Nothing can be stored here")
        try:
            return _Upload(self.cmd_channel, drop, filename, mode)
        except NotStored as error:
            drops.note_trouble(drop, str(error))
            raise FilesystemError(str(error)) from error

    def _firmware(self, drop: Drop, filename: str) -> Any:
        if drop.firmware is None or self._name(filename) != drop.firmware.name:
            raise FilesystemError("No such file")
        drops.note_fetched(drop, drop.firmware.size)
        return storage.path_of(drop.firmware.path).open("rb")

    def chdir(self, path: str) -> None:
        self.cwd = path

    def mkdir(self, path: str) -> None:
        """It is there already."""

    def isfile(self, path: str) -> bool:
        return self._size(path) is not None

    def isdir(self, path: str) -> bool:
        return self._size(path) is None

    def islink(self, path: str) -> bool:
        return False

    def lexists(self, path: str) -> bool:
        return True

    def realpath(self, path: str) -> str:
        return path

    def getsize(self, path: str) -> int:
        size = self._size(path)
        if size is None:
            raise FilesystemError("No such file")
        return size

    def getmtime(self, path: str) -> float:
        return time.time()

    def listdir(self, path: str) -> list[str]:
        if self.drop.firmware is not None:
            return [self.drop.firmware.name]
        rows = StoredFile.objects.filter(job=self.drop.job_id)
        return list(dict.fromkeys(rows.values_list("name", flat=True)))

    listdirinfo = listdir

    def stat(self, path: str) -> stat_result:
        size, now = self._size(path), int(time.time())
        mode = (stat.S_IFDIR | 0o700) if size is None else (stat.S_IFREG | 0o600)
        return stat_result((mode, 0, 0, 1, 0, 0, size or 0, now, now, now))

    lstat = stat

    def get_user_by_uid(self, uid: int) -> str:
        return "levity"

    get_group_by_gid = get_user_by_uid

    @staticmethod
    def _name(path: str) -> str:
        return path.rpartition("/")[2]

    def _size(self, path: str) -> int | None:
        name = self._name(path)
        firmware = self.drop.firmware
        if firmware is not None:
            return firmware.size if name == firmware.name else None
        row = _newest(self.drop, name)
        return row.size if row else None


def _newest(drop: Drop, name: str) -> StoredFile | None:
    return StoredFile.objects.filter(job=drop.job_id, name=name).order_by("-pk").first()


class _Upload:
    """A file that is being stored. `STOR` begins anew; `APPE` and `REST` go on with one that broke
    off, as a charger does that tries again."""

    def __init__(self, channel: Any, drop: Drop, path: str, mode: str) -> None:
        self.name = path
        self.closed = False
        self._channel, self._drop = channel, drop
        self._refused: NotStored | None = None
        self._before = None if mode.startswith("w") else _newest(drop, path.rpartition("/")[2])
        self._incoming: Incoming = drops.receive(drop)
        if mode.startswith("a") and self._before is not None:
            self.seek(self._before.size)

    def seek(self, place: int) -> None:
        """Take what came before as far as this. The server has looked that there is so much."""
        if self._before is None:
            return
        with storage.path_of(self._before.path).open("rb") as file:
            left = place
            while left > 0 and (piece := file.read(min(COPY, left))):
                self._incoming.write(piece)
                left -= len(piece)

    def write(self, piece: bytes) -> None:
        try:
            self._incoming.write(piece)
        except NotStored as error:
            self._refused = error
            drops.note_trouble(self._drop, str(error))
            raise OSError(28, str(error)) from error

    def close(self) -> None:
        """Called before the charger is told that it is stored."""
        if self.closed:
            return
        self.closed = True
        channel = self._channel.data_channel
        try:
            if channel is None or self._refused is not None:
                return
            is_complete = bool(channel.transfer_finished)
            if not is_complete and not self._incoming.size:
                return
            self._keep(is_complete=is_complete)
        except (NotStored, DatabaseError):
            log.exception("job %s: an upload could not be stored", self._drop.job_id)
            channel.transfer_finished = False
            channel._resp = ("451 Not stored.", log.warning)  # noqa: SLF001  # no other way to say so
        finally:
            self._incoming.drop()

    def _keep(self, *, is_complete: bool) -> None:
        written = self._incoming.keep()
        remote = self._channel.remote_ip
        drops.keep(self._drop, written, self.name, is_complete=is_complete, remote=remote)
        log.info("job %s: %d bytes arrived over FTP", self._drop.job_id, written.size)
        if self._before is not None and not self._before.is_complete:
            storage.remove(self._before.path)
            self._before.delete()


class _Data(DTPHandler):
    timeout = STALLED

    def recv(self, size: int) -> bytes:
        """As usual; but a line that breaks is not the end of a file."""
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            self._resp = ("426 Connection reset; transfer aborted.", log.debug)
            self.close()
            return b""
        except OSError:
            pass  # nothing there yet
        piece: bytes = super().recv(size)
        return piece


class _Passive(FTPHandler.passive_dtp):
    timeout = 30


class _Handler(FTPHandler):
    """A control connection."""

    drop: Drop | None = None
    authorizer = _Accounts()
    abstracted_fs = _Place
    dtp_handler = _Data
    passive_dtp = _Passive
    timeout = IDLE
    banner = "Levity"
    max_login_attempts = 3
    auth_failed_timeout = 2
    use_sendfile = False
    permit_foreign_addresses = False
    proto_cmds: ClassVar[dict[str, Any]] = {
        name: how
        for name, how in FTPHandler.proto_cmds.items()
        if name not in _ACTIVE and not name.startswith(("SITE", "DELE", "RMD", "XRMD", "RN", "M"))
    } | {name: FTPHandler.proto_cmds[name] for name in ("MKD", "MODE", "MDTM", "XMKD")}


def serve_on(host: str, port: int) -> Any:
    """An FTP server that listens; OSError if it can't. It works while `serve_forever` is called."""
    logging.getLogger("pyftpdlib").setLevel(logging.WARNING)
    _Handler.passive_ports = list(conf.ftp_ports())
    _Handler.masquerade_address = _address(conf.ftp_host() or own_name())
    server = FTPServer((host, port), _Handler)
    server.max_cons, server.max_cons_per_ip = MOST, MOST_OF_ONE
    return server


def _address(host: str) -> str | None:
    """What PASV tells: an address, never a name. Our own setting, looked up once."""
    if not host:
        return None
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
    except OSError:
        log.warning("LEVITY_FTP_HOST=%s can't be resolved: PASV tells the local address", host)
        return None
