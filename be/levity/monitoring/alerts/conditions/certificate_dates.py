"""Certificates that expire: the installation's own, and those of chargers."""

import glob
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.db.models import Exists, Max, OuterRef, Q

from levity.monitoring.conf import setting
from levity.monitoring.kinds import Severity
from levity.ocpp.models import (
    ChargePointCertificate,
    SecurityProfile,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
from levity.monitoring.alerts.conditions.finding import AT_MOST, Finding, called, plain

__all__ = ["certificates", "charge_point_certificates"]

CONNECT_SECONDS = 5.0


def certificates(names: Iterable[str], now: datetime) -> tuple[list[Finding], dict[str, float]]:
    """P-10: certificates that expire soon; and when each does (POSIX seconds), for the metrics.

    A name is a PEM file (`*` stands for several), or `host:port`, which is asked as a client would:
    the served certificate counts, not a file on disk.
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
    # Path.glob needs pattern and root separately.
    paths = sorted(glob.glob(name)) or [name]  # noqa: PTH207
    return [(path, lambda path=path: _in_file(path)) for path in paths]  # type: ignore[misc]


def _in_file(path: str) -> "list[Certificate]":
    # Megabytes of code that an installation without certificates of its own never needs.
    from cryptography.x509 import load_pem_x509_certificates

    return load_pem_x509_certificates(Path(path).read_bytes())


def _served(name: str) -> "list[Certificate]":
    """The certificates for a modern client, and for clients that know only one kind of key."""
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
    # Only its dates are read: expired and self-signed ones must be found, too.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if kind:
        # A cipher suite of TLS 1.3 does not determine the kind of key.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(kind)
    with (
        socket.create_connection((host, int(port)), CONNECT_SECONDS) as plain_socket,
        context.wrap_socket(plain_socket, server_hostname=host) as tls,
    ):
        return load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")


def charge_point_certificates(now: datetime) -> list[Finding]:
    """Chargers that can soon no longer connect (profile 3), and those that refused their new
    certificate. Only certificates of our own authority are known here.
    """
    state = ChargePointCertificate.State
    warning, critical = setting("OPERATION_CERTIFICATE_DAYS")
    about = ("charge_point", "charge_point__site", "charge_point__identity", "charge_point__name")
    installed = ChargePointCertificate.objects.filter(
        charge_point=OuterRef("charge_point"), state=state.INSTALLED
    )
    ending = (
        ChargePointCertificate.objects.filter(
            # A certificate that was sent and never confirmed counts if there is no better one: the
            # charger may use it, and only its answer was lost.
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
