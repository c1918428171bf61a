"""The scripts that Redis runs: one Lua file each, and what stands before all of them."""
