"""Search: what people type finds the right fact first, in six languages; and what a text names is read whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import Library
from kilowhat.tools.core.compile import read_yaml
from kilowhat.tools.core.reading import read, uniform
from kilowhat.tools.core.reference import Claim, Fact

LIBRARY = Library.load()
QUERIES = read_yaml(Path(__file__).parent / "queries.yaml")


def right(row):
    found = LIBRARY.search(row["query"], limit=1)
    return bool(found) and found[0].id in row["first"]


@pytest.mark.parametrize("row", [row for row in QUERIES if "held" not in row], ids=lambda row: row["query"])
def test_the_right_fact_comes_first(row):
    assert LIBRARY.search(row["query"], limit=1)[0].id in row["first"]


def test_the_right_fact_comes_first_for_queries_that_were_held_back():
    held = [row for row in QUERIES if row.get("held")]
    assert len(held) >= 80
    assert sum(map(right, held)) >= 0.95 * len(held)


def test_every_id_of_the_queries_is_known():
    assert all(LIBRARY.fact(fact_id) for row in QUERIES for fact_id in row["first"])


@pytest.mark.parametrize(
    ("query", "fact_id"),
    [("552 t", "gpt-3-training-emissions"), ("0.552 kt", "gpt-3-training-emissions"), ("552,000 kg", "gpt-3-training-emissions"), ("1.287 GWh", "gpt-3-training-energy"), ("128.7万度", "gpt-3-training-energy"), ("1.287 Millionen kWh", "gpt-3-training-energy"), ("1.287.000 kWh", "gpt-3-training-energy")],
)  # fmt: skip
def test_a_figure_is_found_at_any_scale(query, fact_id):
    assert LIBRARY.search(query)[0].id == fact_id


def test_a_figure_with_its_name_comes_before_the_default_of_that_name():
    assert LIBRARY.search("BLOOM training 50.5 t")[0].id == "bloom-176b-training-emissions-life-cycle"
    assert LIBRARY.search("BLOOM training emissions")[0].id == "bloom-176b-training-emissions"


def test_every_printed_default_is_found_by_its_figure_and_its_words():
    facts = [fact for fact in LIBRARY if fact.default and fact.value and fact.printed and fact.scope]
    found = [fact for fact in facts if fact.id in [record.id for record in LIBRARY.search(f"{fact.statement[:200]} {fact.value:.10g} {fact.unit}"[:500], limit=3)]]
    assert len(found) >= 0.97 * len(facts)


@pytest.mark.parametrize(
    ("text", "key", "names"),
    [
        ("L40S power", "hardware", {"nvidia-l40s"}),
        ("L40 power", "hardware", {"nvidia-l40"}),
        ("ten H100s", "hardware", {"nvidia-h100-sxm"}),
        ("一张H100功耗750瓦", "hardware", {"nvidia-h100-sxm"}),
        ("ジェミニの消費電力", "service", {"gemini"}),
        ("GPT-3.5", "run", set()),
        ("data centres in the US", "place", {"USA"}),
        ("let us see it in a MW", "place", {"USA"}),
        ("A US home", "place", set()),
        ("Norvège", "place", {"NOR"}),
    ],
)
def test_the_longest_name_stands_and_never_inside_a_longer_one(text, key, names):
    assert read(LIBRARY, text).things.get(key, set()) == names


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("GPT-3 552 t", 552, "t"),
        ("H100 750W", 750, "W"),
        ("552 tonnes of CO2 from GPT-3", 552, "tonnes CO2"),
        ("5,4 Millionen Liter", 5.4e6, "Liter"),
        ("415 TWh (IEA)", 415, "TWh"),
        ("1287 MWhの電力", 1287, "MWh"),
        ("840亿度的电", 8.4e10, "度"),
        ("30.84 million GPU hours", 30.84e6, "GPU-hours"),
    ],
)
def test_a_figure_is_read_with_its_unit(text, value, unit):
    [figure] = read(LIBRARY, text).figures
    assert (figure.value, figure.unit) == (pytest.approx(value), unit)


def test_a_year_is_a_year_and_may_be_a_figure_where_a_unit_follows():
    assert read(LIBRARY, "data centres in 2024").years == {2024}
    assert read(LIBRARY, "data centres in 2024").figures == []
    reading = read(LIBRARY, "data centres 2024 TWh")
    assert (reading.years, [figure.unit for figure in reading.figures]) == ({2024}, ["TWh"])


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    reading = read(LIBRARY, text)
    assert len(reading.spans) == len(reading.written)
    assert all(figure.value >= 0 for figure in reading.figures)


@given(st.text(max_size=200))
def test_one_way_of_writing_is_reached_once(text):
    assert isinstance(uniform(text), str)


def test_claims_come_behind_the_facts_that_hold_the_same():
    found = LIBRARY.search("GPT-3 training 1287 MWh", limit=10)
    kinds = [type(record) for record in found]
    assert Claim in kinds and kinds.index(Claim) > kinds.index(Fact)
