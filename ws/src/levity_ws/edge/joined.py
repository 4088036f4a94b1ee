"""Frames that hold several OCPP-J messages, one behind the other.

OCPP-J 1.6, 4: one websocket message is one OCPP message. Chargers with two queues and one buffer
send `[2,...][2,...]`, with or without a line break between; read as one they are no JSON, and both
are lost.
"""

from json import JSONDecoder

__all__ = ["MOST_JOINED", "messages_of"]

MOST_JOINED = 8
"""Messages in one frame: more are no two queues."""

# How the next one begins, as far as has been seen; only a frame that has one of these is read here.
_JOINTS = ("][", "]\n", "]\r", "]\t", "] [")
_BLANK = " \t\r\n"
# Nothing is kept of what is read. Digits stay text: a number of thousands takes long to read.
_DECODER = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def messages_of(frame: str) -> tuple[str, ...]:
    """The messages in this text frame, in their order; the frame itself if it is one, or if not all
    of it are whole JSON arrays."""
    if not any(joint in frame for joint in _JOINTS):
        return (frame,)
    found: list[str] = []
    place, end = _after_blank(frame, 0), len(frame)
    while place < end:
        if frame[place] != "[" or len(found) == MOST_JOINED:
            return (frame,)
        try:
            _, until = _DECODER.raw_decode(frame, place)
        except (ValueError, RecursionError):
            return (frame,)
        found.append(frame[place:until])
        place = _after_blank(frame, until)
    return tuple(found) if len(found) > 1 else (frame,)


def _after_blank(text: str, place: int) -> int:
    while text[place : place + 1] and text[place] in _BLANK:
        place += 1
    return place
