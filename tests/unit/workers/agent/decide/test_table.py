from core.step import Action
from workers.agent.decide.table import DECIDERS


def test_each_action_on_hosts_has_a_decider_and_no_other_has() -> None:
    assert DECIDERS.keys() == {action for action in Action if action.is_remote}
