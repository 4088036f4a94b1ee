"""A charger's conversation as JSON Lines: written from the log, read, anonymised, played again.

The format is described in docs/chargers.md. Only `export` needs Django and a database.
"""
