"""Claims as people put them: each is judged by the very quantity, thing and count that it tells, in every language, or gets no verdict."""

import re

import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.wording import wording
from kilowhat.tools import Library, call
from kilowhat.tools.core.estimate import as_quantity
from kilowhat.tools.core.units import ENERGY


def first(reply):
    return as_quantity(reply.results[0])


@pytest.mark.parametrize(
    ("claim", "verdict", "kilowatts"),
    [
        ("Is it true that 100,000 H100 use 70 MW?", "true", 70_000),
        ("8 H100 draw 5.6 kW?", "true", 5.6),
        ("16 A100 use 6.4 kW?", "true", 6.4),
        ("Is it true that 1000 H100 draw 70 kW?", "false", 700),
        ("a rack of 8 DGX H100 draws 82 kW, right?", "true", 81.6),
        ("16 A100 verbrauchen 6,4 kW?", "true", 6.4),
        ("16 A100 consomment 6,4 kW ?", "true", 6.4),
        ("¿Es verdad que 16 A100 consumen 6,4 kW?", "true", 6.4),
        ("16块A100耗电6.4千瓦，对吗？", "true", 6.4),
        ("16張A100耗電6.4千瓦，對嗎？", "true", 6.4),
        ("A100 16台で6.4 kWを消費する、本当ですか？", "true", 6.4),
        ("Can 20 H100 run on less than 10 kW?", "false", 14),
    ],
)
def test_a_power_is_that_of_all_devices_together(claim, verdict, kilowatts):
    reply = ask(claim)
    assert reply.verdict == verdict
    assert first(reply).to("kW").value == pytest.approx(kilowatts)


def test_a_power_is_that_of_the_devices_asked_about_before():
    turns = [("user", "How much power does an L4 draw?"), ("assistant", "72 W"), ("user", "so 500 of them would be 36 kW, right?")]
    assert ask([{"role": role, "content": text} for role, text in turns]).verdict == "true"


def test_a_power_of_each_is_no_claim():
    assert ask("8 H100 at 700 W").verdict is None


@pytest.mark.parametrize(
    "claim",
    [
        "ChatGPT query uses 10 times a Google search and 3 Wh?",
        "a ChatGPT query takes 3 Wh, ten times a Google search?",
        "eine ChatGPT-Anfrage verbraucht 3 Wh?",
        "Eine ChatGPT-Anfrage braucht 10-mal so viel wie eine Google-Suche und 3 Wh?",
        "Une requête ChatGPT consomme 10 fois une recherche Google ?",
    ],
)
def test_a_ratio_multiplies_no_other_figure(claim):
    reply = ask(claim)
    assert reply.verdict == "outdated"
    assert all(as_quantity(result).to("Wh").value <= 3 for result in reply.results if result.quantity == "energy")


def test_a_ratio_is_no_rate():
    assert ask("I ask ChatGPT 10 times an hour, how much energy?").tool_calls[0].arguments["requests_per_day"] == 240


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("a Gemini prompt uses less energy than nine seconds of television?", "true"),
        ("a Gemini prompt uses more energy than nine seconds of television", "false"),
        ("Eine Gemini-Anfrage verbraucht weniger Energie als neun Sekunden Fernsehen, stimmt das?", "true"),
        ("Une requête Gemini consomme moins d'énergie que neuf secondes de télévision ?", "true"),
        ("一次Gemini提问比看九秒电视更省电，对吗？", "true"),
        ("ChatGPT uses less than 1 Wh per query?", "true"),
        ("ChatGPT verbraucht weniger als 1 Wh pro Anfrage?", "true"),
        ("ChatGPT consomme moins de 1 Wh par requête ?", "true"),
        ("ChatGPT gasta menos de 1 Wh por consulta, ¿verdad?", "true"),
        ("一次ChatGPT提问不到1瓦时？", "true"),
        ("ChatGPTの質問1回は1 Wh未満ですか？", "true"),
        ("Does a Gemini prompt emit more than 1 g CO2?", "false"),
        ("training GPT-4 consumed more electricity than Portugal generates in a year", "false"),
        ("L'entraînement de GPT-4 a consommé plus d'électricité que le Portugal en un an", "false"),
        ("Das Training von GPT-4 verbrauchte mehr Strom als Portugal in einem Jahr, stimmt das?", "false"),
        ("El entrenamiento de GPT-4 consumió más electricidad que Portugal en un año, ¿verdad?", "false"),
        ("训练GPT-4比葡萄牙一年发的电还多，对吗？", "false"),
        ("訓練GPT-4比葡萄牙一年發的電還多，對嗎？", "false"),
        ("GPT-4の学習はポルトガルの年間発電量より多くの電力を使った、本当ですか？", "false"),
        ("data centres use more electricity than Germany", "false"),
        ("training GPT-4 in Portugal used more than 40 GWh", "true"),
        ("an hour of Netflix uses less than 100 ChatGPT prompts", "false"),
        ("AI image uses less energy than charging a phone?", "true"),
        ("ChatGPT uses more electricity than Kenya", "false"),
        ("Bitcoin uses more electricity than Argentina", "false"),
        ("Gemini verbraucht nicht mehr als 1 Wh pro Anfrage, oder?", "true"),
    ],
)
def test_what_is_said_to_be_more_or_less_is_judged_so(claim, verdict):
    assert ask(claim).verdict == verdict


def test_a_country_is_a_place_where_two_are_compared():
    assert ask("8 H100 in Germany emit more than in France for a week").tool_calls[0].arguments["regions"] == ["DEU", "FRA"]


@pytest.mark.parametrize(
    "claim",
    [
        "ChatGPT uses 850 MWh a day?",
        "ChatGPT uses 1 GWh a day",
        "ChatGPT verbraucht 850 MWh am Tag, stimmt das?",
        "ChatGPT consomme 700 MWh par jour, vrai ?",
        "ChatGPTは1日に1 GWhの電力を使う、本当ですか？",
        "ChatGPT uses 300 GWh a year",
        "ChatGPT一天用电850兆瓦时，对吗？",
    ],
)
def test_a_figure_inside_the_range_of_an_estimate_is_not_false(claim):
    assert ask(claim).verdict == "mostly true"


@pytest.mark.parametrize(("tonnes", "verdict"), [(300, "false"), (15_000, "unsupported"), (20_000, "true"), (40_000, "false")])
def test_a_rough_estimate_shows_no_near_figure_false(tonnes, verdict):
    reply = ask(f"training GPT-4 emitted {tonnes} tonnes")
    assert reply.verdict == verdict
    assert first(reply).to("t CO2e").value == pytest.approx(19_520)


@pytest.mark.parametrize(
    "claim",
    [
        "ChatGPT uses 500 ml of water for every 10 to 50 answers",
        "a conversation of 20 questions with ChatGPT uses half a litre",
        "¿Es verdad que ChatGPT gasta 500 ml de agua por cada 20 preguntas?",
        "ChatGPT 每回答20到50個問題就要喝掉500毫升水，是真的嗎？",
        "ChatGPT每回答20个问题就要用掉500毫升水，真的吗？",
        "Stimmt es, dass ChatGPT für 20 Fragen einen halben Liter Wasser verbraucht?",
        "ChatGPT boit un demi-litre d'eau pour 20 questions, vrai ?",
        "ChatGPTは20の質問で500 mLの水を使う、本当ですか？",
    ],
)
def test_one_claim_has_one_verdict_in_every_wording(claim):
    reply = ask(claim)
    assert reply.verdict == "mostly true"
    assert reply.citations[0].fact_id == "claim-gpt-3-bottle-for-10-to-50-answers"


@pytest.mark.parametrize("claim", ["AI is responsible for 3% of global emissions?", "data centres use 2% of EU electricity?", "data centres are 1% of global emissions?"])
def test_no_figure_of_another_quantity_or_place_judges_a_claim(claim):
    reply = ask(claim)
    assert reply.verdict is None
    assert reply.text.startswith("No verdict") and "Share of" in reply.text


@pytest.mark.parametrize(
    "claim", ["Google's emissions rose 48% because of AI?", "Microsoft's emissions grew 29% because of AI, right?", "Die Emissionen von Google sind wegen KI um 48 % gestiegen, stimmt das?"]
)
def test_a_growth_is_no_share(claim):
    reply = ask(claim)
    assert (reply.outcome, reply.verdict, reply.results) == ("declined", None, [])


def test_cars_beside_a_training_are_cars_over_their_lives():
    reply = ask("training GPT-3 emitted as much as 5 cars?")
    assert reply.verdict == "false"
    assert "car-lifetime" in str(reply.tool_calls[0].arguments)


@pytest.mark.parametrize(
    ("claim", "verdict", "cited"),
    [
        ("AI will use as much electricity as Japan by 2026", "misleading", "claim-ai-2026-as-japan"),
        ("L'IA consommera autant d'électricité que le Japon en 2026", "misleading", "claim-ai-2026-as-japan"),
        ("Bis 2026 verbrauchen Rechenzentren so viel Strom wie Japan, stimmt das?", "outdated", "claim-data-centres-2026-as-japan"),
        ("到2026年，AI的用电量将相当于日本，真的吗？", "misleading", "claim-ai-2026-as-japan"),
        ("5-second AI video uses 944 Wh?", "misleading", "claim-video-of-five-seconds-944-wh"),
        ("IEA(2025 年報告)說 2030 年全球資料中心用電約 945 TWh,沒錯吧?", "true", "world-data-centres-2030-iea-2025-base"),
        ("J'ai lu que Mistral Large 2 a consommé 281 000 m³ d'eau en dix-huit mois. Exact ?", "true", "mistral-large-2-training-and-use-water"),
    ],
)
def test_what_the_library_holds_is_found_as_people_say_it(claim, verdict, cited):
    reply = ask(claim)
    assert (reply.verdict, reply.citations[0].fact_id) == (verdict, cited)


def test_homes_for_years_are_so_many_home_years():
    reply = ask("GPT-4's training equals 1,000 US homes for 5 years")
    assert reply.verdict in ("mostly true", "unsupported")
    assert "5000" in str(reply.tool_calls[0].arguments)


@pytest.mark.parametrize(
    ("claim", "verdicts"),
    [
        ("Is it true that a Gemini prompt uses 0.24 Wh and 0.26 mL of water?", ["true", "true"]),
        ("Is it true that a Gemini prompt uses 0.24 Wh and 2.6 mL of water?", ["true", "false"]),
        ("Stimmt es, dass das Training von GPT-3 1287 MWh verbraucht und 552 t CO2 ausgestoßen hat?", ["true", "true"]),
        ("GPT-3的训练用了1287兆瓦时电、排放552吨二氧化碳，对吗？", ["true", "true"]),
        ("J'ai lu qu'une requête Gemini consomme 0,24 Wh et 0,26 mL d'eau, exact ?", ["true", "true"]),
        ("¿Es verdad que una consulta de Gemini gasta 0,24 Wh y 0,26 mL de agua?", ["true", "true"]),
        ("Geminiの質問1回は0.24 Wh、水0.26 mL。本当ですか？", ["true", "true"]),
    ],
)
def test_every_part_of_a_claim_is_judged(claim, verdicts):
    reply = ask(claim)
    assert [made.estimate.verdict.verdict for made in reply.tool_calls if made.estimate and made.estimate.verdict] == verdicts
    assert reply.verdict == min(verdicts, key=["false", "true"].index)


def test_a_sum_that_is_asked_for_is_no_claim():
    reply = ask("一台服务器（不含GPU）制造碳排5700公斤，再加8块H100每块164公斤，合计几吨？")
    assert reply.verdict is None
    assert first(reply).to("t CO2e").value == pytest.approx(7.012)


def test_a_number_that_is_asked_for_is_no_claim():
    reply = ask("ten thousand AI images at 2.907 Wh each, expressed as the number of one-litre kettles you could boil (0.11 kWh per kettle)")
    assert reply.verdict is None
    assert reply.results[0].value == pytest.approx(264, rel=0.01)


def test_a_denial_is_the_opposite_of_what_it_denies():
    told = {"recompute": "2 kWh"}
    assert [call("check_claim", told | {"stated": f"{sign}{figure} kWh"}).verdict.verdict for figure in (2, 6) for sign in ("", "≠ ")] == ["true", "false", "false", "true"]


@pytest.mark.parametrize(
    "claim",
    [
        "ChatGPT uses 3 Wh per query, isn't it?",
        "ChatGPT verbraucht 3 Wh pro Anfrage, oder nicht?",
        "Une requête ChatGPT consomme 3 Wh, n'est-ce pas ?",
        "ChatGPT每次提问耗电3瓦时，不是吗？",
        "ChatGPTの質問1回は3 Whではないですか？",
    ],
)
def test_a_tag_denies_nothing(claim):
    assert ask(claim).verdict == "outdated"


@pytest.mark.parametrize("claim", ["data centres are 1% of global emissions?", "AI makes up 14% of data centre emissions", "AI isn't 3% of global electricity, is it?"])
def test_the_claimed_share_is_replaced_by_no_other(claim):
    reply = ask(claim)
    assert reply.verdict is None and reply.text.startswith("No verdict")


@pytest.mark.parametrize(
    ("claim", "reason", "source"),
    [
        ("Une requête ChatGPT consomme 10 fois une recherche Google ?", "plafond de 2023", "J. You 2025"),
        ("Bis 2026 verbraucht die KI so viel Strom wie Japan, stimmt das?", "Krypto-Mining zusammen", "International Energy Agency 2024 (für 2026)"),
        ("¿Es verdad que la IA consumirá tanta electricidad como Japón en 2026?", "criptomonedas juntos", "International Energy Agency 2024 (para 2026)"),
        ("AIは2026年までに日本と同じくらいの電力を使う、本当？", "高位ケース", "International Energy Agency 2024（2026 年の値）"),
        ("到2026年，AI的用电量将相当于日本，真的吗？", "高位情形", "International Energy Agency 2024（2026 年的数字）"),
        ("到2026年，AI的用電量將相當於日本，真的嗎？", "高位情形", "International Energy Agency 2024（2026 年的數字）"),
        ("Stimmt es, dass Gemini 0,24 Wh pro Anfrage verbraucht?", "Gemini, Strom, 2025", "C. Elsworth et al. 2025"),
    ],
)
def test_every_language_says_why_and_whose_figure_it_is(claim, reason, source):
    text = ask(claim).text.partition("\n\n")[0]
    assert reason in text and source in text


def test_the_reasons_in_other_languages_hold_no_other_figures():
    library, numbers, digits = Library.load(), re.compile(r"(?<!\d)\d \d{3}(?= TWh)|\d+(?:[.,]\d+)*"), re.compile(r"\D")
    for language in ("de", "fr", "es", "ja", "zh-Hans", "zh-Hant"):
        words = wording(language)
        for claim_id, said in words.phrases.table("whys").items():
            claim = library.claim(claim_id)
            told = {digits.sub("", number) for text in (claim.statement, claim.why, claim.primary.figure if claim.primary else "") for number in numbers.findall(text or "")}
            assert {digits.sub("", number) for number in numbers.findall(said)} <= told | {"1530"}, said


@pytest.mark.parametrize(
    "claim",
    [
        "Is it true that AI uses more water than all of Denmark?",
        "data centres in Ireland use more electricity than all urban homes",
        "Does training GPT-3 use as much energy as 5 cars?",
        "Claude uses 3 Wh per query?",
    ],
)
def test_what_cannot_be_set_side_by_side_gets_no_verdict(claim):
    reply = ask(claim)
    assert reply.verdict is None
    assert not any(as_quantity(result).dimension == ENERGY and as_quantity(result).to("Wh").value == 3 for result in reply.results if result.quantity == "energy")


def test_homes_a_day_are_set_beside_a_day():
    assert ask("ChatGPT uses as much energy as 17,000 US homes per day").verdict != "false"
