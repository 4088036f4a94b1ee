"""Frames without secrets, and without what says whose they are.

Works on the text of a frame and changes nothing but the values concerned, so that broken JSON
stays as broken as it was. Half a frame is masked as far as it goes.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from levity.ocpp.wire import private
from levity.ocpp.wire.scanning import drop_tokens, is_hex, json_tokens, logins, replaced, signatures

__all__ = ["MASK", "Anonymiser", "forgetting", "without_secrets", "without_word"]

MASK = "***"
# So deep objects and arrays have names of their own; what is deeper belongs to the last of them.
_DEPTH = 100
# What is shorter occurs by chance in other words, what is longer is no name that comes again.
_SHORTEST, _LONGEST = 6, 64
# What has so many digits is no word.
_DIGITS = 4

Rewrite = Callable[[str, str], str]
"""(name of the field, its value) -> its value from now on."""


def without_secrets(text: str) -> str:
    """The frame with passwords and keys masked, and logins and signatures in URLs."""
    if not private.may_hold_secret(text):
        return text
    return _rewritten(text, lambda name, value: _without_logins(value))


def _without_logins(value: str) -> str:
    value = replaced(value, ((start, end, MASK) for start, end in logins(value)))
    value = replaced(value, ((start, end, MASK) for start, end in signatures(value)))
    return replaced(value, ((start, end, MASK) for start, end in drop_tokens(value)))


def forgetting(id_tag: str, pseudonym: str) -> Callable[[str], str]:
    """Puts the pseudonym in the place of this tag in a frame, and changes nothing else of it.

    A short tag is only known in a field that says whose something is: "1" is also a connector.
    """
    lower = id_tag.lower()
    is_long = len(id_tag) >= _SHORTEST

    def rewrite(name: str, value: str) -> str:
        if value.lower() == lower and (is_long or private.says_whose(name)):
            return pseudonym
        return without_word(value, id_tag, pseudonym) if is_long else value

    return lambda text: _rewritten(text, rewrite, lambda name: False)


def without_word(text: str, word: str, new: str) -> str:
    """The text with this word replaced, case ignored, where no letter or digit touches it."""
    lower, wanted = text.lower(), word.lower()
    if wanted not in lower or len(lower) != len(text):
        return text
    edits, place = [], lower.find(wanted)
    while place >= 0:
        end = place + len(wanted)
        if not (text[place - 1 : place].isalnum() or text[end : end + 1].isalnum()):
            edits.append((place, end, new))
        place = lower.find(wanted, end)
    return replaced(text, edits)


@dataclass(slots=True)
class Anonymiser:
    """Replaces identities, serial numbers, id tags, SIM cards and addresses by pseudonyms.

    The same always becomes the same, case ignored, in the same length and kind of characters.
    What begins alike becomes something that begins alike: a tag with two bytes more (Ocular)
    and a message id made of the serial number stay recognisable as that. A tag is known with
    colons and backwards, too. Nobody can go back: the key is thrown away with the object.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    _known: dict[str, str] = field(default_factory=dict)
    _lengths: dict[str, list[int]] = field(default_factory=dict)
    """How long the known ones are that begin with these characters, the longest first."""
    _addresses: dict[str, str] = field(default_factory=dict)

    def learn(self, values: Iterable[str]) -> None:
        """These values are private wherever they occur."""
        for value in values:
            if not _SHORTEST <= len(value) <= _LONGEST or value.lower() in private.COMMON:
                continue
            if (lower := value.lower()) in self._known:
                continue
            self._note_with_its_end(lower, self.pseudonym(value))
            pairs = private.byte_pairs(value)
            if len(pairs) >= _SHORTEST // 2 + 1:
                # A reader that spells the card's bytes with colons, or from the last to the first.
                new = private.byte_pairs(self.pseudonym("".join(pairs)))
                for said, shown in ((pairs, new), (pairs[::-1], new[::-1])):
                    for sign in ("", ":", "-", " "):
                        self._note(sign.join(said).lower(), sign.join(shown))

    def _note_with_its_end(self, lower: str, shown: str) -> None:
        """Grizzl-E makes its message ids of the serial number without the "GRS-" before it."""
        self._note(lower, shown)
        end = lower.partition("-")[2]
        if len(end) >= _SHORTEST and sum(sign.isdigit() for sign in end) >= _DIGITS:
            self._note(end, shown[-len(end) :])

    def _note(self, lower: str, shown: str) -> None:
        if self._known.setdefault(lower, shown) is not shown:
            return
        lengths = self._lengths.setdefault(lower[:_SHORTEST], [])
        if len(lower) not in lengths:
            lengths.append(len(lower))
            lengths.sort(reverse=True)

    def frame(self, text: str) -> str:
        """The frame without secrets and without names."""
        return _rewritten(text, self._value)

    def words(self, text: str) -> str:
        """A text that is no frame: a reason, a user agent, an identity in a URL."""
        return self._within("", text)

    def pseudonym(self, value: str) -> str:
        """What stands for this value."""
        if value.lower() in private.COMMON:
            return value
        pairs = private.byte_pairs(value)
        if len(value) > 2 * len(pairs) > 0:  # 04:A1:B2 is 04A1B2
            return value[2].join(private.byte_pairs(self.pseudonym("".join(pairs))))
        kept = value[:_LONGEST]
        hexadecimal = is_hex(kept)
        shown = [
            private.like(kept[place], self._number(kept[: place + 1]), is_hex=hexadecimal)
            for place in range(len(kept))
        ]
        if rest := value[_LONGEST:]:
            told = self.key + value.lower().encode("utf-8", "surrogatepass")
            numbers = hashlib.shake_256(told).digest(len(rest))
            shown += map(private.like, rest, numbers)
        return "".join(shown)

    def _number(self, until: str) -> int:
        told = until.lower().encode("utf-8", "surrogatepass")
        return int.from_bytes(hmac.digest(self.key, told, "sha256")[:8])

    def _value(self, name: str, value: str) -> str:
        if private.is_whole_secret(name):
            return MASK
        if private.says_whose(name):
            self.learn([value])
            return self.pseudonym(value)
        return self._within(name, _without_logins(value))

    def _within(self, name: str, value: str) -> str:
        value = self._without_known(value)
        value = replaced(value, private.macs_and_mails(value, self.pseudonym))
        value = replaced(value, private.coordinates(value, self.pseudonym))
        if "version" in name[:100].lower():  # 1.4.0.116 is a firmware
            return value
        value = replaced(value, private.contracts(value, self.pseudonym))
        if name != "value" or not _is_number(value.removeprefix("+")):
            value = replaced(value, private.phones(value, self.pseudonym))
        return replaced(value, private.addresses(value, self._address))

    def _without_known(self, value: str) -> str:
        lower, last = value.lower(), len(value) - _SHORTEST
        if not self._lengths or last < 0 or len(lower) != len(value):
            return value
        edits, place = [], 0
        while place <= last:
            for length in self._lengths.get(lower[place : place + _SHORTEST], ()):
                if shown := self._known.get(lower[place : place + length]):
                    edits.append((place, place + length, shown))
                    place += length - 1
                    break
            place += 1
        return replaced(value, edits)

    def _address(self, found: str, version: int) -> str:
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


_How = tuple[Rewrite, Callable[[str], bool]]
"""(what becomes of a value, by its name whether it is masked instead)."""
Token = tuple[int, int, str]
"""Where a value stands, and what it is, decoded."""


@dataclass(slots=True)
class _Level:
    """An object or an array that is being read."""

    name: str = ""
    """Of the field whose value comes."""
    key: str | None = None
    value: Token | None = None
    """Of the fields that are called so: {"key": "AuthorizationKey", "value": ...}."""


def _rewritten(
    text: str, rewrite: Rewrite, is_secret: Callable[[str], bool] = private.is_secret
) -> str:
    """The text with every string and number value as `rewrite` says, secrets masked before."""
    how = rewrite, is_secret
    edits: dict[Token, str] = {}
    levels, deeper = [_Level()], 0
    waiting: Token | None = None
    # A name is known for one by the colon behind it.
    for start, end in json_tokens(text):
        sign, level = text[start], levels[-1]
        if waiting is not None and sign == ":":
            level.name = waiting[2]
            waiting = None
            continue
        if waiting is not None:
            _note_value(level, waiting, text, edits, how)
            waiting = None
        if sign in "{[":
            if len(levels) < _DEPTH:
                levels.append(_Level("" if sign == "{" else level.name))
            else:
                deeper += 1
        elif sign in "}]":
            if deeper:
                deeper -= 1
                continue
            _name_value(level, text, edits, how)
            levels.pop()
            if not levels:
                levels.append(_Level())
        elif sign not in ",:":
            value = _decoded(text[start:end])
            if value is not None:
                waiting = start, end, value
    if waiting is not None:
        _note_value(levels[-1], waiting, text, edits, how)
    for level in levels:
        _name_value(level, text, edits, how)
    return replaced(text, sorted((start, end, new) for (start, end, _), new in edits.items()))


def _note_value(level: _Level, token: Token, text: str, edits: dict[Token, str], how: _How) -> None:
    start, end, value = token
    if level.name == "key":
        level.key = value
    elif level.name == "value":
        level.value = token
    new = _new_value(level.name, value, how)
    if new != value:
        edits[token] = _encoded(new, text[start:end])


def _new_value(name: str, value: str, how: _How) -> str:
    rewrite, is_secret = how
    if value and is_secret(name):
        return MASK
    if value[:1] in ("{", "[") and '"' in value:
        # DataTransfer.data, often JSON in a string.
        return _rewritten(value, rewrite, is_secret)
    return rewrite(name, value)


def _name_value(level: _Level, text: str, edits: dict[Token, str], how: _How) -> None:
    """ChangeConfiguration and GetConfiguration: {"key": "AuthorizationKey", "value": ...}."""
    if level.key is not None and level.value is not None:
        start, end, value = level.value
        new = _new_value(level.key, value, how)
        if new != value:
            edits[level.value] = _encoded(new, text[start:end])


def _decoded(sign: str) -> str | None:
    """The string or the digits of a token; None for true, false, null."""
    if not sign.startswith('"'):
        return sign if sign[-1:].isdigit() else None
    if len(sign) > 1 and sign.endswith('"') and "\\" not in sign:
        return sign[1:-1]
    closed = sign if len(sign) > 1 and sign.endswith('"') else f'{sign}"'
    try:
        value: str = json.loads(closed, strict=False)
    except ValueError:
        return sign.strip('"')
    return value


def _encoded(value: str, sign: str) -> str:
    if not sign.startswith('"') and _is_number(value):
        return value
    encoded = json.dumps(value, ensure_ascii=False)
    half = sign.startswith('"') and (len(sign) == 1 or not sign.endswith('"'))
    return encoded[:-1] if half else encoded


def _is_number(value: str) -> bool:
    whole, point, decimals = value.removeprefix("-").partition(".")
    if not whole.isdigit() or (whole[0] == "0" and len(whole) > 1):
        return False
    return decimals.isdigit() if point else whole != "0"
