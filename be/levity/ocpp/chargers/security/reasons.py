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
        "This identity is not on the list of charge points. If it is a charger of yours, adopt it; "
        "else check the last part of the address in the charger for a typing mistake.",
        adoptable=True,
    ),
    "subprotocol": Reason(
        "no common OCPP version",
        "Set the charger to OCPP 1.6 JSON (1.6J, “ocpp1.6”), not 2.0.1 and not SOAP.",
    ),
    "no-key": Reason(
        "it sends no key",
        "Its security profile asks for a key. Set the AuthorizationKey (often “password” or "
        "“basic auth”) in the charger, or give it a lower profile here if the line is safe.",
        adoptable=True,
    ),
    "no-key-set": Reason(
        "no key is set here",
        "It sends a key, but none is written down for it. Set one under “Security” on the page "
        "of the charge point, or accept the one that it sends.",
        adoptable=True,
    ),
    "key": Reason(
        "wrong key",
        "The key in the charger is not the key that is set here. Type it anew in the charger, or "
        "generate a new one under “Security” on the page of the charge point.",
        adoptable=True,
    ),
    "username": Reason(
        "wrong user name",
        "The user name must be the identity, exactly as it stands at the end of the address. "
        "Correct the user name in the charger, or leave it empty if the charger fills it in.",
    ),
    "header": Reason(
        "Authorization header not readable",
        "It must be HTTP Basic: a user name and a key. Some chargers need the key as text, others "
        "in hexadecimal; look for another format in its settings or for newer firmware.",
    ),
    "locked": Reason(
        "too many wrong keys",
        "From this address too many different keys were tried, so none is looked at for some "
        "minutes. It passes by itself, or unlock it under “Security” on the page of the charge "
        "point. If it is not your charger, somebody guesses.",
    ),
    "no-tls": Reason(
        "came without TLS",
        "Its security profile wants an encrypted line: set its address to wss:// instead of "
        "ws://. Behind a proxy of your own, LEVITY_TRUSTED_PROXIES must name the proxy.",
    ),
    "no-certificate": Reason(
        "sent no client certificate",
        "Security profile 3 wants one. Install a certificate in the charger that is made out to "
        "its identity, or give it profile 2 here.",
    ),
    "certificate": Reason(
        "client certificate not valid",
        "The proxy does not believe it: expired, revoked, or signed by somebody else than the "
        "authority in its configuration. Give the charger a new one.",
    ),
    "certificate-name": Reason(
        "certificate of another charger",
        "The common name in its certificate must be its identity, or the certificate name that "
        "stands on its page (such as its serial number). Give the charger its own one, or correct "
        "the identity in its address or the name on its page.",
    ),
    "path": Reason(
        "wrong address",
        "Set the address in the charger to the one that is shown above. The last part of an "
        "address counts as the identity, whatever stands before it; this one leads to something "
        "else.",
    ),
    "no-identity": Reason(
        "identity missing",
        "The last part of the address is the identity, and here there is none. Add it behind "
        "/ws/, or fill in the field “charge point id” in the charger.",
    ),
    "identity": Reason(
        "identity not usable",
        f"1 to {LONGEST} letters, digits, spaces inside, or any of {' '.join(SIGNS)} make an "
        "identity. Choose another one in the charger.",
    ),
    "placeholder": Reason(
        "placeholder instead of the identity",
        "The address was copied with the words that stand for the identity. Put the charger's own "
        "name in their place, or leave them out if the charger adds its name by itself.",
    ),
    "web-port": Reason(
        "came to the port of the web pages",
        "Chargers connect to another port. Enter the address that is shown above in the charger: "
        "it has the same host and the right port.",
    ),
    "origin": Reason(
        "came from a web page",
        "It names the web page that it comes from (Origin) and bears the marks of a browser. For a "
        "test in a browser, name the page in LEVITY_ALLOWED_ORIGINS.",
    ),
    "not-a-websocket-handshake": Reason(
        "no websocket",
        "The address was opened with plain HTTP: by a browser, by a monitor, or through a proxy "
        "that takes the Upgrade header away (nginx: proxy_set_header Upgrade $http_upgrade).",
    ),
    "frame-too-large": Reason(
        "message too large",
        "Its connection was closed, and it will send the same again: raise LEVITY_MAX_FRAME_SIZE "
        "(bytes). A new charge point without a key may send 128 KiB: for an hour, or until it "
        "has a session on the books, and while it is pending. It sends less with fewer "
        "StopTxnSampledData or a longer "
        "MeterValueSampleInterval.",
    ),
    "tls-on-a-plain-port": Reason(
        "TLS at a port without TLS",
        "It says wss:// to a port that speaks ws://. Set it to ws://, as in the address that is "
        "shown above; or, where a proxy ends TLS, to wss:// and the port of that proxy (443).",
    ),
    "not-http": Reason(
        "no HTTP at all",
        "Something else speaks to this port: a scanner, or a charger with another protocol.",
    ),
    "unreadable-request": Reason(
        "request not readable",
        "It speaks HTTP, but not as HTTP/1.1 has it: it was answered with 400. Update the "
        "charger's firmware; a proxy or a SIM card's gateway on the way may have changed it.",
    ),
    "unfinished-request": Reason(
        "request not finished",
        "The line ended, or it fell silent for ten seconds, in the middle of the first request: a "
        "weak line, a scanner, or a charger that waits for something else.",
    ),
    "proxy-protocol": Reason(
        "PROXY protocol",
        "A load balancer before Levity speaks the PROXY protocol, which is not understood here. "
        "Turn it off there (HAProxy: no send-proxy; nginx: proxy_protocol off), and let it send "
        "X-Forwarded-For.",
    ),
    "too-long": Reason(
        "request too long",
        "A line of more than 8 KiB or more than 128 headers: no charger does that.",
    ),
    "address-limit": Reason(
        "too many connections from one address",
        "Many chargers behind one router: raise LEVITY_MAX_CONNECTIONS_PER_ADDRESS. Behind a "
        "proxy: name it in LEVITY_TRUSTED_PROXIES, or all chargers seem to have one address.",
    ),
    "full": Reason(
        "too many connections in all",
        "Raise LEVITY_MAX_CONNECTIONS, and the number of open files that the system allows.",
    ),
    "after-a-flood": Reason(
        "flooded us just before",
        "Its last connection was closed because of hundreds of pings, pongs or fragments in one "
        "go, so it stays out for half a minute. Restart the charger; update its firmware.",
    ),
    "churn": Reason(
        "connects too often",
        "It connects again and again within seconds: look at its messages for what makes it "
        "leave. Or two chargers have the same identity. How often is too often says "
        "LEVITY_MAX_CONNECT_RATE (connections a second of one identity).",
    ),
}

_OTHER = Reason("refused", "This release does not know the reason; the log of the edge says more.")


def reason(word: str) -> Reason:
    """The title and the hint of a reason; of one that is not known, too."""
    return REASONS.get(word, _OTHER)
