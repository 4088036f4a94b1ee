"""Forms for the Calls that people send, drawn from the descriptions that a version of OCPP has."""
