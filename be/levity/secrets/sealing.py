"""Secrets at rest that must be read again: sealed with a key derived from SECRET_KEY. Secrets that
need not be read again (keys of chargers, passwords) are stored as digests instead. A copy of the
database alone reveals none of these secrets; the database and SECRET_KEY together do. AES-256-GCM,
with the purpose as associated data: a secret that was sealed for one purpose can't be unsealed for
another. After a change of SECRET_KEY, older secrets are unsealed with one of SECRET_KEY_FALLBACKS.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["Unreadable", "is_fresh", "is_sealed", "keyed_digest", "seal", "secret_keys", "unseal"]

PREFIX = "s1."
NONCE_BYTES = 12


class Unreadable(Exception):
    """SECRET_KEY has changed since this was sealed, and the old key is not in
    SECRET_KEY_FALLBACKS.
    """


def secret_keys() -> Iterator[str]:
    """The current SECRET_KEY, and former ones that are still valid."""
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def seal(secret: bytes, purpose: str) -> str:
    """This secret as it may be stored: printable, 41 characters and 4 for every 3 bytes."""
    nonce = os.urandom(NONCE_BYTES)
    box = _box(settings.SECRET_KEY).encrypt(nonce, secret, purpose.encode())
    return PREFIX + base64.urlsafe_b64encode(nonce + box).decode().rstrip("=")


def unseal(text: str, purpose: str) -> bytes:
    """The secret; raises `Unreadable` if it can't be unsealed."""
    for key in secret_keys():
        if (secret := _opened(text, purpose, key)) is not None:
            return secret
    raise Unreadable("SECRET_KEY has changed since this was stored")


def is_sealed(text: str) -> bool:
    """True for what `seal` made."""
    return text.startswith(PREFIX)


def is_fresh(text: str, purpose: str) -> bool:
    """True if the current SECRET_KEY unseals it; else it should be sealed again."""
    return _opened(text, purpose, settings.SECRET_KEY) is not None


def keyed_digest(text: str, purpose: str, secret_key: str) -> str:
    """16 digits that identify a short code; without `secret_key` they can't be guessed."""
    key = hashlib.blake2b(secret_key.encode()).digest()
    person = hashlib.blake2b(purpose.encode(), digest_size=16).digest()
    return hashlib.blake2b(text.encode(), digest_size=8, key=key, person=person).hexdigest()


def _opened(text: str, purpose: str, secret_key: str) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    if not is_sealed(text):
        return None
    try:
        raw = base64.urlsafe_b64decode(text[len(PREFIX) :] + "=" * (-(len(text) - 3) % 4))
        return _box(secret_key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode())
    except (InvalidTag, binascii.Error, ValueError):
        return None


def _box(secret_key: str) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    derived = hashlib.blake2b(secret_key.encode(), digest_size=32, person=b"levity sealed")
    return AESGCM(derived.digest())
