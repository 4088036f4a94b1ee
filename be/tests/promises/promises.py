"""What holds for every frame, whatever is in it."""

import json
from typing import Any

from levity.ocpp.wire.frames import Call, Malformed, parse
from levity_ws.rpc.envelope import Close, Received, Send
from tests.ocpp.charger import CentralSystem
from tests.promises.messages import ALWAYS_A_RESULT

__all__ = ["answers_to", "judge"]


def answers_to(site: CentralSystem, *batch: Received, deliveries: int = 0) -> dict[str, Any]:
    """Take the batch: at most one answer on each connection, nobody is sent away, and nothing
    of our own inside shows."""
    answers: dict[str, Any] = {}
    for command in site.take(*batch, deliveries=deliveries).reply.commands:
        assert not isinstance(command, Close), command
        assert isinstance(command, Send)
        assert command.connection not in answers, "two answers to one frame"
        assert "Traceback" not in command.text
        assert 'File "' not in command.text
        answers[command.connection] = json.loads(command.text)
    return answers


def judge(event: Received, answer: Any) -> None:
    """One answer to each Call that can be addressed, of the right kind; else silence."""
    frame = parse(event.text)
    answer_to = frame.answer_to if isinstance(frame, Call | Malformed) else None
    if answer_to is None:
        assert answer is None, (event.text, answer)
        return
    assert answer is not None, event.text
    assert answer[1] == answer_to, (event.text, answer)
    assert len(answer) == {3: 3, 4: 5}[answer[0]]
    assert answer[:3:2] != [4, "InternalError"], (event.text, answer)
    action = frame.action if isinstance(frame, Call | Malformed) else ""
    if action in ALWAYS_A_RESULT:
        assert answer[0] == 3, (event.text, answer)
