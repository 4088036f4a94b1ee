"""The pages about chargers' files: jobs, downloads, firmware, campaigns."""
