"""What chargers keep, as their answers tell it: reservations, lists, profiles, certificates.

A batch without any such answer pays one look at the kinds of its effects.
"""

from collections.abc import Callable, Sequence

from levity.ocpp.effects import (
    ChargingProfileInstalled,
    ChargingProfilesCleared,
    LocalListAnswered,
    LocalListVersion,
    ReservationAnswered,
    ReservationCancelled,
    ReservationUsed,
    RootCertificateAnswered,
    RootCertificateDeleted,
    RootCertificatesReported,
)
from levity.ocpp.store.charging_profiles import write_charging_profiles
from levity.ocpp.store.local_lists import write_local_lists
from levity.ocpp.store.reservations import write_reservations
from levity.ocpp.store.root_certificates import write_root_certificates
from levity.ocpp.store.values import Outcome, Outcomes

__all__ = ["write_kept"]

Write = Callable[[Sequence[Outcome]], None]
WRITERS: tuple[tuple[frozenset[type], Write], ...] = (
    (
        frozenset({ReservationAnswered, ReservationCancelled, ReservationUsed}),
        write_reservations,
    ),
    (frozenset({LocalListAnswered, LocalListVersion}), write_local_lists),
    (frozenset({ChargingProfileInstalled, ChargingProfilesCleared}), write_charging_profiles),
    (
        frozenset({RootCertificateAnswered, RootCertificateDeleted, RootCertificatesReported}),
        write_root_certificates,
    ),
)


def write_kept(outcomes: Outcomes) -> None:
    """Write what these outcomes say of it."""
    for kinds, write in WRITERS:
        if not outcomes.kinds.isdisjoint(kinds):
            write(outcomes)
