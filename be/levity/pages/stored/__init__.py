"""What chargers keep: reservations, local lists, charging profiles, trusted certificates."""
