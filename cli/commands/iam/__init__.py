"""`ocpfleet user` and `ocpfleet key`."""
