"""The form for a configuration key, which fits what the key can be."""

import uuid
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.rules.configuration import KeyInfo, entries, is_true
from levity.ocpp.wire.private import is_secret

__all__ = ["ValueForm"]

LONGEST = 500


class ValueForm(forms.Form):
    """The value of one key. `as_text()` is what is sent.

    `now` is the value in effect, `most` how many entries a list can have, `danger` what has to be
    confirmed.
    """

    id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(
        self,
        *args: Any,
        key: str,
        info: KeyInfo | None,
        now: str | None,
        most: int | None = None,
        danger: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.info, self.now, self.most = info, now, most
        for name, field in self._fields(key):
            self.fields[name] = field
        if danger:
            self.fields["sure"] = forms.BooleanField(
                label="Change it all the same",
                widget=UnfoldBooleanWidget,
                help_text=danger,
                error_messages={"required": "Confirm that you want to change it."},
            )

    def _fields(self, key: str) -> list[tuple[str, forms.Field]]:
        kind = self.info.kind if self.info is not None else "text"
        if kind == "switch":
            switch = forms.BooleanField(
                label=key,
                required=False,
                initial=is_true(self.now) or False,
                widget=UnfoldBooleanSwitchWidget,
            )
            return [("value", switch)]
        if kind == "number":
            return [("value", self._number(key))]
        if kind == "choice":
            return [("value", self._choice(key))]
        if kind == "list" and self.info is not None and self.info.choices:
            return self._list(key)
        secret = is_secret(key)
        text = forms.CharField(
            label=key,
            required=False,
            strip=False,
            max_length=LONGEST,
            initial="" if secret else self.now,
            widget=(
                UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
                if secret
                else UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
            ),
            help_text="Separated by commas." if kind == "list" else "",
        )
        return [("value", text)]

    def _number(self, key: str) -> forms.Field:
        assert self.info is not None
        unit, least, most = self.info.unit, self.info.least, self.info.most
        bounds = f"At least {least}" + (f", at most {most}." if most is not None else ".")
        return forms.IntegerField(
            label=f"{key} ({unit})" if unit else key,
            min_value=least,
            max_value=most if most is not None else 2**31 - 1,
            initial=self.now,
            widget=UnfoldAdminIntegerFieldWidget,
            help_text=bounds,
        )

    def _choice(self, key: str) -> forms.Field:
        assert self.info is not None
        return forms.ChoiceField(
            label=key,
            choices=[(word, word) for word in self.info.choices],
            initial=self.now,
            widget=UnfoldAdminSelectWidget,
        )

    def _list(self, key: str) -> list[tuple[str, forms.Field]]:
        """A box for each entry that the standard knows, and a line for all others."""
        assert self.info is not None
        known = {word.lower(): word for word in self.info.choices}
        said = entries(self.now)
        limit = f"At most {self.most} in all." if self.most is not None else ""
        boxes = forms.MultipleChoiceField(
            label=key,
            required=False,
            choices=[(word, word) for word in self.info.choices],
            initial=[known[word.lower()] for word in said if word.lower() in known],
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            help_text=limit,
        )
        others = forms.CharField(
            label="Others",
            required=False,
            max_length=LONGEST,
            initial=",".join(word for word in said if word.lower() not in known),
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            help_text="Such as a measurand of one phase, Current.Import.L1. Separated by commas.",
        )
        return [("value", boxes), ("others", others)]

    def as_text(self) -> str:
        """The value as it is sent."""
        value: Any = self.cleaned_data.get("value")
        if isinstance(value, bool):
            # A charger that says 1 or 0 may not know the words.
            words = ("1", "0") if (self.now or "").strip() in ("0", "1") else ("true", "false")
            return words[0] if value else words[1]
        if isinstance(value, list):
            more = entries(self.cleaned_data.get("others"))
            return ",".join(dict.fromkeys([*value, *more]))
        return "" if value is None else str(value)

    @property
    def is_sure(self) -> bool:
        """The danger was confirmed; or there is none."""
        return bool(self.cleaned_data.get("sure"))
