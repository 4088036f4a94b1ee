"""A form for each Call of OCPP 1.6, in the order of the menu."""

from levity.ocpp.call_forms import CallForm
from levity.ocpp.v16.forms.access import ACCESS
from levity.ocpp.v16.forms.charging import CHARGING
from levity.ocpp.v16.forms.configuration import CONFIGURATION
from levity.ocpp.v16.forms.diagnostics import DIAGNOSTICS
from levity.ocpp.v16.forms.expert import EXPERT
from levity.ocpp.v16.forms.limits import LIMITS
from levity.ocpp.v16.forms.security import SECURITY

__all__ = ["FORMS"]

FORMS: tuple[CallForm, ...] = (
    *CHARGING,
    *ACCESS,
    *LIMITS,
    *CONFIGURATION,
    *DIAGNOSTICS,
    *SECURITY,
    *EXPERT,
)
