"""Several things in one answer: each row cites what it rests on, amounts of work are added up, and what counts different things says so."""

import re

import pytest

from kilowhat.plugin import ask

ROW = re.compile(r"^\| (?P<thing>[^|]+) \| \*\*(?P<value>[^*]+)\*\* (?P<notes>(?:\[\d+\])+) \|", re.MULTILINE)


def rows(reply):
    """Return the rows of the table of an answer: the facts that each cites, by what it is of."""
    cited = {citation.number: citation.fact_id for citation in reply.citations}
    return {row["thing"]: {cited[int(number)] for number in re.findall(r"\d+", row["notes"])} for row in ROW.finditer(reply.text)}


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        ("100 H200 and 50 A100 for 10 days with PUE 1.2", [{"nvidia-h200-sxm-rated-power"}, {"nvidia-a100-sxm-80gb-rated-power"}]),
        ("1000 images and 3 H100 for a day", [{"image-generation-energy"}, {"nvidia-h100-sxm-rated-power"}]),
        ("10 H100 and 10 H200 for a week", [{"nvidia-h100-sxm-rated-power"}, {"nvidia-h200-sxm-rated-power"}]),
    ],
)
def test_each_row_cites_its_own_facts_and_the_last_one_is_the_total(question, facts):
    reply = ask(question)
    *each, (total, behind) = rows(reply).items()
    assert [cited for _, cited in each] == facts
    assert total == "together" and behind == set().union(*facts)
    heads = [call.estimate.results[0].value for call in reply.tool_calls]
    assert heads[2] == pytest.approx(heads[0] + heads[1])


@pytest.mark.parametrize(
    ("question", "word"), [("1000 Bilder und 3 H100 für einen Tag", "zusammen"), ("1000 images et 3 H100 pendant un jour", "ensemble"), ("1000 张图片加 3 块 H100 一天用多少电", "合计")]
)
def test_the_total_is_told_in_the_language_of_the_question(question, word):
    assert f"| {word} | " in ask(question).text


@pytest.mark.parametrize("question", ["GPT-5 vs GPT-4o vs Gemini", "which uses more: GPT-4o, Gemini or ChatGPT?", "training GPT-3 and BLOOM"])
def test_one_request_or_one_run_of_each_is_not_added_up_and_every_row_is_cited(question):
    reply = ask(question)
    things = [line for line in reply.text.splitlines() if line.startswith("| ") and "**" in line]
    assert len(things) > 1 and len(rows(reply)) == len(things) and "together" not in rows(reply)


def test_a_row_cites_what_is_its_own_before_what_all_share():
    gemini = "gemini-prompt-energy"
    cited = rows(ask("GPT-5 vs GPT-4o vs Gemini"))
    assert cited.pop("one request to Gemini") == {gemini}
    assert all(any(fact_id.startswith(name) for fact_id in facts) for name, facts in zip(("gpt-4o", "gpt-5"), cited.values(), strict=True))


@pytest.mark.parametrize("question", ["GPT-4o vs Gemini", "energy of one GPT-4o request"])
def test_the_published_figure_outside_the_range_is_told_in_a_comparison_as_in_a_single_answer(question):
    line = next(line for line in ask(question).text.splitlines() if line.startswith("- ") and "J. You 2025" in line)
    assert "0.3 Wh" in line and ("one request to GPT-4o" in line) is ("vs" in question)


# Places that count different things

MIXED = {
    "en": ("2 MWh: Quebec or Sweden", "count different things", "The order of Quebec and Sweden is not sure"),
    "fr": ("2 MWh : Québec ou Suède", "ne comptent pas la même chose", "l'ordre entre Québec et Suède n'est pas sûr"),
    "de": ("2 MWh: Quebec oder Schweden", "zählen Verschiedenes", "nicht sicher"),
    "es": ("2 MWh en Quebec o en Suecia, ¿dónde se emite menos carbono?", "no cuentan lo mismo", "no es seguro"),
    "zh-Hans": ("2 MWh 在上海还是瑞典碳排放更低？", "口径不同", ""),
    "zh-Hant": ("2 MWh 在魁北克還是瑞典碳排放更低？", "口徑不同", ""),
    "ja": ("2 MWhの電力をスウェーデンと上海で使うと、CO2はどちらが少ない？", "数える範囲が異なる", ""),
}


@pytest.mark.parametrize("language", MIXED)
def test_places_that_count_different_things_are_set_beside_each_other_with_a_warning(language):
    question, differ, order = MIXED[language]
    reply = ask(question)
    body = reply.text.partition("\n\n")[0]
    assert reply.language == language and differ in body and order in body
    counted = next(line for line in body.splitlines() if line.startswith(("Counted", "Compris", "Mitgezählt", "Incluye", "计入", "計入", "含むもの")))
    assert len(re.split(r";\s|；\s?|、", counted)) >= 2, counted


def test_a_figure_of_the_country_beside_one_of_its_part_says_so():
    assert "- 381 kg CO2e, Canada, EcoLogits" in ask("2 MWh in Quebec").text
