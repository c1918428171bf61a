"""The commands of `ocpfleet`, one package or module for each group."""
