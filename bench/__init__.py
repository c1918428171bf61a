"""`make bench`: what orchestration costs, each row of the goal table as a ratio of two figures taken in one run."""
