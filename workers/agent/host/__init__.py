"""What is on the host: the commands sent there, the scripts that run there, and how their answers are read."""
