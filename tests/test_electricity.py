"""How far published intensities of one place lie apart, recomputed; and what holds for place, time and water whatever is told."""

import csv
import itertools
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean, quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import KilowhatError, Library, call
from kilowhat.tools.choose_place_and_time import CASES, best_pausing, window_means
from kilowhat.tools.core.electricity import intensity_fact_id
from kilowhat.tools.core.place import CLEANEST, DIRTIEST, agreement_range, basis_in_words, find_place

LIBRARY = Library.load()
PUBLISHED = Path(__file__).parent.parent / ".." / "shared" / "reference"
needs_tables = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published tables are not in ../shared/reference")


def agreement(case):
    """The interval that widens results: (low, high)."""
    quantity = LIBRARY.default("method-constant", case=case).quantity
    return quantity.low, quantity.high


CEILING, FLOOR = (LIBRARY.fact(fact_id).in_unit("g CO2e/kWh").value for fact_id in (DIRTIEST, CLEANEST))


def odds(intensity, floor=0.0):
    """How far an intensity in g/kWh lies from a clean grid to the dirtiest."""
    return (intensity + floor) / (CEILING - intensity)


def middle(values):
    """The quantiles 0.1 and 0.9, in two decimals."""
    deciles = quantiles(values, n=10, method="inclusive")
    return round(deciles[0], 2), round(deciles[-1], 2)


def table(name):
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def series(zone):
    """The national average in use, in g/kWh."""
    return LIBRARY.fact(intensity_fact_id(zone)).in_unit("g CO2e/kWh").value


class TestHowFarPublishedFiguresLieApart:
    @needs_tables
    def test_national_averages(self):
        rows = [row for row in table("grid_intensity.csv") if row["level"] == "country" and row["source"].startswith(("Our World in Data", "Ember"))]
        ratios = [float(row["g_per_kwh"]) / series(row["code"]) for row in rows if row["code"] in LIBRARY.countries and float(row["g_per_kwh"]) > 0]
        assert len(ratios) == 419
        assert middle(ratios) == agreement("grid-intensity")

    @needs_tables
    def test_averages_inside_countries(self):
        pairs = {}
        for row in table("cloud_regions.csv"):
            place = LIBRARY.place_codes.get(row["region"])
            own = LIBRARY.named("places", place).get("intensity") if place else None
            if own and row["year"] == "2023" and row["grid_avg_consumption_g_per_kwh"]:
                pairs[own, row["electricity_maps_zone"]] = (LIBRARY.fact(own).in_unit("g CO2e/kWh").value, float(row["grid_avg_consumption_g_per_kwh"]))
        assert len(pairs) == 16
        factors = [(odds(other) / odds(own), odds(other, FLOOR) / odds(own, FLOOR)) for own, other in pairs.values()]
        assert (middle([factor for factor, _ in factors])[0], middle([factor for _, factor in factors])[1]) == agreement("grid-intensity-regional")
        facts = {own: [end * 1000 for end in agreement_range(LIBRARY, LIBRARY.fact(own))] for own, _ in pairs}
        assert sum(facts[own][0] <= other <= facts[own][1] for (own, _), (_, other) in pairs.items()) == 12

    @needs_tables
    def test_operating_margins(self):
        margins = {row["iso3"]: float(row["operating_margin_g_per_kwh"] or 0) for row in table("grid_marginal.csv")}
        codes = {told["alpha2"]: zone for zone, told in LIBRARY.countries.items()}
        measured = defaultdict(set)
        for row in table("cloud_regions.csv"):
            zone = codes.get(row["electricity_maps_zone"][:2])
            if row["year"] in ("2022", "2023") and row["grid_marginal_g_per_kwh"] and margins.get(zone):
                measured[zone].add((row["watttime_zone"], row["year"], float(row["grid_marginal_g_per_kwh"])))
        ratios = [fmean(value for _, _, value in found) / margins[zone] for zone, found in measured.items()]
        assert len(ratios) == 33
        assert middle(ratios) == agreement("grid-intensity-marginal")

    def test_on_site_water_of_single_sites(self):
        sites = [fact.quantity.value for fact in LIBRARY.find("wue-on-site", provider="microsoft") if "place" in fact.scope and fact.id != "wue-microsoft-us-average-2022"]
        assert len(sites) == 17
        assert middle(sites) == agreement("wue-of-a-site")

    def test_the_library_alone_shows_that_national_averages_lie_within(self):
        low, high = agreement("grid-intensity")
        rivals = [fact for fact in LIBRARY.find("grid-intensity", basis="average", boundary="life-cycle") if fact.scope["place"] in LIBRARY.countries]
        inside = [low <= fact.in_unit("g CO2e/kWh").value / series(fact.scope["place"]) <= high for fact in rivals]
        assert len(inside) >= 50
        assert fmean(inside) >= 0.8

    def test_and_averages_inside_countries(self):
        inside = [
            agreement_range(LIBRARY, own)[0] <= rival.in_unit("kg CO2e/kWh").value <= agreement_range(LIBRARY, own)[1]
            for own in LIBRARY.find("grid-intensity", basis="average")
            if own.default and own.scope["place"] not in LIBRARY.countries
            for rival in LIBRARY.find("grid-intensity", basis="average", place=own.scope["place"])
            if rival.id != own.id and not rival.scope.get("case", "").startswith("implied")
        ]
        assert len(inside) >= 10
        assert fmean(inside) >= 0.8

    def test_no_place_inside_a_country_may_lie_above_the_dirtiest_grid_known(self):
        assert max((series(zone), intensity_fact_id(zone)) for zone in LIBRARY.countries)[1] == DIRTIEST
        for place in LIBRARY.names("places"):
            fact = find_place(LIBRARY, place).intensity
            low, high = agreement_range(LIBRARY, fact)
            value = fact.in_unit("kg CO2e/kWh").value
            assert 0 < low < value < high < series("TKM") / 1000, place

    @pytest.mark.parametrize(("place", "at_most"), [("Alberta", 1.0), ("New South Wales", 1.0), ("Inner Mongolia", 1.0), ("Nunavut", 1.15)])
    def test_a_coal_grid_stays_below_what_lignite_emits(self, place, at_most):
        assert call("convert_energy_to_emissions", {"energy": "1 kWh", "region": place}).results[0].high < at_most

    def test_a_clean_grid_reaches_the_life_cycle_of_hydropower(self):
        assert call("convert_energy_to_emissions", {"energy": "1 kWh", "region": "Quebec"}).results[0].high > 0.024


class TestBasesAreKeptApart:
    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ({"region": "FR"}, "location-based"),
            ({"region": "us-west-2"}, "location-based"),
            ({"region": "FR", "factor": "marginal"}, "marginal"),
            ({"basis": "market", "provider": "Google"}, "market-based"),
            ({"basis": "market", "carbon_intensity_g_co2e_per_kwh": 10.0}, "market-based"),
            ({"factor": "marginal", "carbon_intensity_g_co2e_per_kwh": 10.0}, "marginal"),
            ({"carbon_intensity_g_co2e_per_kwh": 10.0}, "location-based"),
        ],
    )
    def test_label_and_boundary_name_the_basis(self, arguments, word):
        head = call("convert_energy_to_emissions", {"energy": "1 kWh", **arguments}).results[0]
        assert word in head.label
        assert head.boundary.startswith(word)

    def test_marginal_is_beside_no_average(self):
        estimate = call("convert_energy_to_emissions", {"energy": "1 kWh", "region": "DE", "factor": "marginal"})
        assert not estimate.alternatives
        assert [warning.code for warning in estimate.warnings] == ["marginal"]

    def test_a_location_based_average_is_beside_no_market_based_one(self):
        for place in ("CHN", "cn-north", "USA", "us-ia"):
            estimate = call("convert_energy_to_emissions", {"energy": "1 kWh", "region": place})
            assert all(LIBRARY.fact(other.fact_id).scope["basis"] == "average" for other in estimate.alternatives)

    def test_every_place_says_its_basis(self):
        for place in [*LIBRARY.names("places"), *LIBRARY.countries]:
            fact = find_place(LIBRARY, place).intensity
            assert basis_in_words(fact).startswith("location-based, average of a year; ")

    def test_every_year_that_is_offered_is_answered(self):
        for zone in LIBRARY.countries:
            try:
                call("convert_energy_to_emissions", {"energy": "1 kWh", "region": zone, "year": 1991})
            except KilowhatError as refused:
                assert (refused.code, refused.field) == ("not_published", "year")
                for year in refused.nearest:
                    estimate = call("convert_energy_to_emissions", {"energy": "1 kWh", "region": zone, "year": int(year)})
                    assert estimate.results[0].as_of.startswith(year)

    def test_a_place_inside_a_country_is_less_certain_than_the_country(self):
        country, subregion = (call("convert_energy_to_emissions", {"energy": "1 kWh", "region": region}).results[0] for region in ("USA", "us-west-2"))
        assert subregion.high / subregion.low > country.high / country.low > 1.1


class TestWater:
    @given(
        energy=st.floats(min_value=0.001, max_value=1e9),
        wue=st.floats(min_value=0, max_value=10),
        pue=st.floats(min_value=1, max_value=5),
        intensity=st.floats(min_value=0, max_value=50),
        boundary=st.sampled_from(["server", "facility"]),
    )
    def test_the_sum_is_that_of_its_parts(self, energy, wue, pue, intensity, boundary):
        told = {"energy": f"{energy!r} kWh", "wue_l_per_kwh": wue, "pue": pue, "water_intensity_l_per_kwh": intensity, "boundary": boundary}
        total, on_site, off_site = (result.value for result in call("convert_energy_to_water", told).results)
        computing, facility = (energy, energy * pue) if boundary == "server" else (energy / pue, energy)
        assert math.isclose(on_site, computing * wue, rel_tol=1e-9)
        assert math.isclose(off_site, facility * intensity, rel_tol=1e-9)
        assert math.isclose(total, on_site + off_site, rel_tol=1e-9)

    def test_every_site_of_the_study_is_reproduced_from_names(self):
        """Li et al. 2025, Table 1: their sites in the United States whose PUE, WUE and water intensity they print."""
        for run in LIBRARY.find("training-water", run="gpt-3"):
            place = run.scope["place"]
            pue = [fact for fact in LIBRARY.find("pue", provider="microsoft", place=place) if fact.as_of == "2022"]
            if pue and place.startswith("us-"):
                estimate = call("convert_energy_to_water", {"energy": "1287 MWh", "provider": "Microsoft", "region": place, "pue": pue[0].value})
                assert math.isclose(estimate.results[0].value, run.in_unit("L").value, rel_tol=0.0005), place

    @pytest.mark.parametrize("tool", ["convert_energy_to_water", "convert_energy_to_emissions", "estimate_fleet"])
    @pytest.mark.parametrize(
        ("region", "words"),
        [
            ("Singapore", "off-site water has the world average"),
            ("Hong Kong", "off-site water has the world average"),
            ("South Africa", "off-site water has the world average"),
            ("ERCOT", "is that of the average kWh in Texas"),
            ("us-central1", "is that of the average kWh in Iowa"),
            ("Oregon", "is that of the average kWh of United States"),
            ("Texas", None),
            ("France", None),
        ],
    )
    def test_it_says_whose_water_answers(self, tool, region, words):
        energy = {"count": 1.0, "power_w": 1000.0, "hours": 1.0} if tool == "estimate_fleet" else {"energy": "1 kWh"}
        said = " ".join(sentence for sentence in call(tool, {**energy, "region": region}).assumptions if "ff-site water" in sentence and "No PUE" not in sentence)
        assert (words in said) if words else not said

    def test_a_wue_alone_asks_for_the_site(self):
        def first(**told):
            return call("convert_energy_to_water", {"energy": "10 kWh", **told}).results[0].quantity

        assert first(wue_l_per_kwh=0.5) == "water-on-site"
        assert first(wue_l_per_kwh=0.5, region="FR") == first(provider="Google") == first() == "water"

    def test_a_fleet_stays_the_default_of_its_provider(self):
        assert LIBRARY.default("wue-on-site", provider="microsoft").id == "wue-microsoft-2025"
        assert LIBRARY.default("pue", provider="microsoft").id == "pue-microsoft-2025"

    @pytest.mark.parametrize(
        ("energy", "facility"),
        [
            ("10 kWh", False),
            ("fact:gpt-3-training-energy", True),
            ("estimate_fleet?count=1&power_w=1000&hours=1", False),
            ("estimate_fleet?count=1&power_w=1000&hours=1&pue=1.2", True),
            ("estimate_service?service=Gemini&requests_per_day=1000", True),
            ("estimate_task?task=image-generation&count=10", False),
        ],
    )
    def test_what_an_energy_counts_is_known_from_where_it_comes(self, energy, facility):
        estimate = call("convert_energy_to_water", {"energy": energy, "region": "FR"})
        assert ("energy_kwh" in {entry.name for entry in estimate.inputs}) is facility
        assert len(estimate.model_dump_json().encode()) <= 8192

    def test_every_provider_has_a_figure_or_is_refused(self):
        for provider in LIBRARY.names("providers"):
            try:
                estimate = call("convert_energy_to_water", {"energy": "1 kWh", "provider": provider})
            except KilowhatError as refused:
                assert (refused.code, refused.field) == ("not_published", "provider")
            else:
                assert len(estimate.results) == 3


intensities = st.lists(st.floats(min_value=0, max_value=5000), min_size=2, max_size=48)


class TestHours:
    @given(hourly=intensities, data=st.data())
    def test_the_best_window_is_the_lowest_of_all(self, hourly, data):
        duration = data.draw(st.integers(min_value=1, max_value=len(hourly)))
        brute = [math.fsum(hourly[start : start + duration]) / duration for start in range(len(hourly) - duration + 1)]
        found = window_means(hourly, float(duration))
        assert all(math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12) for left, right in zip(found, brute, strict=True))

    @given(hourly=intensities, data=st.data())
    def test_pausing_never_takes_more_and_no_start_takes_less_than_the_best(self, hourly, data):
        duration = data.draw(st.floats(min_value=0.25, max_value=len(hourly)))
        told = {"energy": "10 kWh", "hourly_intensity_g_co2e_per_kwh": hourly, "duration_h": duration}
        plain, pausing = (call("choose_place_and_time", {**told, "pausable": pausable}).results for pausable in (False, True))
        best, mean, worst = (result.value for result in plain[:3])
        assert best <= mean * (1 + 1e-9) <= worst * (1 + 1e-8) + 1e-9
        assert pausing[0].value <= best * (1 + 1e-9) + 1e-12

    @given(hourly=st.lists(st.integers(min_value=0, max_value=9).map(float), min_size=2, max_size=7), data=st.data())
    def test_the_cleanest_hours_are_the_best_of_all_choices(self, hourly, data):
        duration = data.draw(st.integers(min_value=1, max_value=len(hourly)))
        assert math.isclose(best_pausing(hourly, float(duration)).mean, min(fmean(chosen) for chosen in itertools.combinations(hourly, duration)), abs_tol=1e-12)

    def test_equal_hours_save_exactly_nothing(self):
        for result in call("choose_place_and_time", {"energy": "10 kWh", "hourly_intensity_g_co2e_per_kwh": [0.1] * 1000, "duration_h": 7.0}).results:
            assert result.value == 0 or result.quantity == "emissions"

    def test_a_year_of_hours_gives_a_small_estimate_that_says_it_cannot_be_repeated(self):
        hourly = [200 + 150 * math.sin(hour / 24 * 2 * math.pi) for hour in range(8784)]
        estimate = call("choose_place_and_time", {"energy": "10 kWh", "hourly_intensity_g_co2e_per_kwh": hourly, "duration_h": 4.0})
        assert len(estimate.model_dump_json().encode()) <= 8192
        assert "not_repeatable" in [warning.code for warning in estimate.warnings]
        assert estimate.results[-1].value == 16


class TestRegions:
    @given(places=st.lists(st.sampled_from([zone for zone in LIBRARY.countries if zone != "WOR"]), min_size=2, max_size=30, unique=True))
    def test_a_ranking_is_in_order_and_small(self, places):
        estimate = call("choose_place_and_time", {"energy": "100 kWh", "regions": places})
        emissions = [result.value for result in estimate.results if result.quantity == "emissions"]
        assert emissions == sorted(emissions)
        own = [series(zone) for zone in places]
        assert math.isclose(emissions[0], min(own) / 10, rel_tol=1e-9)
        assert math.isclose(emissions[-1], max(own) / 10, rel_tol=1e-9)
        assert len(estimate.model_dump_json().encode()) <= 8192
        if len(emissions) < len(places):
            assert all(str(LIBRARY.countries[zone]["name"]) in " ".join(estimate.assumptions) for zone in places)

    def test_a_place_is_never_answered_with_the_figure_of_another(self):
        places = ["us-west-2", "cn-north", "ca-qc", "FR", "eu", "europe-north1", "us-az", "USA"]
        own = {place: call("convert_energy_to_emissions", {"energy": "1 kWh", "region": place}).results[0] for place in places}
        for pair in itertools.combinations(places, 2):
            estimate = call("choose_place_and_time", {"energy": "1 kWh", "regions": list(pair)})
            found = [(result.value, result.low, result.high) for result in estimate.results if result.quantity == "emissions"]
            assert found == sorted((own[place].value, own[place].low, own[place].high) for place in pair), pair

    def test_bases_that_differ_are_named_and_the_order_is_sure_only_where_the_ranges_lie_apart(self):
        places = ["us-west-2", "cn-north", "ca-qc", "FR", "SWE", "europe-north1", "us-az", "POL", "us-tx", "DEU"]
        for pair in itertools.combinations(places, 2):
            estimate = call("choose_place_and_time", {"energy": "1 kWh", "regions": list(pair)})
            codes = {warning.code for warning in estimate.warnings}
            low, high = (result for result in estimate.results if result.quantity == "emissions")
            counted = [LIBRARY.fact(entry.fact_id).scope["boundary"] for entry in estimate.inputs if "intensity" in entry.name]
            assert ("bases_differ" in codes) is (counted[0] != counted[1]), pair
            assert ("order_not_sure" in codes) is (low.high >= high.low), pair
            if counted[0] != counted[1]:
                assert all(("stack" in result.boundary) is (boundary == "direct") for result, boundary in zip((low, high), counted, strict=True))

    @given(places=st.lists(st.sampled_from([*LIBRARY.names("places"), *LIBRARY.countries]), min_size=2, max_size=5, unique_by=lambda place: find_place(LIBRARY, place).id))
    def test_no_saving_is_beyond_what_there_is_to_save(self, places):
        for energy in ("100 kWh", "50-200 kWh"):
            estimate = call("choose_place_and_time", {"energy": energy, "regions": places})
            highest = [result for result in estimate.results if result.quantity == "emissions"][-1]
            for result in estimate.results:
                assert 0 <= result.low <= result.value <= result.high
                if result.quantity == "saving":
                    assert result.high <= highest.high * (1 + 1e-9)
                if result.quantity == "saving-share":
                    assert result.high <= 100
                    assert result.unit == "%"
                if result.quantity == "ratio":
                    assert result.low >= 1

    def test_thirty_regions_for_a_chained_energy_stay_small(self):
        zones = [zone for zone in LIBRARY.countries if zone != "WOR"][:30]
        estimate = call("choose_place_and_time", {"energy": "estimate_task?task=image-generation&count=1000&region=FR", "regions": zones})
        assert len(estimate.model_dump_json().encode()) <= 8192

    def test_order_that_is_not_sure_is_said(self):
        codes = [warning.code for warning in call("choose_place_and_time", {"energy": "1 kWh", "regions": ["us-west-2", "us-east-1"]}).warnings]
        assert "order_not_sure" in codes
        codes = [warning.code for warning in call("choose_place_and_time", {"energy": "1 kWh", "regions": ["Norway", "Poland"]}).warnings]
        assert "order_not_sure" not in codes
        assert "more_water" in codes

    @pytest.mark.parametrize("case", CASES)
    def test_every_published_case_has_its_numbers_in_facts(self, case):
        estimate = call("choose_place_and_time", {"case": case})
        assert all(entry.fact_id for entry in estimate.inputs)
