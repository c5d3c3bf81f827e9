"""A statement in words alone: set beside the published figure of the very thing it names, and of nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.core.claims import claimed_in_words, find_claims
from kilowhat.tools.core.compile import read_yaml
from kilowhat.tools.core.stated import judge_beside_facts
from kilowhat.tools.core.units import Quantity

LIBRARY = Library.load()
STATEMENTS = read_yaml(Path(__file__).parent / "statements.yaml")


def judged(row):
    try:
        estimate = call("check_claim", {"claim": row["said"]})
    except KilowhatError as refused:
        assert refused.code == "missing_input"
        return {"verdict": "none"}
    assert estimate.verdict is not None
    return {"verdict": estimate.verdict.verdict, "cites": estimate.citations[0].fact_id, "slip": estimate.verdict.slip}


def right(row):
    found = judged(row)
    return all(found.get(key) == row[key] for key in ("verdict", "cites", "slip") if key in row)


@pytest.mark.parametrize("row", [row for row in STATEMENTS if "held" not in row], ids=lambda row: row["said"])
def test_a_statement_is_judged_by_the_figure_of_its_thing(row):
    found = judged(row)
    assert {key: found.get(key) for key in row if key != "said"} == {key: told for key, told in row.items() if key != "said"}


def test_statements_that_were_held_back_are_judged_as_well():
    held = [row for row in STATEMENTS if row.get("held") and row["verdict"] != "none"]
    assert len(held) >= 40
    assert sum(map(right, held)) >= 0.9 * len(held)


def test_what_the_library_does_not_hold_gets_no_verdict():
    others = [row for row in STATEMENTS if row["verdict"] == "none"]
    wrong = [row["said"] for row in others if judged(row)["verdict"] != "none"]
    assert len(others) >= 70
    assert len(wrong) <= 0.02 * len(others), wrong


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Training GPT-3 used {:.10g} MWh", ("gpt-3-training-energy", 1287, "MWh")),
        ("Data centres used {:.10g} TWh worldwide in 2024", ("world-data-centres-electricity-2024-iea", 415, "TWh")),
        ("A Gemini prompt uses {:.10g} Wh", ("gemini-prompt-energy", 0.24, "Wh")),
    ],
)
@given(factor=st.floats(0.03, 30))
def test_the_verdict_follows_the_factor(text, kinds, factor):
    fact_id, value, unit = kinds
    found = judge_beside_facts(LIBRARY, text.format(value), Quantity(value * factor, unit))
    if found is None:
        found = judge_beside_facts(LIBRARY, text.format(value * factor), None)
    assert found is not None
    off = max(factor, 1 / factor)
    if found.beside.fact.id == fact_id and found.verdict in ("true", "false"):
        assert found.verdict == ("true" if off <= 1.05 else "false")


def test_a_stated_figure_told_apart_is_set_beside_the_words():
    verdict = call("check_claim", {"claim": "the training of GPT-3", "stated": "1287 GWh"}).verdict
    assert verdict is not None and (verdict.verdict, verdict.slip) == ("false", "Wh taken for kWh (or kWh for MWh)")


def test_figures_of_other_years_and_cases_stand_beside_the_one_judged_by():
    estimate = call("check_claim", {"claim": "ChatGPT uses 2.9 Wh per query"})
    assert estimate.verdict is not None and estimate.verdict.verdict == "outdated"
    assert [warning.code for warning in estimate.warnings if warning.code == "other_figures"]
    assert len(estimate.alternatives) >= 2


def test_a_factor_between_published_figures_is_unsupported_and_not_false():
    estimate = call("check_claim", {"claim": "an H100 draws 350 W"})
    assert estimate.verdict is not None and (estimate.verdict.verdict, estimate.verdict.factor) == ("unsupported", None)


@pytest.mark.parametrize("claim_id", LIBRARY.claims)
def test_what_is_claimed_is_told_in_one_script(claim_id):
    claim = LIBRARY.claim(claim_id)
    claimed = claimed_in_words(claim)
    verdict = call("check_claim", {"claim": claim_id}).verdict
    assert verdict is not None and verdict.claimed == claimed
    assert claimed is None or claim.unit is None or claimed.isascii()


@pytest.mark.parametrize("claim_id", [claim_id for claim_id in LIBRARY.claims if LIBRARY.claim(claim_id).keys])
def test_a_claim_with_keys_is_not_found_where_one_of_its_things_is_missing(claim_id):
    keys = LIBRARY.claim(claim_id).keys
    words = [next(word for word in group if ":" not in word) if any(":" not in word for word in group) else "" for group in keys]
    for left_out in range(len(words)):
        text = " ".join(word for place, word in enumerate(words) if place != left_out)
        assert claim_id not in [claim.id for claim in find_claims(LIBRARY, text)[0]] or words[left_out] == ""


def test_a_published_zero_is_no_measure_of_a_factor():
    assert judge_beside_facts(LIBRARY, "On-site water usage effectiveness of Microsoft in India is 3 L/kWh", None) is None


def test_a_figure_that_is_told_twice_is_one():
    told = judge_beside_facts(LIBRARY, "Training GPT-3 used 1287 GWh 1287000 MWh", None)
    assert told is not None and told.verdict == "false"
    assert judge_beside_facts(LIBRARY, "Training GPT-3 used 1287 MWh and not 1300 MWh", None) is None
