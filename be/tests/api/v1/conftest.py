"""The same callers as one folder up."""

from tests.api.conftest import browser, caller, nobody_waits, person, root, said_quietly

__all__ = ["browser", "caller", "nobody_waits", "person", "root", "said_quietly"]
