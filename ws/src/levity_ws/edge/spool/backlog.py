"""One charge point's frames in the spool: what the backend does not have yet, in order."""

from collections import deque
from dataclasses import dataclass, field

from levity_ws.edge.spool.answers import Question
from levity_ws.edge.spool.journal import SpooledFrame

__all__ = ["Backlog", "weight"]

FRAME_BYTES = 300
"""Bytes of a frame in the file in addition to its texts."""


@dataclass(slots=True)
class Backlog:
    """Oldest first. Discarded when it is empty."""

    frames: deque[SpooledFrame] = field(default_factory=deque)
    size: int = 0
    """Approximate bytes of all that were ever in it."""
    given: set[int] = field(default_factory=set)
    """The transaction ids in its answers."""
    _starts: dict[str, int] = field(default_factory=dict)

    def add(self, frame: SpooledFrame, question: Question | None) -> None:
        """It is on the disk; `question` is what its text says."""
        self.frames.append(frame)
        self.size += weight(frame)
        if frame.transaction:
            self._starts[frame.content] = frame.transaction
            self.given.add(frame.transaction)
        elif question is not None and question.ends in self.given:
            # A charger that stops it knows its id, and won't ask for it again. An identical start
            # is then another session, for instance of a charger whose clock was never set.
            ended = question.ends
            self._starts = {text: pk for text, pk in self._starts.items() if pk != ended}

    def answered(self, content: str) -> int:
        """The id in the answer to this StartTransaction, if it is repeated; 0 if it is new."""
        return self._starts.get(content, 0)

    def remove_first(self) -> None:
        """The backend has it."""
        frame = self.frames.popleft()
        if frame.transaction and self._starts.get(frame.content) == frame.transaction:
            del self._starts[frame.content]


def weight(frame: SpooledFrame) -> int:
    """Approximate bytes in the file."""
    return len(frame.text) + len(frame.answer) + FRAME_BYTES
