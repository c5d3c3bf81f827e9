"""The reference library: its rules hold, its names resolve, and every mistake in it is an error that says which."""

from __future__ import annotations

import json
import math
import re
import shutil
import unicodedata
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.tools import Library
from kilowhat.tools.core import compile as library_compiler
from kilowhat.tools.core import electricity
from kilowhat.tools.core.errors import KilowhatError, NotPublished, UnknownName
from kilowhat.tools.core.place import find_place
from kilowhat.tools.core.reference import COMPILED, Claim, Fact, fold, intensity

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load()


# The whole library


def test_every_rule_holds_and_the_compiled_file_is_current() -> None:
    compiled = library_compiler.text(library_compiler.build())
    assert COMPILED.read_text("utf-8") == compiled, "run python -m kilowhat.tools.core.compile"


def test_it_holds_what_the_tools_stand_on(library: Library) -> None:
    facts = list(library)
    assert len(facts) == len(library) >= 400
    assert sum(fact.locator is not None and fact.printed is not None for fact in facts) >= 300
    assert len(library.claims) == 135
    assert len(library.countries) == len(electricity.zones()) == 215


def test_its_version_names_the_electricity_series_that_is_installed(library: Library) -> None:
    checked, _, series = library.version.partition("+")
    assert checked == max(fact.checked.on for fact in library)
    assert series == f"ecologits-{electricity.SERIES}"
    assert version("ecologits").startswith(f"{electricity.SERIES}.")


def test_every_default_can_be_put_a_finger_on(library: Library) -> None:
    defaults = [fact for fact in library if fact.default]
    assert len(defaults) > 100
    for fact in defaults:
        assert fact.locator, fact.id
        assert fact.printed or fact.kind in ("derived", "assumed"), fact.id
        assert fact.checked.against != "unverified", fact.id
        assert library.default(fact.subject, **fact.scope).default, fact.id


def test_every_fact_is_a_positive_figure_with_a_source_and_a_day(library: Library) -> None:
    for fact in library:
        assert math.isfinite(fact.quantity.value), fact.id
        assert fact.quantity.value >= 0 or fact.unit in ("ratio", "percent"), fact.id
        assert library.source(fact.source).title, fact.id
        assert date.fromisoformat(fact.checked.on).year >= 2024, fact.id
        assert fact.as_of is None or re.fullmatch(r"\d{4}(-\d\d){0,2}", fact.as_of), fact.id


def test_every_link_is_one(library: Library) -> None:
    for source_id in library.sources:
        url = library.source(source_id).url
        assert url is None or re.fullmatch(r"https?://[^\s<>\"]+", url), source_id


def test_every_claim_that_is_wrong_says_why(library: Library) -> None:
    for claim_id in library.claims:
        claim = library.claim(claim_id)
        assert len(claim.why) > 10, claim_id
        assert claim.verdict in ("true", "mostly true") or claim.failure, claim_id


def test_every_country_has_carbon_and_water(library: Library) -> None:
    for zone in library.countries:
        assert 0 <= intensity(library.fact(electricity.intensity_fact_id(zone))) < 2, zone
        assert library.fact(electricity.water_fact_id(zone)).in_unit("L/kWh").value >= 0, zone


def test_the_facts_of_countries_hold_the_rules_of_written_ones(library: Library) -> None:
    for fact_id, raw in electricity.country_facts(library.countries).items():
        fact = Fact.model_validate(raw)
        library_compiler.check_fact(fact)
        assert fact.id == fact_id
        assert fact.source in library.sources


# Names


@pytest.mark.parametrize("spelling", ["llama-3.1-405b", "Llama 3.1 405B", "LLAMA3.1-405B", "llama_3_1_405b", "Ｌｌａｍａ　３．１　４０５Ｂ"])
def test_a_name_resolves_however_it_is_spelled(spelling: str, library: Library) -> None:
    assert library.name("runs", spelling).id == "llama-3-1-405b"


@pytest.mark.parametrize(
    ("kind", "spelling", "name_id"),
    [
        ("tasks", "Image Generation", "image-generation"),
        ("tasks", "图像生成", "image-generation"),
        ("tasks", "génération d’images", "image-generation"),
        ("hardware", "h100", "nvidia-h100-sxm"),
        ("hardware", "NVIDIA A100 80GB", "nvidia-a100-sxm-80gb"),
        ("services", "chat GPT", "chatgpt"),
        ("comparators", "手机充电", "phone-charge"),
        ("models", "SDXL", "stable-diffusion-xl-base-1.0"),
        ("runs", "gpt3", "gpt-3"),
        ("runs", "BLOOM", "bloom-176b"),
    ],
)
def test_other_names_of_a_thing(kind: str, spelling: str, name_id: str, library: Library) -> None:
    assert library.name(kind, spelling).id == name_id


@pytest.mark.parametrize("kind", ["tasks", "models", "services", "runs", "hardware", "providers", "places", "comparators", "forecasts", "topics"])
def test_every_spelling_finds_its_own_thing(kind: str, library: Library) -> None:
    assert library.names(kind)
    for name_id in library.names(kind):
        named = library.named(kind, name_id)
        for spelling in (named.id, named.name, *named.aliases):
            assert library.name(kind, spelling).id == name_id


@pytest.mark.parametrize(
    ("kind", "typo", "near"), [("runs", "GTP-3", "GPT-3"), ("hardware", "H900", "NVIDIA H100 SXM"), ("tasks", "image generaton", "image generation"), ("services", "ChatGBT", "ChatGPT")]
)
def test_an_unknown_name_is_an_error_with_the_nearest_ones(kind: str, typo: str, near: str, library: Library) -> None:
    with pytest.raises(UnknownName, match="Near it") as caught:
        library.name(kind, typo, field="model")
    assert near in caught.value.nearest
    assert caught.value.as_dict()["error"]["field"] == "model"


def test_unknown_facts_and_claims_are_errors_with_the_nearest_ones(library: Library) -> None:
    with pytest.raises(UnknownName) as caught:
        library.fact("gpt-3-training-enegry")
    assert caught.value.nearest[0] == "gpt-3-training-energy"
    with pytest.raises(UnknownName) as caught:
        library.claim("claim-gpt-3-training-1287-mw")
    assert caught.value.nearest[0] == "claim-gpt-3-training-1287-mwh"


def test_what_nobody_published_soundly_is_no_default(library: Library) -> None:
    with pytest.raises(NotPublished, match="sound enough"):
        library.default("task-energy", task="image-generation", model="midjourney")


@given(st.text(max_size=60))
def test_spelling_is_folded_once_and_for_all(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(f" {text}-") == fold(text)


@given(st.text(max_size=200), st.sampled_from(["runs", "hardware", "places"]))
def test_any_text_is_a_name_or_refused(text: str, kind: str) -> None:
    library = Library.load()
    try:
        assert library.name(kind, text).id in library.names(kind)
    except KilowhatError as error:
        assert error.code == "unknown_name"
        assert len(error.message) < 400


# Places


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("NO", "NOR"),
        ("no", "NOR"),
        ("Norway", "NOR"),
        ("挪威", "NOR"),
        ("Norvège", "NOR"),
        ("FR", "FRA"),
        ("法国", "FRA"),
        ("Deutschland", "DEU"),
        ("米国", "USA"),
        ("US", "USA"),
        ("UK", "GBR"),
        ("IN", "IND"),
        ("臺灣", "TWN"),
        ("world", "WOR"),
    ],
)
def test_a_country_by_code_or_by_name_in_our_languages(text: str, country: str, library: Library) -> None:
    place = find_place(library, text)
    assert place.country == country
    assert place.intensity.id == electricity.intensity_fact_id(country)
    assert place.water is not None


@pytest.mark.parametrize(("text", "country"), [("California", "USA"), ("us-west-2", "USA"), ("内蒙古", "CHN"), ("Oregon", "USA")])
def test_a_place_inside_a_country_has_its_own_figure(text: str, country: str, library: Library) -> None:
    place = find_place(library, text)
    assert place.country == country
    assert place.intensity.id != electricity.intensity_fact_id(country)


@pytest.mark.parametrize(("text", "near"), [("Frankrich", "France"), ("norge", "Norway"), ("Californa", "California")])
def test_no_place_is_put_in_for_another_one(text: str, near: str, library: Library) -> None:
    with pytest.raises(UnknownName, match="no place whose electricity is known") as caught:
        find_place(library, text)
    assert near in caught.value.nearest


@pytest.mark.parametrize("text", ["", "-", "xyzzy", "\u200b", "🇳🇴", "GPT-3"])
def test_what_is_no_place_is_refused(text: str, library: Library) -> None:
    with pytest.raises(UnknownName):
        find_place(library, text)


# Search


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("GPT-3 training energy", "gpt-3-training-energy"),
        ("Luccioni image generation mean", "image-generation-energy"),
        ("2.907 kWh", "image-generation-energy"),
        ("Gemini prompt energy", "gemini-prompt-energy"),
        ("Llama 3.1 405B training emissions", "llama-3-1-405b-training-emissions"),
        ("carbon intensity of electricity in Norway", "electricity-nor-intensity"),
        ("PUE Google", "pue-google-2025"),
    ],
)
def test_the_best_fact_comes_first(query: str, first: str, library: Library) -> None:
    assert library.search(query)[0].id == first


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("phone charge", "phone-charge"),
        ("手机充电", "phone-charge"),
        ("三峡", "three-gorges"),
        ("法国", "fra-"),
        ("H100 power", "h100"),
        ("US home electricity per year", "us-home-year"),
        ("training BLOOM emissions", "bloom"),
    ],
)
def test_what_is_found_is_about_what_was_asked(query: str, word: str, library: Library) -> None:
    found = library.search(query)
    assert len(found) >= 2
    assert all(word in record.id for record in found[:3])


def test_a_search_keeps_to_its_limit_and_subject(library: Library) -> None:
    assert len(library.search("training energy", limit=3)) == 3
    assert {record.subject for record in library.search("Google", subject="pue", limit=20)} == {"pue"}
    assert library.search("xyzzy plugh") == []
    assert library.search("") == []


def test_claims_and_facts_are_found_together(library: Library) -> None:
    found = {record.id: record for record in library.search("GPT-3 training 1287 MWh")}
    assert isinstance(found["gpt-3-training-energy"], Fact)
    assert isinstance(found["claim-gpt-3-training-1287-mwh"], Claim)


@given(st.text(max_size=300))
def test_any_text_can_be_searched_for(text: str) -> None:
    assert len(Library.load().search(text)) <= 5


# One small file per mistake. Its first line says where in the library it is put, and the words of the error.


def test_the_small_library_is_sound() -> None:
    content = json.loads(library_compiler.text(library_compiler.build(HERE / "tiny_library")))
    library = Library(content)
    assert library.version == f"2024-06-03+ecologits-{electricity.SERIES}"
    assert library.fact("lamp-power").scope == {"task": "lighting", "place": "NO"}
    assert library.fact("lamp-flicker-energy").quantity.value == 1e-6
    assert library.source("almanac-2024").published == "2024-06-01"
    assert library.name("tasks", "照明").id == "lighting"


@pytest.mark.parametrize("file", BROKEN, ids=[file.stem for file in BROKEN])
def test_a_mistake_is_an_error_that_says_which(file: Path, tmp_path: Path) -> None:
    place, words = file.read_text("utf-8").partition("\n")[0].removeprefix("# ").split(": ", 1)
    folder = shutil.copytree(HERE / "tiny_library", tmp_path / "library")
    shutil.copy(file, folder / place)
    with pytest.raises(library_compiler.LibraryError) as caught:
        library_compiler.build(folder)
    assert words in str(caught.value)


def test_there_is_a_file_for_every_mistake() -> None:
    assert len(BROKEN) >= 50


def test_the_check_fails_where_the_compiled_file_is_not_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "library.json"
    stale.write_text("{}", "utf-8")
    monkeypatch.setattr(library_compiler, "COMPILED", stale)
    assert library_compiler.main(["--check"]) == 1
    assert "is not current" in capsys.readouterr().out


def strings(content):
    """Yield every text of a JSON document, keys included."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from (key, *strings(value))
    elif isinstance(content, list | tuple):
        for value in content:
            yield from strings(value)


def test_no_text_that_reaches_a_model_or_a_page_hides_a_character(library):
    """No control, direction, zero-width or private character in what is written here, nor in what a package brings: all
    of it can stand in an answer, and an unseen character can turn a line around or carry an instruction."""
    shipped = [path for folder in ("tools", "plugin", "manifest") for path in sorted((HERE.parent / folder).rglob("*.json"))]
    texts = [text for path in shipped for text in strings(json.loads(path.read_text("utf-8")))]
    texts += strings(dict(library.countries))
    texts += [library.fact(electricity.intensity_fact_id(zone)).statement for zone in library.countries]
    assert len("".join(texts)) > 1_000_000
    hidden = {(character, text) for text in texts for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")}
    assert {(character, text) for character, text in hidden if character != "\n"} == set()
