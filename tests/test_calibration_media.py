"""The constants of estimate_media against the measured rows, where these are at hand: what was left out of the fit is met within the bars."""

from importlib import util
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="the fit needs scipy")
SCRIPT = Path(__file__).parent / "calibration" / "fit_media.py"
spec = util.spec_from_file_location("fit_media", SCRIPT)
fit_media = util.module_from_spec(spec)
spec.loader.exec_module(fit_media)

pytestmark = pytest.mark.skipif(not fit_media.MEASURED.exists(), reason="../shared/measured/diffusion_dev.csv is not here")

MEDIAN_FACTOR, WITHIN_2X, COVERAGE = 1.37, 0.95, (0.75, 0.90)


@pytest.mark.parametrize("told", [True, False], ids=["model known", "only the size told"])
@pytest.mark.parametrize("kind", ["architecture", "model", "family", "held back"])
def test_what_was_left_out_is_met_within_the_bars(kind, told):
    found = fit_media.report(kind, told=told)
    assert found["median factor"] <= MEDIAN_FACTOR
    assert found["within 2x"] >= WITHIN_2X
    assert COVERAGE[0] <= found["coverage"] <= COVERAGE[1]


def test_the_formula_beats_the_one_that_it_starts_from():
    rows = fit_media.measured()
    start = fit_media.figures(fit_media.starting_formula(rows), rows.energy_j)
    left_out = fit_media.report("architecture", told=False)
    assert left_out["median factor"] < start["median factor"]
    assert left_out["within 2x"] > start["within 2x"]


def test_the_facts_are_what_the_fit_gives():
    rows = fit_media.measured()
    constants = fit_media.fit(rows, rows.energy_j > 0)
    for name, value in constants.items():
        fact = fit_media.fact_of(name)
        assert fact.value == pytest.approx(value, rel=0.005)
        others = [found[name] for found, _ in fit_media.without("architecture").values()]
        assert (fact.low, fact.high) == pytest.approx((min(others), max(others)), rel=0.005)
