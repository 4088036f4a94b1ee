"""Why a handshake was refused, and what to do: one table for edge and backend.

The words come from `admission.py` and `handshakes.py`, and from the edge (its labels, with
hyphens).
"""

from collections.abc import Mapping

from levity_ws.edge.target import LONGEST, SIGNS
from levity_ws.frozen import frozen

__all__ = ["REASONS", "Reason", "reason"]


@frozen
class Reason:
    """What happened, in a few words, and what to do, for whoever stands at the charger."""

    title: str
    hint: str
    adoptable: bool = False
    """It was a charger with an identity: one click can let it in."""


REASONS: Mapping[str, Reason] = {
    "unknown": Reason(
        "unknown charge point",
        "This identity is not on the list of charge points. If it is your charger, adopt it; "
        "otherwise check the last part of the address in the charger for a typo.",
        adoptable=True,
    ),
    "subprotocol": Reason(
        "no common OCPP version",
        "Set the charger to OCPP 1.6 JSON (1.6J, “ocpp1.6”), not 2.0.1 and not SOAP.",
    ),
    "no-key": Reason(
        "no key sent",
        "Its security profile requires a key. Set the AuthorizationKey (often “password” or "
        "“basic auth”) in the charger, or lower its profile here if the network is safe.",
        adoptable=True,
    ),
    "no-key-set": Reason(
        "no key set here",
        "The charger sends a key, but none is set for it here. Set one under “Security” on the "
        "page of the charge point, or accept the one that it sends.",
        adoptable=True,
    ),
    "key": Reason(
        "wrong key",
        "The key in the charger differs from the key set here. Enter it again in the charger, or "
        "generate a new one under “Security” on the page of the charge point.",
        adoptable=True,
    ),
    "username": Reason(
        "wrong user name",
        "The user name must equal the identity at the end of the address. Correct the user name "
        "in the charger, or leave it empty if the charger fills it in.",
    ),
    "header": Reason(
        "unreadable Authorization header",
        "The header must be HTTP Basic with user name and key. Some chargers need the key as "
        "text, others in hexadecimal; try the other format in its settings, or newer firmware.",
    ),
    "locked": Reason(
        "too many wrong keys",
        "Too many different keys were tried from this address, so no key is checked for some "
        "minutes. Wait, or unlock it under “Security” on the page of the charge point. If it is "
        "not your charger, someone is guessing keys.",
    ),
    "no-tls": Reason(
        "connected without TLS",
        "Its security profile requires TLS: set its address to wss:// instead of ws://. If you "
        "run your own proxy, LEVITY_TRUSTED_PROXIES must name it.",
    ),
    "no-certificate": Reason(
        "no client certificate sent",
        "Security profile 3 requires one. Install a certificate issued to its identity in the "
        "charger, or set profile 2 here.",
    ),
    "certificate": Reason(
        "invalid client certificate",
        "The proxy rejected it: expired, revoked, or not signed by the authority in its "
        "configuration. Install a new one in the charger.",
    ),
    "certificate-name": Reason(
        "certificate of another charger",
        "The common name in its certificate must be its identity, or the certificate name on its "
        "page (such as its serial number). Install the charger's own certificate, or correct the "
        "identity in its address or the name on its page.",
    ),
    "path": Reason(
        "wrong address",
        "Set the address in the charger to the one shown above. The last part of an address is "
        "the identity, regardless of what comes before it; this address leads to something else.",
    ),
    "no-identity": Reason(
        "missing identity",
        "The last part of the address is the identity, and this address has none. Add it after "
        "/ws/, or fill in the field “charge point id” in the charger.",
    ),
    "identity": Reason(
        "invalid identity",
        f"An identity has 1 to {LONGEST} letters, digits, inner spaces, or any of "
        f"{' '.join(SIGNS)}. Choose another one in the charger.",
    ),
    "placeholder": Reason(
        "placeholder instead of the identity",
        "The address was copied with its placeholder. Replace it with the charger's own name, or "
        "leave it out if the charger adds its name automatically.",
    ),
    "web-port": Reason(
        "connected to the port of the web pages",
        "Chargers connect to another port. Enter the address shown above in the charger: it has "
        "the same host and the right port.",
    ),
    "origin": Reason(
        "sent by a web page",
        "The request names a web page as its Origin and looks like a browser's. To test from a "
        "browser, add the page to LEVITY_ALLOWED_ORIGINS.",
    ),
    "not-a-websocket-handshake": Reason(
        "not a websocket",
        "The address was opened with plain HTTP: by a browser, by a monitor, or through a proxy "
        "that removes the Upgrade header (nginx: proxy_set_header Upgrade $http_upgrade).",
    ),
    "frame-too-large": Reason(
        "message too large",
        "The connection was closed, and the charger will send the message again: raise "
        "LEVITY_MAX_FRAME_SIZE (bytes). A new charge point without a key may send 128 KiB for its "
        "first hour or until its first recorded session, and while it is pending. To make "
        "messages smaller, configure fewer StopTxnSampledData or a longer "
        "MeterValueSampleInterval.",
    ),
    "tls-on-a-plain-port": Reason(
        "TLS at a port without TLS",
        "The charger uses wss:// on a port that speaks ws://. Set it to ws://, as in the address "
        "shown above; or, if a proxy terminates TLS, to wss:// and that proxy's port (443).",
    ),
    "not-http": Reason(
        "not HTTP",
        "Something else connected to this port: a scanner, or a charger with another protocol.",
    ),
    "unreadable-request": Reason(
        "unreadable request",
        "The request is not valid HTTP/1.1 and was answered with 400. Update the charger's "
        "firmware; a proxy or mobile gateway in between may have altered the request.",
    ),
    "unfinished-request": Reason(
        "incomplete request",
        "The connection ended, or was silent for ten seconds, in the middle of the first request: "
        "a weak connection, a scanner, or a charger that waits for something else.",
    ),
    "proxy-protocol": Reason(
        "PROXY protocol",
        "A load balancer in front of Levity uses the PROXY protocol, which Levity does not "
        "support. Turn it off there (HAProxy: no send-proxy; nginx: proxy_protocol off), and send "
        "X-Forwarded-For instead.",
    ),
    "too-long": Reason(
        "request too long",
        "The request has a line of more than 8 KiB or more than 128 headers; chargers send no "
        "such requests.",
    ),
    "address-limit": Reason(
        "too many connections from one address",
        "If many chargers are behind one router, raise LEVITY_MAX_CONNECTIONS_PER_ADDRESS. If you "
        "use a proxy, name it in LEVITY_TRUSTED_PROXIES; otherwise all chargers appear to have "
        "one address.",
    ),
    "full": Reason(
        "too many connections in all",
        "Raise LEVITY_MAX_CONNECTIONS and the system's limit on open files.",
    ),
    "after-a-flood": Reason(
        "flooding",
        "Its last connection was closed because of hundreds of pings, pongs or fragments at once, "
        "so the charger is locked out for half a minute. Restart the charger; update its "
        "firmware.",
    ),
    "churn": Reason(
        "connects too often",
        "The charger reconnects every few seconds: check its messages for the reason, and whether "
        "two chargers have the same identity. LEVITY_MAX_CONNECT_RATE (connections per second and "
        "identity) sets the limit.",
    ),
}

_OTHER = Reason("refused", "This release does not know the reason; see the log of the edge.")


def reason(word: str) -> Reason:
    """The title and the hint of a reason; of one that is not known, too."""
    return REASONS.get(word, _OTHER)
