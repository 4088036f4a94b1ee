"""What is wrong right now, and what has happened: each check is a bounded number of queries.

A check returns findings, one for each thing that is wrong; the same thing has the same key
each time. It neither writes nor tells anybody: `raise_and_end.py` compares with what is known.
"""

import glob
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, Sum

from levity.installation import data_dir
from levity.monitoring.alerts.growth import growth
from levity.monitoring.conf import setting
from levity.monitoring.kinds import CRITICAL_EVENTS, Severity
from levity.ocpp.chargers.faults import FAULT
from levity.ocpp.commands.refusals import MATTERS, OF_NO_MATTER, hint
from levity.ocpp.models import (
    ChargePoint,
    ChargePointCertificate,
    Command,
    Connector,
    FailedMessage,
    MissedChange,
    QuarantinedMessage,
    SecurityEvent,
    SecurityProfile,
    Transaction,
)
from levity.ocpp.rules.intervals import learned_interval
from levity.ocpp.versions import DONE
from levity_ws.logs import visible

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

__all__ = [
    "LAST_TRANSACTION_ID",
    "NOTICED_HERE",
    "Finding",
    "called",
    "certificates",
    "charge_point_certificates",
    "charger_faults",
    "chargers_offline",
    "dead_letters",
    "disks",
    "failed_commands",
    "failed_logins",
    "failed_messages",
    "lines_closed",
    "missed_changes",
    "plain",
    "quarantine",
    "refused_commands",
    "security_events",
    "transaction_ids",
    "transaction_ids_used",
]

LAST_TRANSACTION_ID = 2**31 - 1
# More of one kind than anybody reads one by one; the rest is found when some of these are over.
AT_MOST = 5000
# How far back what has happened is looked for: longer than any restart takes.
LOOK_BACK = timedelta(hours=1)
NEWEST = 5000
# What this backend notices itself, beside what chargers report.
NOTICED_HERE = frozenset({"AuthenticationFailed", "AuthenticationLocked", "ForeignTransaction"})
CONNECT_SECONDS = 5.0
UNSUCCESSFUL = (
    Command.State.REFUSED,
    Command.State.TIMED_OUT,
    Command.State.EXPIRED,
    Command.State.FAILED,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `subject` tells it from others of its kind, now and next time."""

    kind: str
    subject: str
    summary: str
    detail: str = ""
    severity: str = ""
    charge_point: int | None = None
    site: int | None = None
    at: datetime | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """What makes it the same alert."""
        return f"{self.kind}:{self.subject}"[:200]


def plain(text: object, length: int = 200) -> str:
    """What a charger said, on one line, without signs that steer a terminal or a mail."""
    shown = visible(str(text))
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def charger_faults() -> list[Finding]:
    """Connectors that are Faulted, or report an error that keeps them from being Available."""
    rows = (
        Connector.objects.filter(FAULT, charge_point__retired_at__isnull=True)
        .order_by("pk")
        .values_list(
            "pk",
            "number",
            "status",
            "error_code",
            "vendor_error_code",
            "info",
            "status_since",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )[:AT_MOST]
    )
    findings = []
    for pk, number, status, error, vendor_error, info, since, charger, site, *names in rows:
        said = error if error not in ("", "NoError") else status
        where = f"connector {number} of {called(*names)}" if number else called(*names)
        more = [plain(part) for part in (vendor_error, info) if part]
        findings.append(
            Finding(
                "charger-fault",
                str(pk),
                f"{where} reports {plain(said, 64)}",
                "; ".join(more),
                charge_point=charger,
                site=site,
                at=since,
            )
        )
    return findings


def chargers_offline(now: datetime) -> list[Finding]:
    """Chargers that have been here and are gone, or silent, for longer than
    OPERATION_OFFLINE_MINUTES."""
    minutes = setting("OPERATION_OFFLINE_MINUTES")
    gone = now - timedelta(minutes=minutes)
    closed = Q(disconnected_at__isnull=True) | Q(disconnected_at__lt=gone)
    rows = (
        ChargePoint.objects.filter(
            (Q(connection__isnull=True) & closed)
            | Q(connection__isnull=False, silent_since__isnull=False),
            last_seen_at__lt=gone,
            retired_at__isnull=True,
        )
        .order_by("pk")
        .values_list(
            "pk", "site", "identity", "name", "last_seen_at", "disconnected_at", "connection"
        )[:AT_MOST]
    )
    return [
        Finding(
            "charger-offline",
            str(pk),
            f"{called(identity, name)} is {'silent' if connection else 'offline'}"
            f" for more than {minutes} minutes",
            "Its connection is open: send a command to see whether it responds."
            if connection
            else "",
            charge_point=pk,
            site=site,
            at=seen if connection else disconnected or seen,
        )
        for pk, site, identity, name, seen, disconnected, connection in rows
    ]


def lines_closed(now: datetime) -> list[Finding]:
    """Chargers of which was learned just now that their line ends in silence."""
    rows = (
        ChargePoint.objects.filter(learned_at__gte=now - LOOK_BACK)
        .order_by("pk")
        .values_list(
            "pk",
            "site",
            "identity",
            "name",
            "learned_silence",
            "learned_evidence",
            "learned_at",
            "heartbeat_interval",
        )[:AT_MOST]
    )
    return [
        Finding(
            "line-closed",
            f"{pk}:{silence}",
            f"the connection of {called(identity, name)} keeps closing after {silence} s of "
            "silence; "
            + (
                f"its own heartbeat interval is {own} s"
                if own
                else f"it was given a heartbeat interval of {learned_interval(silence or 0)} s"
            ),
            plain(evidence, 255),
            charge_point=pk,
            site=site,
            at=at,
        )
        for pk, site, identity, name, silence, evidence, at, own in rows
    ]


def quarantine() -> list[Finding]:
    """Messages that wait for a person's decision, by site."""
    rows = (
        QuarantinedMessage.objects.filter(resolved_at__isnull=True)
        .order_by()
        .values_list("charge_point__site")
        .annotate(Count("pk"))
    )
    return [
        Finding(
            "quarantine",
            str(site or ""),
            f"{count} message{'s wait' if count > 1 else ' waits'} in quarantine",
            site=site,
        )
        for site, count in rows
    ]


def failed_messages() -> list[Finding]:
    """Frames at which our own code failed."""
    rows = FailedMessage.objects.filter(replayed_at__isnull=True).order_by()
    if not (count := rows[:AT_MOST].count()):
        return []
    plural = "s" if count > 1 else ""
    return [Finding("failed-message", "", f"{count} message{plural} failed and can be replayed")]


def missed_changes() -> list[Finding]:
    """Changes of sessions at which a receiver of an extension failed."""
    rows = MissedChange.objects.order_by().values_list("receiver").annotate(Count("pk"))
    return [
        Finding(
            "failed-message",
            f"receiver {name}",
            f"{name} has missed {count} change{'s' if count > 1 else ''} of sessions",
        )
        for name, count in rows
    ]


def dead_letters(reports: Iterable[dict[str, Any]]) -> list[Finding]:
    """Batches in the broker's dead-letter queue, as the workers say."""
    dead = max((int(report.get("dead_letters") or 0) for report in reports), default=0)
    if not dead:
        return []
    return [
        Finding("dead-letter", "", f"{dead} batches are in the dead-letter queue levity.rpc.dead")
    ]


def transaction_ids_used() -> int:
    """The last transaction id that was given, or reserved."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [Transaction._meta.db_table])
            (sequence,) = cursor.fetchone()
            # The name is the server's own, quoted where it must be.
            cursor.execute(f"SELECT last_value FROM {sequence}")  # noqa: S608
            return int(cursor.fetchone()[0])
    with connection.cursor() as cursor:
        table = Transaction._meta.db_table
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def transaction_ids() -> list[Finding]:
    """T-20: the sequence nears the end of OCPP 1.6's integer."""
    used = transaction_ids_used()
    percent = 100 * used / LAST_TRANSACTION_ID
    if percent < setting("OPERATION_TRANSACTION_ID_PERCENT"):
        return []
    left = LAST_TRANSACTION_ID - used
    return [
        Finding(
            "transaction-ids", "", f"{percent:.0f} % of the transaction ids are used; {left:,} left"
        )
    ]


def disks(
    usage: Callable[[str], Any] = shutil.disk_usage,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[list[Finding], dict[str, float]]:
    """Disks that are nearly full; and the free part of each, for the metrics."""
    warning, critical = setting("OPERATION_DISK_PERCENT")
    few_days = setting("OPERATION_DISK_DAYS")
    findings, free = [], {}
    for path in dict.fromkeys(("/", str(data_dir()))):
        if path != "/" and _same_disk(path, "/"):
            continue
        try:
            total, _, available = usage(path)
        except OSError:
            continue
        free[path] = available / total if total else 1.0
        used = 100 * (1 - free[path])
        days = growth.days_left(path, clock(), available)
        gigabytes = available / 1e9
        if used < warning and days is not None and days < few_days:
            findings.append(
                Finding(
                    "disk",
                    path,
                    f"the disk at {path} will be full in {_days(days)} at the current rate, "
                    f"{gigabytes:.1f} GB are left",
                    severity=Severity.CRITICAL if days < 1 else Severity.WARNING,
                )
            )
        if used >= warning:
            findings.append(
                Finding(
                    "disk",
                    path,
                    f"the disk at {path} is {used:.0f} % full, {gigabytes:.1f} GB are left",
                    severity=Severity.CRITICAL if used >= critical else Severity.WARNING,
                )
            )
    return findings, free


def _days(days: float) -> str:
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"


def _same_disk(one: str, other: str) -> bool:
    try:
        return Path(one).stat().st_dev == Path(other).stat().st_dev
    except OSError:
        return True


def certificates(names: Iterable[str], now: datetime) -> tuple[list[Finding], dict[str, float]]:
    """P-10: certificates that expire soon; and when each does (POSIX seconds), for the metrics.

    A name is a PEM file (`*` stands for several), or `host:port`, which is asked as a client
    would: what is served counts, not what lies on a disk.
    """
    warning, critical = setting("OPERATION_CERTIFICATE_DAYS")
    findings, expiries = [], {}
    for name in names:
        for subject, read in _readers(name):
            try:
                expires = min(item.not_valid_after_utc for item in read())
            except (OSError, ValueError) as error:
                why = f"the certificate of {subject} can't be read"
                findings.append(Finding("certificate", subject, why, plain(error)))
                continue
            expiries[subject] = expires.timestamp()
            days = (expires - now) / timedelta(days=1)
            if days < warning:
                when = f"{expires:%Y-%m-%d %H:%M} UTC"
                verb = "expires" if days > 0 else "has expired"
                findings.append(
                    Finding(
                        "certificate",
                        subject,
                        f"the certificate of {subject} {verb}: {when}",
                        severity=Severity.CRITICAL if days < critical else Severity.WARNING,
                    )
                )
    return findings, expiries


def _readers(name: str) -> list[tuple[str, Callable[[], "list[Certificate]"]]]:
    if "/" not in name and ":" in name:
        return [(name, lambda: _served(name))]
    # A Path wants pattern and root apart.
    paths = sorted(glob.glob(name)) or [name]  # noqa: PTH207
    return [(path, lambda path=path: _in_file(path)) for path in paths]  # type: ignore[misc]


def _in_file(path: str) -> "list[Certificate]":
    # Megabytes of code that a site without certificates of its own never needs.
    from cryptography.x509 import load_pem_x509_certificates

    return load_pem_x509_certificates(Path(path).read_bytes())


def _served(name: str) -> "list[Certificate]":
    """What a client of today gets, and what those get who know one kind of key alone."""
    found = [_shown_to(name, "")]
    for kind in ("aRSA", "aECDSA"):
        # Most servers have one kind only.
        with suppress(OSError):
            found.append(_shown_to(name, kind))
    return found


def _shown_to(name: str, kind: str) -> "Certificate":
    from cryptography.x509 import load_der_x509_certificate

    host, _, port = name.rpartition(":")
    host = host.strip("[]")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Only its dates are read: an expired or self-signed one is just what is looked for.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if kind:
        # A cipher suite of TLS 1.3 says nothing of the key.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(kind)
    with (
        socket.create_connection((host, int(port)), CONNECT_SECONDS) as plain_socket,
        context.wrap_socket(plain_socket, server_hostname=host) as tls,
    ):
        return load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")


def charge_point_certificates(now: datetime) -> list[Finding]:
    """Chargers that soon get in no more (profile 3), and those that refused their new certificate.

    Only certificates of our own authority: what others sign is not known here.
    """
    state = ChargePointCertificate.State
    warning, critical = setting("OPERATION_CERTIFICATE_DAYS")
    about = ("charge_point", "charge_point__site", "charge_point__identity", "charge_point__name")
    installed = ChargePointCertificate.objects.filter(
        charge_point=OuterRef("charge_point"), state=state.INSTALLED
    )
    ending = (
        ChargePointCertificate.objects.filter(
            # One that was sent and never confirmed counts where nothing better is known: the
            # charger may live by it, and only its answer was lost.
            Q(state=state.INSTALLED) | (Q(state=state.ISSUED) & ~Exists(installed)),
            charge_point__security_profile=SecurityProfile.CERTIFICATE,
            charge_point__retired_at__isnull=True,
        )
        .order_by()
        .values_list(*about)
        .annotate(last=Max("not_after"))
        .filter(last__lt=now + timedelta(days=warning))[:AT_MOST]
    )
    findings = []
    for charger, site, identity, name, last in ending:
        verb = "expires" if last > now else "has expired"
        said = f"{verb}: {last:%Y-%m-%d %H:%M} UTC"
        summary = f"the certificate of {called(identity, name)} {said}"
        is_critical = last < now + timedelta(days=critical)
        severity = Severity.CRITICAL if is_critical else Severity.WARNING
        subject = f"charge point {charger}"
        findings.append(
            Finding(
                "certificate",
                subject,
                summary,
                severity=severity,
                charge_point=charger,
                site=site,
            )
        )
    later = ChargePointCertificate.objects.filter(
        charge_point=OuterRef("charge_point"), pk__gt=OuterRef("pk")
    )
    refused = ChargePointCertificate.objects.filter(
        ~Exists(later), state=state.REFUSED, charge_point__isnull=False
    )
    for pk, detail, charger, site, *names in refused.values_list("pk", "detail", *about)[:AT_MOST]:
        findings.append(
            Finding(
                "certificate",
                f"refused {pk}",
                f"{called(*names)} refused its new certificate",
                plain(detail),
                charge_point=charger,
                site=site,
            )
        )
    return findings


# --- what has happened ------------------------------------------------------------------------


def failed_commands(now: datetime) -> list[Finding]:
    """Commands that came to nothing: one finding an hour for each charger and action."""
    newest = Command.objects.order_by("-pk").values_list("pk", flat=True)[NEWEST : NEWEST + 1]
    rows = (
        Command.objects.filter(
            pk__gt=newest.first() or 0,
            state__in=UNSUCCESSFUL,
            finished_at__gte=now - LOOK_BACK,
        )
        .order_by("pk")
        .values_list(
            "pk",
            "action",
            "state",
            "error_code",
            "error_description",
            "finished_at",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )
    )
    findings: dict[str, Finding] = {}
    for pk, action, state, code, description, at, charger, site, *names in rows:
        subject = f"{charger}:{action}:{_hour(at or now)}"
        said = Command.State(state).label
        findings.setdefault(
            subject,
            Finding(
                "command-failed",
                subject,
                f"{action} to {called(*names)}: {said}",
                plain(f"command {pk} {code} {description}".strip()),
                charge_point=charger,
                site=site,
                at=at,
            ),
        )
    return list(findings.values())


def refused_commands(now: datetime) -> list[Finding]:
    """Answers that are a no, to commands that matter: one finding an hour for each charger and
    action."""
    newest = Command.objects.order_by("-pk").values_list("pk", flat=True)[NEWEST : NEWEST + 1]
    rows = (
        Command.objects.filter(
            pk__gt=newest.first() or 0,
            state=Command.State.ANSWERED,
            action__in=MATTERS,
            finished_at__gte=now - LOOK_BACK,
        )
        .exclude(source__in=OF_NO_MATTER)
        .exclude(result_status__in=DONE)
        .order_by("pk")
        .values_list(
            "pk",
            "action",
            "payload",
            "result_status",
            "finished_at",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )[:AT_MOST]
    )
    findings: dict[str, Finding] = {}
    for pk, action, payload, status, at, charger, site, *names in rows:
        subject = f"{charger}:{action}:{_hour(at or now)}"
        if subject in findings:
            continue
        why = hint(charger, action, payload, status)
        findings[subject] = Finding(
            "command-refused",
            subject,
            f"{called(*names)} answered {action} with {plain(status, 64)}",
            plain(f"command {pk}. {why}".strip(), 500),
            charge_point=charger,
            site=site,
            at=at,
        )
    return list(findings.values())


def security_events(now: datetime) -> list[Finding]:
    """S-12: the seven critical events of the whitepaper, and what is noticed here itself."""
    newest = SecurityEvent.objects.order_by("-pk").values_list("pk", flat=True)
    rows = (
        SecurityEvent.objects.filter(
            pk__gt=newest[NEWEST : NEWEST + 1].first() or 0,
            type__in=[*CRITICAL_EVENTS, *NOTICED_HERE],
            received_at__gte=now - LOOK_BACK,
        )
        .order_by("pk")
        .values_list(
            "type",
            "detail",
            "received_at",
            "charge_point",
            "charge_point__site",
            "charge_point__identity",
            "charge_point__name",
        )
    )
    findings: dict[str, Finding] = {}
    for kind, detail, at, charger, site, *names in rows:
        subject = f"{charger or ''}:{kind}:{_hour(at)}"
        findings.setdefault(
            subject,
            Finding(
                "security-event",
                subject,
                f"{called(*names)}: {kind}",
                plain(detail),
                severity=CRITICAL_EVENTS.get(kind, Severity.WARNING),
                charge_point=charger,
                site=site,
                at=at,
            ),
        )
    return list(findings.values())


def failed_logins(now: datetime) -> list[Finding]:
    """Wrong passwords on the web pages, of all users together, as django-axes counts them."""
    if not apps.is_installed("axes"):
        return []
    attempts = apps.get_model("axes", "AccessAttempt").objects
    recent = attempts.filter(attempt_time__gte=now - timedelta(minutes=10))
    count = recent.aggregate(total=Sum("failures_since_start"))["total"] or 0
    if count < setting("OPERATION_FAILED_LOGINS"):
        return []
    return [Finding("failed-logins", _hour(now), f"{count} failed logins within ten minutes")]


def _hour(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H}"


def called(identity: str | None, name: str | None) -> str:
    """What people call this charger, on one line."""
    if not identity:
        return "an unknown charger"
    return plain(f"{name} ({identity})" if name and name != identity else identity, 120)
