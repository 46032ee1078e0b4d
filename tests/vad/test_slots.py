import numpy as np
import pytest

from speakback.vad.slots import CONTEXT_SAMPLES, FEWEST, STATE_SIZES, Slots, joined

LAYERS, SIZE = STATE_SIZES


def written(slots: Slots, places: list[int], value: float) -> None:
    slots.write(places, np.full((LAYERS, len(places), SIZE), value, np.float32), np.full((len(places), 512), value))


def test_each_stream_reads_what_was_written_for_it_in_any_order() -> None:
    slots = Slots()
    one, two, three = slots.take(), slots.take(), slots.take()
    for place, value in ((one, 1.0), (two, 2.0), (three, 3.0)):
        written(slots, [place], value)
    state, context = slots.read([three, one])
    assert state.shape == (LAYERS, 2, SIZE)
    assert context.shape == (2, CONTEXT_SAMPLES)
    assert state[0, :, 0].tolist() == context[:, 0].tolist() == [3.0, 1.0]


def test_the_context_is_the_end_of_the_frame() -> None:
    slots = Slots()
    place = slots.take()
    frame = np.arange(512, dtype=np.float32)
    slots.write([place], np.zeros((LAYERS, 1, SIZE), np.float32), joined([frame]))
    assert slots.read([place])[1][0].tolist() == frame[-CONTEXT_SAMPLES:].tolist()


def test_a_place_that_was_given_back_remembers_nothing_of_the_stream_before() -> None:
    slots = Slots()
    place = slots.take()
    written(slots, [place], 5.0)
    slots.give_back(place)
    again = [slots.take() for _ in range(FEWEST)]
    assert place in again
    state, context = slots.read([place])
    assert not state.any()
    assert not context.any()


@pytest.mark.parametrize("streams", [FEWEST, FEWEST + 1, 5 * FEWEST])
def test_there_is_a_place_for_each_and_none_loses_its_memory_when_room_is_made(streams: int) -> None:
    slots = Slots()
    places = []
    for number in range(streams):
        places.append(slots.take())
        written(slots, places[-1:], float(number))
    assert len(set(places)) == streams
    state, context = slots.read(places)
    assert state[1, :, 7].tolist() == context[:, 0].tolist() == [float(number) for number in range(streams)]


def test_what_was_read_is_not_changed_by_what_is_written_later() -> None:
    slots = Slots()
    place = slots.take()
    state, context = slots.read([place])
    written(slots, [place], 9.0)
    assert not state.any()
    assert not context.any()
