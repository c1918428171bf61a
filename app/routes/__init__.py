"""The routes: types in the signature, one call, the reply."""
