"""What a charge point is like: its quirks, its keys, its faults."""
