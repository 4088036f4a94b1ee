"""Who may see /metrics, /healthz and /readyz: this machine and its network, or a token's owner."""

import hmac
import os
from collections.abc import Mapping
from typing import Any

from levity_ws.edge.handshake import is_private

__all__ = ["FORWARDED", "may_see"]

# Any of these: the request came through a proxy, so it is somebody from outside.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


def may_see(meta: Mapping[str, Any], *, secret: bool) -> bool:
    """True for a WSGI request, by its `meta`, that may see what operators see.

    With LEVITY_METRICS_TOKEN set, what is `secret` (the metrics) is for those who send it as
    `Authorization: Bearer ...`, wherever they are, and for nobody else.
    """
    token = os.environ.get("LEVITY_METRICS_TOKEN", "")
    if secret and token:
        given = str(meta.get("HTTP_AUTHORIZATION", ""))
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    if any(meta.get(name) for name in FORWARDED):
        return False
    peer = str(meta.get("REMOTE_ADDR") or "")
    return not peer or is_private(peer)
