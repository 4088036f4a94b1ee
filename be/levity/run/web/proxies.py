"""Which headers about a request are believed: only those of trusted proxies.

A proxy says in headers who the client is and whether it uses TLS. Anyone can send the same headers,
so they count only if the connection itself comes from a trusted proxy (LEVITY_TRUSTED_PROXIES, as
at the edge). All others are removed before any other code sees them: the lock-out counts the real
address, and nobody can pretend to use TLS.
"""

import ipaddress
import logging
from collections.abc import Callable, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from levity_ws.edge.handshake import Network, client_address, is_private

__all__ = ["TrustedProxies"]

log = logging.getLogger(__name__)

FORWARDED = ("HTTP_X_FORWARDED_", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_SSL_CLIENT")


class TrustedProxies:
    """The first middleware: REMOTE_ADDR is the client's, forwarded headers are true or removed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.networks: Sequence[Network] = settings.LEVITY_TRUSTED_PROXIES
        self._told = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response; its cookies are Secure if the request came over TLS."""
        meta = request.META
        peer = meta.get("REMOTE_ADDR", "")
        if self._trusts(peer):
            hops = meta.get("HTTP_X_FORWARDED_FOR", "")
            meta["REMOTE_ADDR"] = client_address(peer or "127.0.0.1", [hops], self._believed(peer))
        else:
            if not self._told and "HTTP_X_FORWARDED_FOR" in meta and is_private(peer):
                # Logged once: behind an unknown proxy all users seem to have one address, and five
                # wrong passwords of one lock all of them out.
                self._told = True
                log.warning(
                    "X-Forwarded-For from %s is ignored. If that is your proxy, set "
                    "LEVITY_TRUSTED_PROXIES=%s",
                    peer,
                    peer,
                )
            for name in [key for key in meta if key.startswith(FORWARDED)]:
                del meta[name]
        response = self.get_response(request)
        if request.is_secure():
            # Logins must also work over plain http in a private network; but a cookie that was set
            # over TLS is never sent without it.
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response

    def _trusts(self, peer: str) -> bool:
        if not peer:
            return True  # a socket file, which only programs on this machine can reach
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(
            mapped.version == network.version and mapped in network for network in self.networks
        )

    def _believed(self, peer: str) -> Sequence[Network]:
        return self.networks if peer else [*self.networks, ipaddress.ip_network("127.0.0.1")]
