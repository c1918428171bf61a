"""The language of a host: the commands sent there, the scripts that run there, and how their output is read."""
