"""How the chain marks a session: the flags that it sets, and the kinds of its checks."""

__all__ = [
    "AFTER",
    "BEFORE",
    "CUT",
    "ENDS_AT_NEXT",
    "NEIGHBOURS",
    "OF_THE_CHAIN",
    "OVERLAPPED",
    "STARTS_AT_LAST",
    "TWICE",
]

BEFORE, AFTER = "before", "after"
"""The kinds of checks: against the session before, and the one after, on the connector."""
CUT = "overlaps-next"
OVERLAPPED = "overlaps-previous"
ENDS_AT_NEXT = "ends-at-next-start"
STARTS_AT_LAST = "starts-at-last-stop"
NEIGHBOURS = "neighbours-disagree"
TWICE = "started-again"
OF_THE_CHAIN = (CUT, OVERLAPPED, ENDS_AT_NEXT, STARTS_AT_LAST, NEIGHBOURS, TWICE)
"""The flags that are found anew each time."""
