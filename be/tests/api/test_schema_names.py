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


VERBS = (
    "acknowledge add adopt apply approve ask assign attach begin block bring cancel change clear "
    "close confirm create delete disable discard download enable end export fetch forget generate "
    "get import list make preview price raise read remove replace replay retire retry rotate send "
    "set switch test unassign unblock undo unlock update upload withdraw"
)


def test_an_operation_is_called_by_a_verb_and_what_it_is_done_to() -> None:
    """Clients that are generated have these names: a slip of a rename was `listfirmware_of`."""
    paths = v1.api.document()["paths"].values()
    names = [found["operationId"] for methods in paths for found in methods.values()]
    assert [name for name in names if name.partition("_")[0] not in set(VERBS.split(" "))] == []
