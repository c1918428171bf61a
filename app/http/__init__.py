"""What every resource needs to speak HTTP: the envelope, errors, bodies, parameters, languages and the server."""
