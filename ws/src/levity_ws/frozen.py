"""Values: dataclasses that never change, checked where that costs nothing.

A dataclass that is frozen at run time pays for every field of every object: its `__init__` calls
`object.__setattr__` instead of assigning. A message makes some forty values on its way. So mypy
keeps them from changing, and the tests run with `LEVITY_FROZEN=1`, in which they are frozen.
"""

import os
from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

__all__ = ["frozen"]

Class = TypeVar("Class")

_AT_RUN_TIME = os.environ.get("LEVITY_FROZEN") == "1"


@dataclass_transform(frozen_default=True)
def frozen(cls: type[Class]) -> type[Class]:
    """A dataclass with slots that is hashed by its fields and must not change.

    Assigning to a field is an error for mypy; at run time it is one with `LEVITY_FROZEN=1`.
    """
    if _AT_RUN_TIME:
        return dataclass(frozen=True, slots=True)(cls)
    return dataclass(slots=True, unsafe_hash=True)(cls)
