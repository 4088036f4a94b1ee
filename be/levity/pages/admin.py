"""The pages for people at /admin/: what the site does now, what it did, and commands to it.

Lists never count a big table to its end, never ask the database once a row, and never show what
a charger wrote as markup.
"""

from django.apps import apps

from levity.pages.chargers import (
    audit_entries,
    certificate_authorities,
    certificates,
    charge_points,
    commands,
    connections,
    connectors,
    failed_messages,
    id_tags,
    mass_commands,
    messages,
    meter_keys,
    meter_values,
    missed_changes,
    refused_handshakes,
    sites,
    transactions,
    trouble,
    unassigned,
)
from levity.pages.configuration import admin as configuration
from levity.pages.stored import (
    local_lists,
    profiles,
    reservations,
    trusted_certificates,
)

__all__ = [
    "audit_entries",
    "certificate_authorities",
    "certificates",
    "charge_points",
    "commands",
    "configuration",
    "connections",
    "connectors",
    "failed_messages",
    "id_tags",
    "local_lists",
    "mass_commands",
    "messages",
    "meter_keys",
    "meter_values",
    "missed_changes",
    "profiles",
    "refused_handshakes",
    "reservations",
    "sites",
    "transactions",
    "trouble",
    "trusted_certificates",
    "unassigned",
]

if apps.is_installed("levity.files"):
    from levity.pages.files import campaigns, firmware, jobs  # noqa: F401  (registers by being imported)
