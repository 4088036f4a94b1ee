"""The pages about how chargers are configured."""
