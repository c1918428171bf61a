"""The API's client: its address and credentials, requests and errors, and the events of a task."""
