"""How commands reach a host: one interface, and executors for SSH, for this machine and for stub hosts."""
