"""How values are written into the record, and read from it."""
