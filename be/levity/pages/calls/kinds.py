"""The commands that people send, by the word in their address."""

from collections.abc import Mapping

from levity.ocpp.call_forms import GROUPS, CallForm
from levity.ocpp.versions import VERSIONS
from levity.pages.calls.command_form import AnyCommandForm, CommandForm
from levity.pages.calls.typed import typed
from levity_ws.frozen import frozen

__all__ = ["ANY", "KINDS", "MANY", "Kind"]

ANY = "command"


@frozen
class Kind:
    """An entry of the menu: what it says, and which form stands behind it."""

    title: str
    form: type[CommandForm]
    explanation: str
    group: str
    is_dangerous: bool = False
    described: CallForm | None = None
    """None for the box that takes any action."""


def _of(described: CallForm) -> Kind:
    return Kind(
        title=described.title,
        form=typed(described),
        explanation=f"{described.action}: {described.explanation}",
        group=described.group,
        is_dangerous=described.is_dangerous,
        described=described,
    )


_DESCRIBED = [form for version in VERSIONS.values() for form in version.calls.forms]

KINDS: Mapping[str, Kind] = {
    **{form.slug: _of(form) for form in _DESCRIBED},
    ANY: Kind(
        "Send command…",
        AnyCommandForm,
        "Any command of OCPP, as JSON. The payload is checked against the official schema.",
        GROUPS[-1],
    ),
}
"""In the order of the menu."""

MANY: tuple[str, ...] = (*(form.slug for form in _DESCRIBED if form.for_many), ANY)
"""What makes sense for several at once: to start, stop or unlock is for one place and person."""
