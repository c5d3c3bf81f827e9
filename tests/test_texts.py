"""The text of an estimate, which a model reads: it says what its main number assumes, and what a range is of."""

import pytest

from kilowhat.tools import call

ENERGIES = [
    ("estimate_fleet", {"device": "H100", "count": 8.0, "hours": 24.0}),
    ("convert_energy_to_emissions", {"energy": "134 kWh"}),
    ("estimate_training", {"accelerator": "H100", "accelerator_count": 8.0, "hours": 24.0}),
]


@pytest.mark.parametrize(("tool", "arguments"), ENERGIES)
def test_emissions_say_that_they_are_of_the_world_average_and_that_their_range_is_of_the_grid_alone(tool, arguments):
    line = next(line for line in call(tool, arguments).text.splitlines() if "ocation-based emissions" in line)
    assert "world average (no place told)" in line and "80 % range of the grid alone" in line


@pytest.mark.parametrize(("tool", "arguments"), ENERGIES)
def test_emissions_in_a_place_say_so(tool, arguments):
    line = next(line for line in call(tool, {**arguments, "region": "FR"}).text.splitlines() if "ocation-based emissions" in line)
    assert "in France" in line and "world average" not in line and "80 % range of the grid alone" in line


def test_a_range_that_holds_more_than_the_grid_is_not_called_one_of_the_grid():
    text = call("estimate_task", {"task": "image-generation", "count": 1000.0}).text
    assert "world average (no place told)" in text and "of the grid alone" not in text
