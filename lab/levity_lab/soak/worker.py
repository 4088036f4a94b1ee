"""`python -m levity_lab.soak.worker consume_rpc_queue`: a worker that packs what it has just taken.

So faults strike while rows move, and frames come again that are in blocks already. On a site this
happens days later (`levity_lab.hurry`).
"""

from collections.abc import Callable
from typing import Any

from levity.__main__ import main
from levity_lab.hurry import hurry

__all__ = ["DAYS_AHEAD"]

DAYS_AHEAD = 4
"""More than OCPP_MESSAGE_ROW_DAYS: by the movers' clock, this day is over."""


def _set_trap() -> None:
    """Between writing a block, or a trace, and deleting the rows that are in it now."""
    from levity.ocpp.store.messages import moving as messages
    from levity.ocpp.store.samples import moving as samples
    from levity_lab.soak.traps import die_while_moving

    def trapped(work: Callable[..., Any]) -> Callable[..., Any]:
        def then(*args: Any) -> Any:
            result = work(*args)
            die_while_moving()
            return result

        return then

    for module, name in ((messages, "_keep"), (samples, "write_trace")):
        setattr(module, name, trapped(getattr(module, name)))


if __name__ == "__main__":
    hurry()
    _set_trap()
    main()
