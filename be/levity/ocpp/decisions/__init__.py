"""What people or time decide about charge points, sessions and tags."""
