"""How commands reach a host: one interface, an SSH connector, a local one and a stub."""
