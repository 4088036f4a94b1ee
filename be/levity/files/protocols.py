"""HTTP or FTP: some chargers know only one of them, and fail without a word by the other."""

from levity.files.models import Drop
from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.models import ChargePoint, ConfigurationKey
from levity.ocpp.rules.file_jobs import DONE, FAILED, SILENT
from levity_ws.frozen import frozen

__all__ = ["Choice", "choose", "other"]

KEY = "supportedfiletransferprotocols"
LOOK_BACK = 20


@frozen
class Choice:
    """A protocol, and why it was chosen, for people."""

    protocol: str
    why: str


def choose(charge_point: ChargePoint, offered: tuple[str, ...]) -> Choice:
    """The likeliest of those that are offered; the first is the one to begin with."""
    for choice in (_tried(charge_point), _told(charge_point, offered), _by_make(charge_point)):
        if choice is not None and choice.protocol in offered:
            return choice
    return Choice(offered[0], "the usual one")


def other(protocol: str, offered: tuple[str, ...]) -> str:
    """The one to try when this one has failed; empty if there is none."""
    is_ftp = protocol == "ftp"
    return next((name for name in offered if (name == "ftp") != is_ftp), "")


def _tried(charge_point: ChargePoint) -> Choice | None:
    """What worked last; or the other of what failed last, if nothing ever worked."""
    drops = Drop.objects.filter(job__charge_point=charge_point).select_related("job")
    failed = ""
    for drop in drops.order_by("-pk")[:LOOK_BACK]:
        if drop.job.arrived or (drop.firmware_id and drop.job.state == DONE):
            return Choice(drop.protocol, f"{drop.get_protocol_display()} worked last time")
        if drop.job.state in (FAILED, SILENT) and not failed:
            failed = drop.protocol
    if not failed:
        return None
    instead = other(failed, ("http", "ftp"))
    return Choice(instead, f"{failed.upper()} failed last time") if instead else None


def _told(charge_point: ChargePoint, offered: tuple[str, ...]) -> Choice | None:
    """What its configuration says (OCPP 1.6, 9.4.1)."""
    key = ConfigurationKey.objects.filter(charge_point=charge_point, name=KEY).first()
    words = [word.strip().lower() for word in (key.value or "").split(",")] if key else []
    known = [word.removesuffix("s") if word == "ftps" else word for word in words]
    fitting = next((name for name in offered if name in known), "")
    return Choice(fitting, f"it reports {key.value}") if key and fitting else None


def _by_make(charge_point: ChargePoint) -> Choice | None:
    profile = quirks_of(charge_point)
    if not profile.file_transfer:
        return None
    return Choice(profile.file_transfer, f"its quirk profile, {profile.title}")
