"""`ocpfleet stop`, `restart` and `start`."""
