"""`python -m tests.browser.month PRIVATE_KEY`: a co-op's last month, played frame by frame into the
database of the installation that it is started for.

Twenty chargers; the cards of thirty homes, and one that nobody knows; a charger whose stop is lost;
and one that signs what its meter says. All of it by the messages that chargers send, at the times
of that month.
"""

import base64
import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import django
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

__all__ = [
    "CHARGERS",
    "HOMES",
    "LOST",
    "MOVES",
    "SIGNED",
    "WITHOUT_MAIL",
    "ZONE",
    "month",
    "residents",
]

CHARGERS, HOMES = 20, 30
ZONE = ZoneInfo("Europe/Berlin")
LOST, SIGNED = "garage-07", "garage-12"
"""The one whose stop is lost, and the one that signs."""
WITHOUT_MAIL, MOVES = 17, 30
"""The home without an address, and the one that is left in the middle of the month: it has a
charger and no card."""


def month(today: date) -> tuple[date, date]:
    """The first and the last day of the month before this day's."""
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def card(home: int) -> str:
    """Of this home."""
    return f"04A1B2C3{home:02d}"


def charger_of(home: int) -> str:
    """Where this home charges."""
    return f"garage-{(home - 1) % CHARGERS + 1:02d}"


def residents(first: date) -> bytes:
    """The residents as Excel saves them: Windows-1252, semicolons, German columns and days."""
    lines = ["Haushalt;Wohnung;E-Mail;Sprache;Karten;Ladepunkt;Einzug"]
    for home in range(1, HOMES + 1):
        mail = "" if home == WITHOUT_MAIL else f"home{home}@example.org"
        place = f";{charger_of(home)}" if home == MOVES else f"{card(home)};"
        since = f"{first:%d.%m.%Y}"
        lines.append(f"Müller {home:02d};Wohnung {home};{mail};de;{place};{since}")
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def main(key: str) -> None:
    """Play it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    django.setup()
    from levity.ocpp.models import ChargePoint, Site
    from levity.ocpp.testing import NOW, CentralSystem, Charger

    site = Site.objects.create(name="Müllerstraße 5", time_zone=ZONE.key, authorization="anonymous")
    first, _last = month(datetime.now(ZONE).date())
    system = CentralSystem()
    begun = datetime(first.year, first.month, first.day, 6, tzinfo=ZONE)
    chargers: dict[str, Any] = {}
    registers: dict[str, int] = {}
    for number in range(1, CHARGERS + 1):
        charger = Charger(f"garage-{number:02d}")
        charger.now = (begun - NOW).total_seconds()
        system.connect(charger)
        system.take(charger.boots(), charger.shows("Available"))
        chargers[charger.identity] = charger
        registers[charger.identity] = number * 100_000
    ChargePoint.objects.update(site=site, max_power=11_000)

    def charge(identity: str, tag: str, day: int, wh: int, *, is_lost: bool = False) -> None:
        charger, at = chargers[identity], begun + timedelta(days=day - 1, hours=12)
        meter = registers[identity]

        def now(minutes: int) -> str:
            moment = at + timedelta(minutes=minutes)
            charger.now = (moment - NOW).total_seconds()
            return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

        when = now(0)
        system.take(charger.shows("Preparing"))
        session = system.start(charger, idTag=tag, meterStart=meter, timestamp=when)
        system.take(charger.shows("Charging"))
        for part in (1, 2, 3):
            when = now(30 * part)
            system.take(charger.measures(session, meter + wh * part // 4, when))
        registers[identity] = meter + wh
        if is_lost:
            # The power of the garage fails; nothing is heard of the end.
            now(100)
            system.take(charger.leaves())
            now(60 * 24)
            chargers[identity] = charger = charger.again()
            system.connect(charger)
            system.take(charger.boots(), charger.shows("Available"))
            return
        when = now(120)
        stop = {"transactionId": session, "meterStop": meter + wh, "timestamp": when, "idTag": tag}
        if identity == SIGNED:
            stop["transactionData"] = signed(key, at, meter, wh)
        system.take(charger.calls("StopTransaction", stop))
        system.take(charger.shows("Available"))

    plan: list[tuple[int, str, str, int]] = []
    for home in range(1, HOMES + 1):
        for turn in range(2):
            day = 2 + (home * 3 + turn * 13) % 26
            tag = "" if home == MOVES else card(home)
            plan.append((day, charger_of(home), tag, 6_000 + 137 * home))
    plan.append((9, "garage-03", "UNKNOWN-CARD", 4_000))
    plan.append((27, LOST, card(7), 9_000))
    for day, identity, tag, wh in sorted(plan):
        charge(identity, tag, day, wh, is_lost=(day, identity) == (27, LOST))


def signed(key: str, at: datetime, meter: int, wh: int) -> list[dict[str, Any]]:
    """OCMF of both ends, as its meter signs them."""
    private = load_der_private_key(base64.b64decode(key), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    found = []
    for kind, register, minutes, context in (
        ("B", meter, 0, "Transaction.Begin"),
        ("E", meter + wh, 120, "Transaction.End"),
    ):
        moment = (at + timedelta(minutes=minutes)).astimezone(UTC)
        reading = {
            "TM": moment.strftime("%Y-%m-%dT%H:%M:%S,000+0000 S"),
            "TX": kind,
            "RV": f"{register / 1000:.4f}",
            "RI": "01-00:98.08.00.FF",
            "RU": "kWh",
            "ST": "G",
        }
        payload = json.dumps({"FV": "1.0", "MS": "1EMH0001", "PG": f"T{register}", "RD": [reading]})
        signature = private.sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex()
        text = f"OCMF|{payload}|{json.dumps({'SD': signature})}"
        value = {"value": text, "format": "SignedData", "context": context}
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        found.append({"timestamp": stamp, "sampledValue": [value]})
    return found


if __name__ == "__main__":
    main(sys.argv[1])
