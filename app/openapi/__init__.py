"""The OpenAPI document: what the routes say of themselves, completed with descriptions and examples."""
