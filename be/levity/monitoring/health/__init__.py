"""/healthz and /readyz: whether a process is alive and ready."""
