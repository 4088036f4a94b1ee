"""One charge point's frames in the spool: what the backend does not have yet, in order."""

from collections import deque
from dataclasses import dataclass, field

from levity_ws.edge.spool.answers import Question
from levity_ws.edge.spool.journal import SpooledFrame

__all__ = ["Backlog", "weight"]

FRAME_BYTES = 300
"""What a frame weighs in the file beside its texts."""


@dataclass(slots=True)
class Backlog:
    """Oldest first. It is thrown away when it is empty."""

    frames: deque[SpooledFrame] = field(default_factory=deque)
    size: int = 0
    """Bytes of all that were ever in it, roughly."""
    given: set[int] = field(default_factory=set)
    """The transaction ids that were answered."""
    _starts: dict[str, int] = field(default_factory=dict)

    def add(self, frame: SpooledFrame, question: Question | None) -> None:
        """It is on the disk; `question` is what its text says."""
        self.frames.append(frame)
        self.size += weight(frame)
        if frame.transaction:
            self._starts[frame.content] = frame.transaction
            self.given.add(frame.transaction)
        elif question is not None and question.ends in self.given:
            # Whoever ends it knows its id, and does not ask for it again. The same words begin
            # another session then: of a charger whose clock was never set, say.
            ended = question.ends
            self._starts = {text: pk for text, pk in self._starts.items() if pk != ended}

    def answered(self, content: str) -> int:
        """The id that this StartTransaction was answered, if it comes again; 0 if it is new."""
        return self._starts.get(content, 0)

    def remove_first(self) -> None:
        """The backend has it."""
        frame = self.frames.popleft()
        if frame.transaction and self._starts.get(frame.content) == frame.transaction:
            del self._starts[frame.content]


def weight(frame: SpooledFrame) -> int:
    """Its bytes in the file, roughly."""
    return len(frame.text) + len(frame.answer) + FRAME_BYTES
