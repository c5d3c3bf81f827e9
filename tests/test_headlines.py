"""What an answer says first: the number that was asked for, in words that fit it, and no more than a small question needs."""

import re

import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.answer import MOST_OF_BRIEF, compose
from kilowhat.plugin.asking import plan_for, run
from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.plugin.wording import wording

LANGUAGES = ["de", "en", "es", "fr", "ja", "zh-Hans", "zh-Hant"]


def headline(reply):
    return re.sub(r"\s*(\[\d+\])+", "", reply.text.partition("\n")[0].replace("**", ""))


def answer(language, tool, arguments, **told):
    plan = Plan("answered", language, (Call(tool, arguments),), **told)
    return compose(plan, run(plan))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("embodied carbon of an A100 per hour of use", "4.3 g CO2e for 1 h of use of one NVIDIA A100 SXM 80 GB, as a share of making it"),
        ("2.5 kWh in MJ", "9 MJ."),
        ("energy per token of a 7B model", "for one request of 1 token"),
        ("75000 ChatGPT requests per working day for a year", "for 19.55 million requests to ChatGPT"),
        ("3125 DGX A100 for 100 days", "(at rated power, an upper bound)"),
        ("GPT-3 training energy", "(no range is published)"),
    ],
)
def test_the_first_line_says_what_was_asked(question, said):
    assert said in headline(ask(question))


def test_working_days_are_told_in_the_derivation():
    assert "How: 75,000 requests/day × 260.714 days × " in ask("75000 ChatGPT requests per working day for a year").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_hour_of_use_and_rated_power_are_told_in_every_language(language):
    words = wording(language)
    use = headline(answer(language, "estimate_embodied", {"device": "A100", "used_hours": 1.0}))
    making = headline(answer(language, "estimate_embodied", {"device": "A100"}))
    assert use != making and "NVIDIA A100" in use
    rated = headline(answer(language, "estimate_fleet", {"device": "H100", "count": 8.0, "hours": 24.0}))
    assert words.say("range.rated").strip() in rated and words.say("range.none").strip() not in rated


@pytest.mark.parametrize(
    ("quantity", "first"), [("1 kg CO2e", "kilometres by US car"), ("5 t CO2e", "cars for a year"), ("5000 t CO2e", "cars for a year"), ("0.0001 kg CO2e", "kilometres by US car")]
)
def test_an_everyday_thing_whose_number_is_too_small_to_be_pictured_does_not_come_first(quantity, first):
    assert first in headline(answer("en", "convert_to_equivalents", {"quantity": quantity, "equivalents": ["car-year", "car-km"]}))


SMALL = {
    "en": "100 images",
    "de": "100 Bilder mit KI generieren",
    "fr": "générer 100 images",
    "es": "generar 100 imágenes",
    "ja": "画像を100枚生成",
    "zh-Hans": "生成 100 张图片",
    "zh-Hant": "生成 100 張圖片",
}


@pytest.mark.parametrize("question", [*SMALL.values(), "energy of one GPT-4o request", "a Gemini prompt", "how much energy does a ChatGPT query use?"])
def test_a_small_question_gets_a_small_answer(question):
    reply = ask(question)
    body, _, notes = reply.text.partition("\n\n[1] ")
    assert reply.outcome == "answered" and notes
    assert len(set(re.findall(r"\[\d+\]", body))) <= MOST_OF_BRIEF and len(body.splitlines()) <= 7, body
    assert len(reply.results) > 1


@pytest.mark.parametrize("question", ["1000 images", "100 images in France", "100 images: energy, carbon and water", "carbon of 100 images in kg", "8 H100 for a week"])
def test_a_larger_question_gets_all_of_it(question):
    assert not plan_for([("user", question)]).brief


@pytest.mark.parametrize("more", ["why?", "how sure?"])
def test_what_a_small_answer_leaves_out_can_be_asked_for(more):
    reply = ask([{"role": "user", "content": turn} for turn in ("100 images", more)])
    assert len(set(re.findall(r"\[\d+\]", reply.text.partition("\n\n[1] ")[0]))) >= MOST_OF_BRIEF
