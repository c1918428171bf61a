"""Random histories of a record, legal and illegal moves mixed.

Whatever is done to a record: each call makes legal moves only, what it answers can be seen in the record, and the parts
of the record agree with each other.
"""

from tests.support.histories.actions import Action, histories
from tests.support.histories.play import BEGINNINGS, play

__all__ = ["BEGINNINGS", "Action", "histories", "play"]
