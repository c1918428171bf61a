"""What is done to the agent on a host: looking at its processes, stopping and starting them."""
