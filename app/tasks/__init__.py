"""Tasks: read, followed, watched and steered."""
