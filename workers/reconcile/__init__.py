"""Makes the system go on by itself after a loss."""
