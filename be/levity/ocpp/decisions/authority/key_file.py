"""The key of the certificate authority: a file that only its owner can read.

Never in the database, in a log or in an error message. With OCPP_CA_PASSPHRASE it is encrypted.
"""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from levity.installation import data_dir
from levity.ocpp.conf import setting

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["KeyUnavailable", "key_path", "new_key", "read_key", "write_key"]

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyUnavailable(Exception):
    """The authority's key can't be read, or is not to be trusted; the text says why."""


def key_path() -> Path:
    """Where the key lies: OCPP_CA_KEY_FILE, else in LEVITY_DATA_DIR."""
    given = setting("OCPP_CA_KEY_FILE")
    return Path(given).expanduser() if given else data_dir() / "certificate_authority.key"


def new_key() -> "EllipticCurvePrivateKey":
    """A new key on the curve P-256, which chargers and nginx know."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def write_key(key: "EllipticCurvePrivateKey", path: Path) -> None:
    """Write it to the backup file; must not exist yet (FileExistsError), for its owner alone.

    Whole or not at all (OSError).
    """
    from cryptography.hazmat.primitives import serialization

    passphrase = setting("OCPP_CA_PASSPHRASE")
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    data = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise


def read_key(path: Path) -> "EllipticCurvePrivateKey":
    """The key in this file. Raises `KeyUnavailable`, also where others may read the file."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    passphrase = setting("OCPP_CA_PASSPHRASE")
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & OTHERS:
                raise KeyUnavailable(f"{path} is accessible to others: chmod 600")
            data = file.read(64 * 1024)
    except OSError as error:
        raise KeyUnavailable(f"{path} can't be read ({error.strerror})") from None
    try:
        key = load_pem_private_key(data, passphrase.encode() if passphrase else None)
    except TypeError:
        # Nothing of the key may stand in a traceback.
        word = "is not encrypted, but there is" if passphrase else "is encrypted: set"
        raise KeyUnavailable(f"{path} {word} OCPP_CA_PASSPHRASE") from None
    except Exception:  # noqa: BLE001  # whatever a damaged file makes the parser raise
        raise KeyUnavailable(f"{path} contains no key, or the passphrase is wrong") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise KeyUnavailable(f"{path} holds a key of another kind")
    return key
