"""Statements, rows, plans and connections of Django's databases: no OCPP."""
