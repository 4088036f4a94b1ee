"""The POST of an alert, signed as alerts were signed before events had webhooks.

This signature stays for one release. A secret that begins with `whsec_` (of a rule, or
LEVITY_ALERT_WEBHOOK_SECRET) signs as webhooks of events do, too (levity.integrations.signing).
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from levity.integrations.signing import signed_headers
from levity.posting import BadWebhook, addresses, allowed_from_environ, check_url, shown_host
from levity.posting import post as send
from levity_ws import __version__

__all__ = [
    "BadWebhook",
    "addresses",
    "allowed_from_environ",
    "check_url",
    "post",
    "shown_host",
    "signature",
]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes and compares: HMAC-SHA256 over `timestamp.body`, as hex."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def post(url: str, secret: str, delivery: str, payload: Mapping[str, Any]) -> None:
    """Send it; raises `BadWebhook` unless the receiver answers 2xx in time."""
    body = json.dumps(payload).encode()
    now = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Levity/{__version__}",
        "X-Levity-Delivery": delivery,
        "X-Levity-Timestamp": str(now),
    }
    with suppress(ValueError):  # not of that kind
        headers |= signed_headers((secret,), f"alert_{delivery}", now, body)
    if secret:
        headers["X-Levity-Signature"] = signature(secret, str(now), body)
    answer = send(url, body, headers)
    if not answer.is_taken:
        host = check_url(url)[1]
        raise BadWebhook(f"{host} answered {answer.status} {answer.reason}"[:200])
