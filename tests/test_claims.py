"""Claims of the press: each is answered by id with its verdict and right figure; words find a claim by thing and figure, never by one of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.core.claims import as_quantity_of, find_claims, related_facts, right_figure
from kilowhat.tools.core.estimate import as_quantity
from kilowhat.tools.core.reading import read
from kilowhat.tools.core.slips import SLIPS, find_slip, find_slip_of_kind
from kilowhat.tools.core.units import NUMBER, Quantity

LIBRARY = Library.load()
NO_FIGURE = {
    "claim-image-models-64-pixels-to-4k", "claim-helion-fusion-plant-2028", "claim-renewables-and-nuclear-cannot-cover-growth", "claim-ai-in-production-exabytes",
    "claim-ai-several-megawatts-per-hour", "claim-training-at-night-in-washington",
}  # fmt: skip
"""Claims that neither state nor have a figure in a unit of ours."""


@pytest.mark.parametrize("claim_id", LIBRARY.claims)
def test_every_claim_is_answered_with_its_verdict_and_its_right_figure(claim_id):
    claim = LIBRARY.claim(claim_id)
    estimate = call("check_claim", {"claim": claim_id})
    assert estimate.verdict is not None
    assert (estimate.verdict.verdict, estimate.verdict.slip) == (claim.verdict, claim.slip)
    assert claim.factor is None or estimate.verdict.factor == claim.factor
    assert claim.why.rstrip(".") in estimate.text or len(estimate.text) > 900
    assert estimate.citations[0].fact_id == claim_id and estimate.citations[0].locator == claim.locator
    figure = right_figure(claim)
    if figure is None:
        assert bool(estimate.results) == (claim_id not in NO_FIGURE)
        return
    wanted, head = as_quantity_of(figure), estimate.results[0]
    found = head.value if wanted.dimension == NUMBER else as_quantity(head).to(wanted.unit).value
    assert math.isclose(found, wanted.value, rel_tol=0.006)


@pytest.mark.parametrize("claim_id", LIBRARY.claims)
def test_the_primary_source_is_cited_where_the_library_names_it(claim_id):
    claim = LIBRARY.claim(claim_id)
    titles = {citation.source.title for citation in call("check_claim", {"claim": claim_id}).citations}
    assert LIBRARY.source(claim.source).title in titles
    if claim.primary and claim.primary.source:
        assert LIBRARY.source(claim.primary.source).title in titles


def test_a_claims_own_words_find_it():
    found = [claim_id for claim_id in LIBRARY.claims if claim_id in [claim.id for claim in find_claims(LIBRARY, LIBRARY.claim(claim_id).statement)[0][:2]]]
    assert len(found) >= 0.95 * len(LIBRARY.claims)


@pytest.mark.parametrize(
    ("words", "claim_id"),
    [
        ("Is it true that ten days of ChatGPT use 84 TWh?", "claim-chatgpt-ten-days-84-twh"),
        ("ChatGPT回答十天要耗掉三峡一年的发电量", "claim-ten-days-of-chatgpt-as-three-gorges-year"),
        ("神经架构搜索排放 62.6万吨二氧化碳", "claim-neural-architecture-search-626000-t"),
        ("Netflix: 0.8 kWh per hour", "claim-netflix-hour-0.8-kwh"),
        ("Does generating one image use as much energy as fully charging a phone?", "claim-one-image-charges-a-phone"),
        ("GPT-3 = 126 Danish homes", "claim-gpt-3-training-as-126-danish-homes"),
        ("T5 took 86 megawatts to train", "claim-t5-training-86-mw"),
        ("GShard 24 MW", "claim-gshard-training-24-mw"),
        ("training Meena used 232 MW", "claim-meena-training-232-mw"),
        ("ChatGPT uses 17,000 times as much as a US home", "claim-chatgpt-17000-times-a-us-home"),
        ("ChatGPT 每天耗电 50 万千瓦时", "claim-chatgpt-daily-electricity"),
        ("bitcoin mining uses 145 TWh a year", "claim-bitcoin-145-twh"),
        ("GPT-4 was trained on 25,000 A100", "claim-gpt-4-training-25000-a100"),
        ("AI in google search would take 29.2 TWh/year", "claim-google-ai-search-29-twh"),
        ("world electricity demand grows by 3.4 %", "claim-world-electricity-demand-3.4-percent"),
        ("ChatGPT needs 65,000 trees", "claim-chatgpt-total-as-65000-trees"),
        ("the brain needs 0.002 % of the energy of machine learning", "claim-brain-0.002-percent-of-gpt-3"),
        ("an H100 draws 750 W", "claim-h100-750-w"),
    ],
)
def test_words_find_the_claim(words, claim_id):
    assert find_claims(LIBRARY, words)[0][0].id == claim_id


@pytest.mark.parametrize(
    "words",
    [
        "Gemini uses 84 TWh in ten days",
        "ChatGPT uses 9 Wh per request",
        "training Zorblax used 1,287 MWh",
        "Gemini training used 1,287 MWh",
        "an A100 draws 750 W",
        "GPT-4 was trained on 25,000 H100",
        "the moon is 384,400 km away",
        "how much energy does ChatGPT use?",
        "1,287 MWh",
    ],
)
def test_a_thing_or_a_figure_alone_finds_nothing(words):
    assert find_claims(LIBRARY, words)[0] == []


@pytest.mark.parametrize(("claim_id", "factor"), [("claim-bert-training-22-to-28-kg", None), ("claim-switch-transformer-training-59-t", 1.002), ("claim-gshard-training-4.3-t", 1.0)])
def test_a_claim_is_measured_against_the_figure_that_it_repeats(claim_id, factor):
    verdict = call("check_claim", {"claim": claim_id}).verdict
    assert verdict is not None and (verdict.verdict, verdict.factor) == ("mostly true", factor)


def test_the_longest_name_stands():
    assert read(LIBRARY, "126 Danish homes").things["comparator"] == {"dk-home-year"}


def test_facts_of_the_primary_source_with_the_right_figure_come_along():
    assert "t5-11b-training-energy" in [fact.id for fact in related_facts(LIBRARY, LIBRARY.claim("claim-t5-training-86-mw"))]


@given(st.text(max_size=120))
def test_any_words_are_a_claim_or_are_refused(words):
    try:
        estimate = call("check_claim", {"claim": words})
    except KilowhatError as error:
        assert error.code in ("missing_input", "invalid_arguments", "unknown_name")
    else:
        assert estimate.verdict is not None


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: f"{slip.factor:g} {slip.too_large}")
def test_a_slip_is_found_from_either_side(slip):
    unit = {(("energy", 1),): "kWh", (("energy", 1), ("time", -1)): "kW", (("mass", 1),): "kg", (): "ratio"}[slip.dimensions[0]] if slip.dimensions else "L"
    large, small = find_slip(Quantity(slip.factor, unit), Quantity(1.0, unit)), find_slip(Quantity(1.0, unit), Quantity(slip.factor, unit))
    assert (large, small) == (slip.too_large, slip.too_small)
    assert find_slip(Quantity(1.02 * slip.factor, unit), Quantity(1.0, unit)) is not None
    assert find_slip(Quantity(1.07 * slip.factor, unit), Quantity(1.0, unit)) != slip.too_large


def test_no_slip_explains_what_no_slip_explains():
    assert find_slip(Quantity(7, "kWh"), Quantity(1, "kWh")) is None
    assert find_slip(Quantity(0, "kWh"), Quantity(1, "kWh")) is None
    assert find_slip_of_kind(Quantity(86, "MW"), Quantity(1, "MWh")) is None


@pytest.mark.parametrize(
    ("stated", "found", "slip"),
    [
        ((86, "MW"), (85.7, "MWh"), "MWh printed as MW"),
        ((86, "MWh"), (86, "MW"), "MW printed as MWh"),
        ((80, "GWh"), (80 / 24, "GW"), "the energy of a day set beside a power"),
        ((3, "MW/h"), (3, "MW"), "MW per hour for MW or for MWh"),
        ((250e9, "USD"), (250e9, "page"), "things that were counted (pages) printed as US dollars"),
        ((250e9, "page"), (250e9, "USD"), "US dollars printed as things that are counted"),
    ],
)
def test_a_slip_of_kind_is_named(stated, found, slip):
    assert find_slip_of_kind(Quantity(*stated), Quantity(*found)) == slip


@given(stated=st.floats(1e-6, 1e6), factor=st.floats(1.001, 1e4))
def test_the_verdict_follows_the_factor_and_not_the_side(stated, factor):
    verdicts = [call("check_claim", {"stated": f"{stated * times!r} kWh", "recompute": f"{stated!r} kWh"}).verdict for times in (factor, 1 / factor)]
    wanted = "true" if factor <= 1.05 else "mostly true" if factor <= 1.2 else "false"
    if not any(math.isclose(factor, edge, rel_tol=1e-9) for edge in (1.05, 1.2)):
        assert [verdict.verdict for verdict in verdicts] == [wanted, wanted]
    assert all(math.isclose(verdict.factor, factor, rel_tol=1e-3) for verdict in verdicts)
