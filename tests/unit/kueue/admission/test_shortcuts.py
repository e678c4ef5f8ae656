"""What spares the model work changes nothing: without any of it, the same comes of every history."""

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from governor.kueue.admission import Outcome, State, classical, fair
from governor.kueue.admission.cycle import Cycle
from governor.kueue.admission.events import Event
from tests.support.kueue_worlds import clusters, forgetful, histories, play


def _without_shortcuts(state: State, events: list[Event]) -> list[Outcome]:
    with (
        patch.object(Cycle, "_foreseen_for", return_value=None),
        patch.object(fair, "held_back", return_value=False),
        patch.object(classical, "held_back", return_value=False),
        patch.object(fair._Attempt, "_is_out_of_reach", return_value=False),
    ):
        return list(play(forgetful(state), events))


@settings(max_examples=200)
@given(st.data())
def test_they_change_nothing(data: st.DataObject) -> None:
    state = data.draw(clusters(weights=st.sampled_from([0, 500, 1000, 1000, 3000])))
    events = data.draw(histories(state, changes=True))
    assert list(play(state, events)) == _without_shortcuts(state, events)
