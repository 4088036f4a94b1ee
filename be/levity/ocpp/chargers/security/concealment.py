"""Secrets in commands: masked wherever they are stored or shown, encrypted until they are sent.

A command is a row of a table that people read. What is secret in its payload (a new key, the
password in the URL of an upload) is masked there; the whole payload is next to it, encrypted
with a key made of SECRET_KEY, until the command has its end.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from levity.ocpp.wire.masking import without_secrets
from levity.ocpp.wire.scanning import drop_tokens, logins, signatures
from levity.secrets.sealing import Unreadable, secret_keys

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

__all__ = [
    "LONGEST_TOLD",
    "Unreadable",
    "conceal",
    "conceal_list",
    "reveal",
    "secrets_in",
    "stored_answer",
]

LONGEST_TOLD = 512 * 1024
"""Characters. All keys that a charger tells have some 20,000; to look through 8 MiB takes longer
than a frame may take, and everybody waits meanwhile."""


def conceal(payload: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The payload with its secrets masked, and all of it encrypted; "" if nothing is secret."""
    text = orjson.dumps(payload).decode()
    masked = without_secrets(text)
    if masked == text:
        return dict(payload), ""
    shown: dict[str, Any] = orjson.loads(masked)
    return shown, _boxes().encrypt(text.encode()).decode()


def conceal_list(payload: Mapping[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """The payload with only the number of the entries in this field, and all of it encrypted; ""
    if the field is empty."""
    entries = payload.get(name)
    if not entries:
        return dict(payload), ""
    count = len(entries) if isinstance(entries, list) else 1
    shown = {**payload, name: f"{count} entries, not shown"}
    return shown, _boxes().encrypt(orjson.dumps(payload)).decode()


def reveal(secret: str) -> dict[str, Any]:
    """The whole payload again; `Unreadable` if that is impossible."""
    from cryptography.fernet import InvalidToken

    try:
        payload: dict[str, Any] = orjson.loads(_boxes().decrypt(secret.encode()))
    except InvalidToken as error:
        raise Unreadable(
            "SECRET_KEY has changed since the command was queued: queue it again"
        ) from error
    return payload


def secrets_in(payload: Mapping[str, Any]) -> list[str]:
    """The texts in a whole payload that are masked where it is shown; and passwords of URLs."""
    found: list[str] = []
    items: list[Any] = [payload]
    masked: list[Any] = [orjson.loads(without_secrets(orjson.dumps(payload).decode()))]
    while items:
        item, shown = items.pop(), masked.pop()
        if isinstance(item, str) and item != shown:
            found.append(item)
            # The password of a URL: the charger may say it without the rest.
            found += [
                password
                for start, end in logins(item)
                if (password := item[start:end].partition(":")[2])
            ]
            found += [item[start:end] for start, end in drop_tokens(item)]
            found += [item[start:end] for start, end in signatures(item)]
        elif isinstance(item, Mapping):
            items += item.values()
            masked += [shown[name] for name in item]
        elif isinstance(item, list):
            items += item
            masked += shown
    # What is shorter stands in other words by chance.
    return sorted((text for text in found if len(text) >= 4), key=len, reverse=True)


def stored_answer(text: str) -> str:
    """A charger's answer that may tell a secret, as it may be kept: JSON, if it is."""
    if len(text) > LONGEST_TOLD:
        what = f"{len(text)} characters, too long to search for secrets: not stored"
        return orjson.dumps({"cut": what}).decode()
    return without_secrets(text)


def _boxes() -> "MultiFernet":
    """Encrypts with today's SECRET_KEY, and opens with those before it, too."""
    from cryptography.fernet import MultiFernet

    return MultiFernet([_box(key) for key in secret_keys()])


@lru_cache(maxsize=4)
def _box(secret_key: str) -> "Fernet":
    from cryptography.fernet import Fernet

    derived = hashlib.blake2b(secret_key.encode(), digest_size=32, person=b"levity commands")
    return Fernet(base64.urlsafe_b64encode(derived.digest()))
