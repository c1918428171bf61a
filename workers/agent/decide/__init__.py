"""What to do next on a host: pure functions of what has happened there so far."""
