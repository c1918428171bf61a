"""The domain: words, plans, legal moves. It is pure: no I/O, no clock, no logging."""
