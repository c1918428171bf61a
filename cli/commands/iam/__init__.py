"""`ocpfleet user` and `ocpfleet key`: users and access keys."""
