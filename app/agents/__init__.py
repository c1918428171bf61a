"""The agents on the hosts: stopped, started and restarted by tasks; looked at and changed while a client waits."""
