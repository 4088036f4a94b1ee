"""Frames without secrets, and without what says whose they are.

Works on the text of a frame and changes nothing but the values concerned, so that broken JSON
stays as broken as it was. Half a frame is masked as far as it goes.
"""

import hmac
import ipaddress
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase, digits

__all__ = ["MASK", "Anonymiser", "without_secrets"]

MASK = "***"
# Names of configuration keys and of fields. Grizzl-E Smart Connect (GWM-07.020) shows the
# station's password in GetConfiguration; AuthorizationKey is the standard's own.
_SECRET = re.compile(
    r"(?<!by)pass(?!ed|ive)|pwd|secret|authorization_?key|token|psk|private_?key"
    r"|credential|api_?key|(wi-?fi|wlan|wpa|wep|sim)\w*(key|pin)|pin$",
    re.IGNORECASE,
)
_PRIVATE = re.compile(
    r"serial|iccid|imsi|imei|msisdn|ssid|bssid|phone|mail|mac_?addr|(charge_?(box|point)|cb|cp|station)_?id"
    r"|identity|idtag$|^vin$|evcc_?id|contract_?id",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"csr$|certificate$|certificatechain$", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/\s@\"]+@")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+')
_COLON = re.compile(r"\s*:")
# Words that chargers and Levity use where no tag was presented: facts, not persons.
_COMMON = frozenset({"", "anonymous", "noauthorization", "null", "none", "unknown"})
# What is shorter occurs by chance in other words.
_SHORTEST = 6
_HEX_LOWER, _HEX_UPPER = "abcdef", "ABCDEF"
_LISTENING = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104  # nobody's address

Rewrite = Callable[[str, str], str]
"""(name of the field, its value) -> its value from now on."""


def without_secrets(text: str) -> str:
    """The frame with passwords, keys and logins in URLs masked."""
    return _rewritten(text, lambda name, value: _LOGIN.sub(f"://{MASK}@", value))


@dataclass(slots=True)
class Anonymiser:
    """Replaces identities, serial numbers, id tags, SIM cards and addresses by pseudonyms.

    The same always becomes the same, case ignored, in the same length and kind of characters.
    What begins alike becomes something that begins alike: a tag with two bytes more (Ocular)
    and a message id made of the serial number stay recognisable as that. Nobody can go back:
    the key is thrown away with the object.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    _known: dict[str, str] = field(default_factory=dict)
    _pattern: re.Pattern[str] | None = None
    _addresses: dict[str, str] = field(default_factory=dict)

    def learn(self, values: Iterable[str]) -> None:
        """These values are private wherever they occur."""
        new = {
            value.lower(): self.pseudonym(value)
            for value in values
            if len(value) >= _SHORTEST and value.lower() not in _COMMON
        }
        if new.keys() - self._known.keys():
            self._known |= new
            longest_first = sorted(self._known, key=lambda value: (-len(value), value))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def frame(self, text: str) -> str:
        """The frame without secrets and without names."""
        return _rewritten(text, self._value)

    def words(self, text: str) -> str:
        """A text that is no frame: a reason, a user agent, an identity in a URL."""
        return self._within("", text)

    def pseudonym(self, value: str) -> str:
        """What stands for this value."""
        if value.lower() in _COMMON:
            return value
        is_hex = bool(re.fullmatch(r"[0-9A-Fa-f]+", value))
        return "".join(self._character(value, place, is_hex) for place in range(len(value)))

    def _character(self, value: str, place: int, is_hex: bool) -> str:
        character = value[place]
        if character in digits:
            alphabet = digits
        elif character in ascii_lowercase:
            alphabet = _HEX_LOWER if is_hex else ascii_lowercase
        elif character in ascii_uppercase:
            alphabet = _HEX_UPPER if is_hex else ascii_uppercase
        else:
            return character
        until = value[: place + 1].lower().encode("utf-8", "surrogatepass")
        return alphabet[int.from_bytes(hmac.digest(self.key, until, "sha256")[:8]) % len(alphabet)]

    def _value(self, name: str, value: str) -> str:
        if _WHOLE.search(name):
            return MASK
        if _PRIVATE.search(name):
            self.learn([value])
            return self.pseudonym(value)
        return self._within(name, _LOGIN.sub(f"://{MASK}@", value))

    def _within(self, name: str, value: str) -> str:
        if self._pattern is not None:
            value = self._pattern.sub(lambda match: self._known[match[0].lower()], value)
        value = _MAC.sub(lambda match: self.pseudonym(match[0]), value)
        if "version" in name.lower():  # 1.4.0.116 is a firmware
            return value
        value = _IPV4.sub(self._address, value)
        return _IPV6.sub(self._address, value)

    def _address(self, match: re.Match[str]) -> str:
        found = match[0]
        try:
            version = ipaddress.ip_address(found).version
        except ValueError:
            return found
        if found in _LISTENING:
            return found
        if found not in self._addresses:
            count = len(self._addresses) + 1
            # RFC 5737 and RFC 3849: addresses for documentation.
            nets = ("192.0.2", "198.51.100", "203.0.113")
            self._addresses[found] = (
                f"2001:db8::{count:x}"
                if version == 6
                else f"{nets[count // 254 % 3]}.{count % 254 + 1}"
            )
        return self._addresses[found]


@dataclass(slots=True)
class _Level:
    """An object or an array that is being read."""

    name: str = ""
    """Of the field whose value comes."""
    fields: dict[str, tuple[re.Match[str], str]] = field(default_factory=dict)


def _rewritten(text: str, rewrite: Rewrite) -> str:
    """The text with every string and number value as `rewrite` says, secrets masked before."""
    edits: dict[tuple[int, int], str] = {}
    levels = [_Level()]
    for token in _TOKEN.finditer(text):
        sign, level = token[0], levels[-1]
        if sign in ("{", "["):
            levels.append(_Level("" if sign == "{" else level.name))
        elif sign in ("}", "]"):
            _name_value(level, edits, rewrite)
            levels = levels[:-1] or [_Level()]
        elif sign not in (",", ":"):
            value = _decoded(sign)
            if value is None:
                continue
            if _COLON.match(text, token.end()):
                level.name = value
                continue
            level.fields[level.name] = token, value
            new = _new_value(level.name, value, rewrite)
            if new != value:
                edits[token.span()] = _encoded(new, sign)
    for level in levels:
        _name_value(level, edits, rewrite)
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _new_value(name: str, value: str, rewrite: Rewrite) -> str:
    if name.lower() != "idtoken" and _SECRET.search(name) and value:
        return MASK
    if value[:1] in ("{", "[") and '"' in value:
        # DataTransfer.data, often JSON in a string.
        return _rewritten(value, rewrite)
    return rewrite(name, value)


def _name_value(level: _Level, edits: dict[tuple[int, int], str], rewrite: Rewrite) -> None:
    """ChangeConfiguration and GetConfiguration: {"key": "AuthorizationKey", "value": ...}."""
    if "key" in level.fields and "value" in level.fields:
        token, value = level.fields["value"]
        new = _new_value(level.fields["key"][1], value, rewrite)
        if new != value:
            edits[token.span()] = _encoded(new, token[0])


def _decoded(sign: str) -> str | None:
    """The string or the digits of a token; None for true, false, null."""
    if not sign.startswith('"'):
        return sign if sign[-1:].isdigit() else None
    closed = sign if len(sign) > 1 and sign.endswith('"') else f'{sign}"'
    try:
        value: str = json.loads(closed, strict=False)
    except ValueError:
        return sign.strip('"')
    return value


def _encoded(value: str, sign: str) -> str:
    if not sign.startswith('"') and value.lstrip("-").isdigit() and value[:1] != "0":
        return value
    encoded = json.dumps(value, ensure_ascii=False)
    half = sign.startswith('"') and (len(sign) == 1 or not sign.endswith('"'))
    return encoded[:-1] if half else encoded
