"""GetConfiguration (OCPP 1.6, 5.8): the charger has told its keys."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from levity.ocpp.chargers.security.concealment import stored_answer
from levity.ocpp.effects import ConfigurationRead, Effect, ReportedKey
from levity.ocpp.request import Result
from levity.ocpp.v16.results.keys import told_by

__all__ = ["LONGEST_KEY", "LONGEST_VALUE", "MOST_KEYS", "get_configuration"]

MOST_KEYS = 1000
"""Keys of one answer that are kept; the largest chargers have some 400."""
LONGEST_KEY, LONGEST_VALUE, LONGEST_NOTE = 255, 4000, 255


def get_configuration(result: Result) -> tuple[Effect, ...]:
    """All of its keys, masked as the answer itself is kept; and what is of use of them."""
    if not isinstance(result.payload, Mapping):
        return ()
    answer = orjson.loads(stored_answer(orjson.dumps(result.payload).decode()))
    if "configurationKey" not in answer and "unknownKey" not in answer:
        # Too long to be looked through for secrets, or no answer to this at all.
        return ()
    keys: dict[str, ReportedKey] = {}
    for found in _reported(answer.get("configurationKey")):
        before = keys.get(found.key.lower())
        keys[found.key.lower()] = found if before is None else _twice(before, found)
    unknown = _unknown(answer.get("unknownKey"), keys)
    told = [effect for item in keys.values() for effect in told_by(item.key, item.value)]
    is_all = not result.asked.get("key")
    return (ConfigurationRead(tuple(keys.values()), unknown, is_all), *told[:1])


def _reported(listed: Any) -> Iterator[ReportedKey]:
    count = 0
    for item in listed if isinstance(listed, list) else ():
        key = item.get("key") if isinstance(item, Mapping) else None
        if not isinstance(key, str) or not key.strip() or count >= MOST_KEYS:
            continue
        count += 1
        value, notes = _text(item.get("value"))
        readonly = item.get("readonly")
        if not isinstance(readonly, bool | None):
            word = str(readonly).strip().lower()
            readonly = {"true": True, "1": True, "false": False, "0": False}.get(word)
            notes.append("read-only was not sent as true or false")
        if len(key) > LONGEST_KEY:
            notes.append("its name was longer")
        note = "; ".join(notes)[:LONGEST_NOTE]
        yield ReportedKey(key.strip()[:LONGEST_KEY], value, readonly, note)


def _text(value: Any) -> tuple[str | None, list[str]]:
    """The value as a text, and what was unusual about it."""
    if value is None:
        return None, []
    if isinstance(value, str):
        if len(value) > LONGEST_VALUE:
            return value[:LONGEST_VALUE], [f"cut: it had {len(value)} characters"]
        return value, []
    # JSON's own: true and false are the words of OCPP, too.
    text = orjson.dumps(value).decode()
    return text[:LONGEST_VALUE], ["the value was not sent as text"]


def _twice(first: ReportedKey, second: ReportedKey) -> ReportedKey:
    """The first one counts, as everywhere else where the answer is read."""
    note = "sent twice"
    if first.value != second.value:
        note = f"sent twice, the second time with the value “{(second.value or '')[:100]}”"
    notes = "; ".join(filter(None, (first.note, note)))[:LONGEST_NOTE]
    return ReportedKey(first.key, first.value, first.readonly, notes)


def _unknown(listed: Any, keys: Mapping[str, ReportedKey]) -> tuple[str, ...]:
    """Keys that it does not have; what it told a value of is known."""
    found: dict[str, str] = {}
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, str) and item.strip() and item.strip().lower() not in keys:
            name = item.strip()[:LONGEST_KEY]
            found.setdefault(name.lower(), name)
    return tuple(found.values())[:MOST_KEYS]
