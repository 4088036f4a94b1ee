"""Signatures of Standard Webhooks 1.0.0 (standardwebhooks.com): headers `webhook-id`,
`webhook-timestamp` and `webhook-signature`; secrets `whsec_` and 24 to 64 bytes in base64."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence

__all__ = ["PREFIX", "key_of", "new_secret", "signed_headers"]

PREFIX = "whsec_"
NEW_BYTES = 32
LEAST, MOST = 24, 64


def new_secret() -> str:
    """A secret that nobody knows yet."""
    return PREFIX + base64.b64encode(os.urandom(NEW_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that sign; ValueError says what is wrong with the secret, without showing it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"a secret is {PREFIX} and base64") from error
    if not secret.startswith(PREFIX) or not LEAST <= len(key) <= MOST:
        raise ValueError(f"a secret is {PREFIX} and {LEAST} to {MOST} bytes in base64")
    return key


def signed_headers(
    secrets: Sequence[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers; one signature for each secret, the newest first."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = []
    for secret in secrets:
        digest = hmac.new(key_of(secret), content, hashlib.sha256).digest()
        signatures.append("v1," + base64.b64encode(digest).decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
