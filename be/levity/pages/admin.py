"""The pages for people at /admin/: what the site does now, what it did, and commands to it.

Lists never count a big table to its end, never ask the database once a row, and never show what
a charger wrote as markup.
"""

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
    messages,
    meter_values,
    missed_changes,
    refused_handshakes,
    sites,
    transactions,
    trouble,
    unassigned,
)

__all__ = [
    "audit_entries",
    "certificate_authorities",
    "certificates",
    "charge_points",
    "commands",
    "connections",
    "connectors",
    "failed_messages",
    "id_tags",
    "messages",
    "meter_values",
    "missed_changes",
    "refused_handshakes",
    "sites",
    "transactions",
    "trouble",
    "unassigned",
]
