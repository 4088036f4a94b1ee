"""What a list without rows means, in words: nothing waits, or nothing has happened yet."""

from collections.abc import Mapping

from django.utils.translation import gettext, gettext_noop

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
        gettext_noop(
            "Nothing has been charged yet. A session appears here when a charger starts one."
        ),
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
    "ocpp.masscommand": (
        "No command was sent to many charge points yet: tick some in their list, and choose one.",
        "",
    ),
    "ocpp.configurationtemplate": ("There are no templates yet.", ""),
    "billing.tariff": (
        gettext_noop(
            "There is no tariff yet, so sessions have no price. Add one (“New tariff”), then say "
            "for whom it is (“Which tariff is for whom”)."
        ),
        "",
    ),
    "billing.statementrun": (
        gettext_noop(
            "No month has been closed yet. “Who bills” is asked once; then “Next statements” "
            "checks a month, shows a preview, and closes it."
        ),
        "",
    ),
    "billing.tariffuse": (
        gettext_noop(
            "No tariff is for anybody yet, so sessions have no price. Say here for whom each is."
        ),
        "",
    ),
    "billing.issuer": (
        gettext_noop(
            "Nobody bills yet. Add the name and address that stand at the head of statements."
        ),
        "",
    ),
    "billing.sessionprice": (
        gettext_noop(
            "No session has a price yet: a session gets one when it is over and a tariff applies. "
            "Add one under “Tariffs”."
        ),
        "",
    ),
    "ocpp.reservation": ("No connector has been reserved yet.", ""),
    "ocpp.locallist": (
        "No local list is kept in step yet. Switch it on for charge points with the button above.",
        "",
    ),
    "ocpp.installedprofile": ("No charger has accepted a charging profile yet.", ""),
    "ocpp.installedcertificate": (
        (
            "No certificate was sent to a charger, or reported by one. Send InstallCertificate or "
            "GetInstalledCertificateIds from the page of a charge point."
        ),
        "",
    ),
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
    "ocpp.filejob": (
        (
            "No file has been asked for yet: open a charge point, and use “Fetch diagnostics” or "
            "“Update firmware”."
        ),
        "",
    ),
    "files.firmware": (
        (
            "No firmware has been uploaded yet. Add the file that your charger's maker gave you, "
            "then send it to chargers, in waves."
        ),
        "",
    ),
    "ocpp.configurationkey": (
        (
            "No charger has told its configuration yet: open a charge point, then "
            "“Configuration”, and read it."
        ),
        "",
    ),
    "ocpp.configurationchange": ("No configuration key has been changed yet.", ""),
    "billing.household": (
        gettext_noop(
            "There are no households yet. Add one, or import a list of residents (“Import CSV…”) "
            "to see who used how much energy."
        ),
        "",
    ),
    "files.campaign": (
        (
            "There is no campaign yet: open “Firmware”, and use “Send in waves…”; or select charge "
            "points in their list, and use “Update firmware in waves…”."
        ),
        "",
    ),
    "ocpp.edge": ("No edge has reported yet: chargers can't connect before one runs.", ""),
    "operation.alert": ("Nothing has gone wrong yet.", "No alert is open."),
    "operation.alertrule": (
        "There are no rules yet: nobody is notified of alerts unless LEVITY_ALERT_EMAIL is set.",
        "",
    ),
    "integrations.webhook": (
        "There are no webhooks yet. Add one to send events to an address of yours.",
        "",
    ),
    "integrations.delivery": ("Nothing has been sent yet, and nothing waits.", ""),
    "integrations.event": (
        "No event has been recorded: nobody reads any. Add a webhook, or read the event feed.",
        "",
    ),
    "api.apitoken": ("There are no tokens yet: no program uses the API.", ""),
    "axes.accessattempt": ("No login is locked, and no wrong password was entered recently.", ""),
    "axes.accesslog": ("There have been no logins yet.", ""),
}
OPEN = {"open": "yes"}
OF_ONE = "charge_point__id__exact"


def meaning(model: str, filters: Mapping[str, str]) -> str:
    """Why the list of this model is empty; "" where the filters are the reason."""
    none, none_open = TEXTS.get(model, (gettext_noop("There is nothing yet."), ""))
    if not filters:
        return gettext(none)
    if set(filters) == {OF_ONE}:
        return gettext("There is nothing of this charge point yet.")
    return none_open if dict(filters) == OPEN else ""
