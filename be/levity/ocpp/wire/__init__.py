"""OCPP-J frames and JSON, without a version of OCPP and without Django."""
