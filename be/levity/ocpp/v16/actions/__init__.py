"""What each message of a charger means: one module an action, one pure function a module."""
