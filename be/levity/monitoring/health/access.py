"""Who may see /metrics, /healthz and /readyz: this machine and its network, or clients with the
token."""

import hmac
import os
from collections.abc import Mapping
from typing import Any

from levity_ws.edge.admission import is_loopback
from levity_ws.edge.handshake import is_private

__all__ = ["FORWARDED", "may_see", "shown_to"]

# With any of these, the request came through a proxy, so from outside.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


def may_see(meta: Mapping[str, Any], *, secret: bool) -> bool:
    """True if a WSGI request with this `meta` may see what operators see. With LEVITY_METRICS_TOKEN
    set, `secret` pages (the metrics) are only for clients that send it as `Authorization: Bearer
    ...`, wherever they are.
    """
    token = os.environ.get("LEVITY_METRICS_TOKEN", "")
    if secret and token:
        given = str(meta.get("HTTP_AUTHORIZATION", ""))
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    if any(meta.get(name) for name in FORWARDED):
        return False
    peer = str(meta.get("REMOTE_ADDR") or "")
    return not peer or is_private(peer)


def shown_to(meta: Mapping[str, Any], figures: bytes) -> bytes:
    """The metrics for this request, which may see them: without names for clients in the network.
    With profile 0, anyone who knows a charge point's identity can impersonate it. Names are shown
    to this machine, and to clients with the token.
    """
    peer = str(meta.get("REMOTE_ADDR") or "")
    if os.environ.get("LEVITY_METRICS_TOKEN") or not peer or is_loopback(peer):
        return figures
    lines = figures.splitlines(keepends=True)
    return b"".join(line for line in lines if b'{charge_point="' not in line)
