"""`ocpfleet task`: to look at tasks, to follow them, and to change their course."""
