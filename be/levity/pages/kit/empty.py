"""What a list without rows means, in words: nothing waits, or nothing has happened yet."""

from collections.abc import Mapping

__all__ = ["meaning"]

# By model: nothing at all, and none that is open (the lists of trouble are opened so).
TEXTS: Mapping[str, tuple[str, str]] = {
    "ocpp.chargepoint": (
        (
            "No charge point has connected yet. It appears here as soon as it does; you do not "
            "have to register it first."
        ),
        "",
    ),
    "ocpp.site": (
        "There is no site yet. You need none for a single place: add sites if you manage several.",
        "",
    ),
    "ocpp.transaction": (
        "Nothing has been charged yet. A session appears here when a charger starts one.",
        "",
    ),
    "ocpp.idtag": (
        (
            "There are no cards yet. Add or import cards, or let Levity record those that are "
            "presented to chargers."
        ),
        "",
    ),
    "ocpp.command": ("No command has been sent yet.", ""),
    "ocpp.chargepointcertificate": ("No charger has asked for a certificate.", ""),
    "ocpp.certificateauthority": (
        (
            "There is no certificate authority. It is needed for security profile 3 only: "
            "levity certificate_authority create."
        ),
        "",
    ),
    "ocpp.refusedhandshake": ("No connection has been refused.", ""),
    "ocpp.quarantinedmessage": (
        "Nothing awaits a decision: every message was assigned to a session.",
        "Nothing awaits a decision.",
    ),
    "ocpp.unassignedenergy": (
        "None found so far: as of the last sum, all metered energy lies in sessions.",
        "",
    ),
    "ocpp.failedmessage": (
        "No message has failed.",
        "No failed message is open.",
    ),
    "ocpp.securityevent": ("No charger has reported a security event.", ""),
    "ocpp.message": ("No message has arrived yet.", ""),
    "ocpp.metervalue": ("No meter value has arrived yet.", ""),
    "ocpp.metervaluecorrection": ("No values have been corrected.", ""),
    "ocpp.connectionevent": ("No charger has connected yet.", ""),
    "ocpp.statusevent": ("No charger has reported its status yet.", ""),
    "ocpp.auditentry": ("Nobody has decided anything yet.", ""),
    "ocpp.missedchange": ("Every receiver has taken all changes of sessions.", ""),
    "ocpp.edge": ("No edge has reported yet: chargers can't connect before one runs.", ""),
    "operation.alert": ("Nothing has gone wrong yet.", "No alert is open."),
    "operation.alertrule": (
        "There are no rules yet: nobody is notified of alerts unless LEVITY_ALERT_EMAIL is set.",
        "",
    ),
    "axes.accessattempt": ("No login is locked, and no wrong password was entered recently.", ""),
    "axes.accesslog": ("There have been no logins yet.", ""),
}
OPEN = {"open": "yes"}


def meaning(model: str, filters: Mapping[str, str]) -> str:
    """Why the list of this model is empty; "" where the filters are the reason."""
    none, none_open = TEXTS.get(model, ("There is nothing yet.", ""))
    if not filters:
        return none
    return none_open if dict(filters) == OPEN else ""
