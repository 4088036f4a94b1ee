"""What in a charger's texts is secret, and what says whose they are: by name, and by its form."""

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits

from levity.ocpp.wire.scanning import DROP, is_hex, runs

__all__ = [
    "COMMON",
    "addresses",
    "byte_pairs",
    "contracts",
    "coordinates",
    "is_secret",
    "is_whole_secret",
    "like",
    "macs_and_mails",
    "may_hold_secret",
    "phones",
    "says_whose",
]

Edit = tuple[int, int, str]

COMMON = frozenset({"", "anonymous", "noauthorization", "null", "none", "unknown"})
"""Words that chargers and Levity use where no tag was presented: facts, not persons."""

# Answers about longer names are not kept: they would fill the memory.
_LONGEST_NAME = 200
# Names of configuration keys and of fields. Grizzl-E Smart Connect (GWM-07.020) shows the
# station's password in GetConfiguration; AuthorizationKey is the standard's own.
_SECRET = (
    "pwd",
    "secret",
    "authorizationkey",
    "token",
    "psk",
    "privatekey",
    "credential",
    "apikey",
)
_NETWORKS = ("wifi", "wlan", "wpa", "wep", "sim")
_PRIVATE = (
    *("serial", "iccid", "imsi", "imei", "msisdn", "ssid", "phone", "mail", "macaddr"),
    *("chargeboxid", "chargepointid", "cbid", "cpid", "stationid", "identity", "evccid"),
    *("contractid", "emaid", "rfid", "user", "driver", "customer", "owner", "licenseplate"),
    *("numberplate", "firstname", "lastname", "fullname", "latitude", "longitude", "cardnumber"),
    *("cardid", "cardno", "geolocation", "coordinate", "contractno", "contractnumber", "iban"),
    *("contractref", "contractaccount", "subscriber", "telefon", "mobilenumber", "mobileno"),
)
_PRIVATE_WHOLE = frozenset(
    {"vin", "uid", "lat", "lon", "lng", "gps", "card", "idtoken", "contract", "tel", "mobile"}
)
_PRIVATE_ENDS = ("idtag", "idtoken", "uid", "tagid")
_CERTIFICATES = ("csr", "certificate", "certificatechain")
# Somewhere in a text that holds a secret one of these stands, or a URL with a login, or an escape
# that may be a letter of one.
_TRACES = ("pass", "pwd", "secret", "token", "psk", "credential", "key", "pin", "\\u")

_HEX_LOWER, _HEX_UPPER = "abcdef", "ABCDEF"
_LISTENING = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104  # nobody's address
_LONGEST_ADDRESS = 45
_IN_IPV4 = frozenset("0123456789.")
_IN_NUMBER = frozenset("0123456789.-+")


def may_hold_secret(text: str) -> bool:
    """False where no secret can be, so that nothing needs to be looked at more closely."""
    if "://" in text and ("@" in text or "?" in text or DROP in text):
        return True
    lower = text.lower()
    return any(word in lower for word in _TRACES)


def is_secret(name: str) -> bool:
    """True if the value of a field or a key of this name is nobody's business."""
    return _is_secret(name) if len(name) > _LONGEST_NAME else _short_is_secret(name)


def _is_secret(name: str) -> bool:
    lower = name.lower()
    plain = _plain(lower)
    if plain == "idtoken":
        return False
    if any(word in plain for word in _SECRET) or plain.endswith("pin") or _has_password(lower):
        return True
    return _is_key_of_network(lower)


_short_is_secret = lru_cache(maxsize=4096)(_is_secret)


def _has_password(lower: str) -> bool:
    """ "pass" in any word but bypass, passed, passive."""
    place = lower.find("pass")
    while place >= 0:
        after = lower[place + 4 : place + 7]
        if (
            not after.startswith("ed")
            and after != "ive"
            and lower[max(place - 2, 0) : place] != "by"
        ):
            return True
        place = lower.find("pass", place + 4)
    return False


def _is_key_of_network(lower: str) -> bool:
    """WiFiKey, wlan_psk_key, SimPin: a network and a key in one word."""
    word = lower.replace("wi-fi", "wifi")
    for start, end in runs(word, _is_letter):
        part = word[start:end]
        last = max(part.rfind("key"), part.rfind("pin"))
        for network in _NETWORKS:
            if 0 <= part.find(network) <= last - len(network):
                return True
    return False


def _is_letter(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def is_whole_secret(name: str) -> bool:
    """True of certificates and of requests for them."""
    return _plain(name[-_LONGEST_NAME:].lower()).endswith(_CERTIFICATES)


def says_whose(name: str) -> bool:
    """True if a value of this name tells a person, a charger or a place."""
    return _says_whose(name[-_LONGEST_NAME:])


@lru_cache(maxsize=4096)
def _says_whose(name: str) -> bool:
    plain = _plain(name.lower())
    if plain in _PRIVATE_WHOLE or plain.endswith(_PRIVATE_ENDS):
        return True
    return any(word in plain for word in _PRIVATE)


def _plain(lower: str) -> str:
    return lower.replace("_", "").replace("-", "").replace(" ", "").replace(".", "")


def like(sign: str, number: int, *, is_hex: bool = False) -> str:
    """Another character of the same kind; what is no letter and no digit stays."""
    if sign in digits:
        alphabet = digits
    elif sign in ascii_lowercase:
        alphabet = _HEX_LOWER if is_hex else ascii_lowercase
    elif sign in ascii_uppercase:
        alphabet = _HEX_UPPER if is_hex else ascii_uppercase
    else:
        return sign
    return alphabet[number % len(alphabet)]


def byte_pairs(value: str) -> list[str]:
    """The bytes of 04A1B2C3, 04:A1:B2:C3 or 04-A1-B2-C3; [] where it is something else."""
    if len(value) > 3 * 64:
        return []
    if len(value) > 2 and value[2] in ":- ":
        pairs = value.split(value[2])
        return pairs if all(len(pair) == 2 and is_hex(pair) for pair in pairs) else []
    if len(value) % 2 or not is_hex(value):
        return []
    return [value[place : place + 2] for place in range(0, len(value), 2)]


def macs_and_mails(value: str, new: Callable[[str], str]) -> list[Edit]:
    """The hardware addresses (00:1a:2b:3c:4d:5e) and mail addresses in this text."""
    found: list[Edit] = []
    if value.count(":") + value.count("-") >= 5:
        for start, end in runs(value, lambda sign: sign.isalnum() or sign in "_:-"):
            if end - start == 17 and _is_mac(value[start:end]):
                found.append((start, end, new(value[start:end])))
    if "@" in value:
        for start, end in runs(value, lambda sign: sign.isalnum() or sign in "@._%+-"):
            if "@" in value[start + 1 : end - 1]:
                found.append((start, end, new(value[start:end])))
        found.sort()
    return _apart(found)


def _is_mac(text: str) -> bool:
    return all(
        is_hex(text[at : at + 2]) and text[at + 2 : at + 3] in ":-" for at in range(0, 17, 3)
    )


def coordinates(value: str, new: Callable[[str], str]) -> list[Edit]:
    """Places on earth in this text, such as 48.137154, 11.576124."""
    found: list[Edit] = []
    if value.count(".") < 2:
        return found
    before: tuple[int, int] | None = None
    for start, end in runs(value, lambda sign: sign in _IN_NUMBER):
        if not _is_coordinate(value[start:end]):
            before = None
            continue
        if before is not None and not value[before[1] : start].strip(",;/ NSEW°"):
            found += [(at, to, new(value[at:to])) for at, to in (before, (start, end))]
            before = None
        else:
            before = start, end
    return found


def _is_coordinate(text: str) -> bool:
    whole, _, decimals = text.lstrip("+-").partition(".")
    return len(whole) <= 3 and 4 <= len(decimals) <= 16 and (whole + decimals).isdigit()


def contracts(value: str, new: Callable[[str], str]) -> list[Edit]:
    """The ids of charging contracts in this text: DE-ABC-C12345678-9 and DEABCC123456789 (eMAID,
    ISO 15118-2, annex H.1), DE*ABC*123456*7 (DIN 91286)."""
    if len(value) < _SHORTEST_CONTRACT:
        return []
    return [
        (start, end, new(value[start:end]))
        for start, end in runs(value, lambda sign: sign.isalnum() or sign in "-*")
        if _SHORTEST_CONTRACT <= end - start <= _LONGEST_CONTRACT and _is_contract(value[start:end])
    ]


def _is_contract(text: str) -> bool:
    parts = text.replace("*", "-").split("-")
    plain = "".join(parts)
    if not plain.isalnum() or not plain.isascii() or not plain[:2].isalpha():
        return False
    if [len(part) for part in parts] == [2, 3, 6, 1]:
        return True
    known = len(plain) in (_SHORTEST_CONTRACT, _SHORTEST_CONTRACT + 1) and plain[5] in "Cc"
    return known and sum(sign.isdigit() for sign in plain[6:]) >= _DIGITS_OF_CONTRACT


_SHORTEST_CONTRACT, _LONGEST_CONTRACT = 14, 18
"""Without separators and a check digit, and with both."""
_DIGITS_OF_CONTRACT = 4


def phones(value: str, new: Callable[[str], str]) -> list[Edit]:
    """The telephone numbers in this text: +49 171 1234567, 0049-171-1234567, 0171/1234567."""
    found: list[Edit] = []
    if sum(map(value.count, digits)) < _DIGITS_OF_PHONE[0]:
        return found
    for place, behind in runs(value, lambda sign: sign in _IN_PHONE):
        text = value[place:behind].strip("-/ ").removesuffix("(").rstrip("-/ ")
        start = value.index(text, place)
        end = start + len(text)
        around = value[max(start - 1, 0) : start] + value[end : end + 1]
        # A time, with its colon, and a part of a word are none.
        if not any(sign.isalnum() or sign == ":" for sign in around) and _is_phone(text):
            found.append((start, end, new(text)))
    return found


_IN_PHONE = frozenset("0123456789+-/() ")
_DIGITS_OF_PHONE = 9, 15


def _is_phone(text: str) -> bool:
    bare = "".join(sign for sign in text if sign.isdigit())
    least, most = _DIGITS_OF_PHONE
    if not least <= len(bare) <= most or "+" in text[1:]:
        return False
    # Without a country, what is written in one piece is as likely a serial number or a register.
    return text[:1] == "+" or (bare[0] == "0" and bare != text)


def addresses(value: str, new: Callable[[str, int], str]) -> list[Edit]:
    """The IP addresses in this text, but those on which one only listens."""
    found: list[Edit] = []
    if value.count(".") >= 3:
        for start, end in runs(value, lambda sign: sign in _IN_IPV4):
            _note_address(found, value, start, end, new)
    if value.count(":") >= 2:
        for start, end in runs(value, lambda sign: sign.isalnum() or sign in "_:"):
            _note_address(found, value, start, end, new)
        found.sort()
    return _apart(found)


def _note_address(
    found: list[Edit], value: str, start: int, end: int, new: Callable[[str, int], str]
) -> None:
    if end - start > _LONGEST_ADDRESS:
        return
    text = value[start:end]
    try:
        version = ipaddress.ip_address(text).version
    except ValueError:
        return
    if text not in _LISTENING:
        found.append((start, end, new(text, version)))


def _apart(edits: list[Edit]) -> list[Edit]:
    """Those of the edits that do not begin within the one before."""
    apart: list[Edit] = []
    for edit in edits:
        if not apart or edit[0] >= apart[-1][1]:
            apart.append(edit)
    return apart
