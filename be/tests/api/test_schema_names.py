"""Two schemas of one name are one in the document, and what one of them promises is wrong."""

from importlib import import_module
from pkgutil import iter_modules

from levity.api import v1
from levity.api.kit.schemas import Body, Row


def test_no_two_resources_call_their_rows_or_bodies_the_same() -> None:
    names: dict[str, set[str]] = {}
    for found in iter_modules(v1.__path__):
        module = import_module(f"{v1.__name__}.{found.name}")
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, Row | Body):
                names.setdefault(each.__name__, set()).add(each.__module__)
    assert {name: where for name, where in names.items() if len(where) > 1} == {}
