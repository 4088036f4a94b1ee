"""The OCPP central system as a Django app: pipeline, ledger, command queue, admin."""
