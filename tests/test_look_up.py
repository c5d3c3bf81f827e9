"""Look-up by ids: several at once, claims as well as facts."""

import pytest

from kilowhat.tools import KilowhatError, call


@pytest.mark.parametrize("between", [", ", ",", "; ", "\n", "、"])
def test_several_ids_find_what_they_name_in_their_order(between):
    ids = ["phone-charge-energy-epa", "gpt-3-training-energy", "electricity-fra-intensity"]
    estimate = call("look_up_references", {"query": between.join(ids)})
    assert [entry.fact_id for entry in estimate.inputs] == ids
    assert estimate.results[0].value == 0.019


def test_the_id_of_a_claim_finds_the_claim_with_its_verdict_and_nothing_to_calculate_from():
    estimate = call("look_up_references", {"query": "claim-netflix-hour-0.8-kwh"})
    assert estimate.citations[0].fact_id == "claim-netflix-hour-0.8-kwh"
    assert estimate.verdict is not None and (estimate.verdict.verdict, estimate.verdict.claimed) == ("false", "0.8 kWh")
    assert estimate.results == [] and [warning.code for warning in estimate.warnings] == ["press_claim"]


def test_ids_of_facts_and_claims_together_are_all_cited():
    estimate = call("look_up_references", {"query": "claim-iea-increase-as-germany, fact:gpt-3-training-energy"})
    assert {"claim-iea-increase-as-germany", "gpt-3-training-energy"} <= {citation.fact_id for citation in estimate.citations}
    assert [result.quantity for result in estimate.results] == ["training-energy"]


def test_one_id_of_several_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(KilowhatError) as refused:
        call("look_up_references", {"query": "gpt-3-training-energy, gpt-3-training-enrgy"})
    assert (refused.value.code, refused.value.field) == ("unknown_name", "query")
    assert "gpt-3-training-energy" in refused.value.nearest
