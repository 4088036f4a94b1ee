"""The run that closes a period: check, preview, close, files."""
