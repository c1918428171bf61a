"""The commands that run or describe the processes of this machine."""
