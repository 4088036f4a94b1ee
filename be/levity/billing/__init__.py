"""What charging costs, and who pays for it."""
