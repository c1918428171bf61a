"""`make bench`: measures what orchestration costs. Each row of the goal table compares two figures of the same run."""
