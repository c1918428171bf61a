"""`ocpfleet hosts`: the inventory."""
