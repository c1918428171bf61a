"""What is true: the words, the plan, the legal moves. Pure: no I/O, no clock, no logging."""
