"""Keys of charge points: made, digested and compared as raw bytes.

OCPP-J 1.6, 6.2.2: the password of HTTP Basic is the AuthorizationKey, 16 to 20 random bytes, kept
salted and hashed here. Keys are random, so a fast hash serves: ten thousand reconnects with
PBKDF2 would take 2,000 seconds of CPU.
"""

import hashlib
import hmac
import secrets

__all__ = [
    "LONGEST",
    "SHORTEST",
    "canonical",
    "digest_of",
    "matches",
    "new_key",
    "same_guess",
    "same_try",
]

SHORTEST = 16
"""Bytes of a key (OCPP 1.6 security whitepaper, A00.FR.205); less needs a person's word."""
LONGEST = 64
KEY_BYTES = 20

# ChangeConfiguration carries the key as hexadecimal text (OCPP-J 1.6, 6.2.2). As a password, some
# chargers send the bytes, others the text: both are one key. Shorter text is no written-out key.
_HEX = frozenset(b"0123456789abcdefABCDEF")
_LEAST_WRITTEN_OUT = 20
_PERSON = b"levity key"
# What an unknown charge point is compared with, so that it takes as long as a known one.
_NOBODY = f"b2${'00' * 16}${'00' * 32}"


def new_key() -> str:
    """A new key: 20 random bytes as 40 hexadecimal digits, as AuthorizationKey wants it."""
    return secrets.token_hex(KEY_BYTES)


def canonical(key: bytes) -> bytes:
    """The bytes that this key means, written out in hexadecimal or not."""
    written_out = len(key) >= _LEAST_WRITTEN_OUT and len(key) % 2 == 0 and _HEX.issuperset(key)
    return bytes.fromhex(key.decode("ascii")) if written_out else key


def digest_of(key: bytes, salt: bytes | None = None) -> str:
    """What is kept of a key: its salt and its digest, as text."""
    salt = secrets.token_bytes(16) if salt is None else salt
    digested = hashlib.blake2b(canonical(key), digest_size=32, salt=salt, person=_PERSON)
    return f"b2${salt.hex()}${digested.hexdigest()}"


def matches(password: bytes, digest: str) -> bool:
    """True if this password is the key behind the digest; as slow where there is no digest."""
    _, salt, _ = (digest or _NOBODY).split("$")
    same = hmac.compare_digest(digest_of(password, bytes.fromhex(salt)), digest or _NOBODY)
    return same and bool(digest)


def same_guess(password: bytes, pepper: str) -> str:
    """By what a guess is recognised when it comes again; says nothing without the pepper."""
    return hashlib.blake2b(
        password, digest_size=12, key=hashlib.blake2b(pepper.encode()).digest()
    ).hexdigest()


def same_try(identity: str, password: bytes, pepper: str) -> str:
    """By what this key for this identity is recognised when it comes again: 16 digits."""
    return same_guess(identity.lower().encode() + b"\0" + password, pepper)[:16]
