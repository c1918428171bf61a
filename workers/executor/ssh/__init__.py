"""Hosts over SSH, by asyncssh."""
