"""The whole system on one machine: embedded store, simulated hosts, every process started and stopped together."""
