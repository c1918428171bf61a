"""The fleet's brake."""
