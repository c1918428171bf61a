"""The `ocpfleet` command: starts the processes and keeps the inventory and the users."""
