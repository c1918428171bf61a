"""The record as a file, and back."""
