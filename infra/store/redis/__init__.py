"""The record in Redis: the only code that speaks to it, and the scripts' callers."""
