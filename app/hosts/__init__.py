"""The inventory: hosts listed, added, protected, released and removed."""
