"""What an answer says and how: short, in one language, in numbers as that language writes them, with footnotes that can be copied."""

import ast
import math
import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.answer import LONGEST_BODY, compose
from kilowhat.plugin.asking import run
from kilowhat.plugin.phrases import places
from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.plugin.wording import _readings, plain_text, wording
from kilowhat.tools import TOOLS, Library
from kilowhat.tools.core.boundaries import BOUNDARIES, PARTS
from kilowhat.tools.core.compile import read_yaml
from kilowhat.tools.core.units import Quantity

HERE = Path(__file__).parent
LANGUAGES = ["de", "en", "es", "fr", "ja", "zh-Hans", "zh-Hant"]
CASES = [(case["call"]["tool"], case["call"]["arguments"]) for path in sorted((HERE / "cases").glob("*.yaml")) for case in read_yaml(path) if "call" in case]
EXAMPLES = [(tool.name, dict(tool.example)) for tool in TOOLS.values()]
EVERY = [*EXAMPLES, *CASES]
every_case = pytest.mark.parametrize("case", range(len(EVERY)), ids=[f"{tool}-{number}" for number, (tool, _) in enumerate(EVERY)])


def answer(language, tool, arguments, **told):
    floats = {name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value for name, value in arguments.items()}
    plan = Plan("answered", language, (Call(tool, floats),), **told)
    return compose(plan, run(plan))


@cache
def told(language, case):
    """Return the answer to a case without its footnotes."""
    return body(answer(language, *EVERY[case]))


def body(reply):
    return re.split(r"\n\n\[1\] ", reply.text)[0]


def footnotes(reply):
    return reply.text[len(body(reply)) :].strip().split("  \n") if reply.citations and reply.outcome == "answered" else []


# One language

ENGLISH = [
    "the", "of", "and", "with", "from", "not", "is", "are", "by", "than", "this", "that", "its", "which", "power", "electricity", "emissions",
    "water", "energy", "requests", "request", "average", "share", "saved", "published", "hours", "hour", "day", "days", "year", "years", "month",
    "each", "told", "home", "homes", "lamp", "charges", "devices", "training", "least", "most", "lowest", "highest", "more", "less", "nothing",
    "nobody", "known", "here", "given", "stated", "claimed", "recomputed", "counted", "assumed", "called", "images", "videos", "texts", "answer",
    "answers",
]  # fmt: skip
MEANT = {"fr": {"images", "share"}, "de": {"training"}, "es": {"share"}}
ENGLISH_WORD = {language: re.compile(rf"(?<![\w-])(?:{'|'.join(word for word in ENGLISH if word not in MEANT.get(language, ()))})(?![\w-])") for language in LANGUAGES}


def proper_names():
    library = Library.load()
    names = [library.named(kind, name).name for kind in ("models", "runs", "services", "hardware", "providers", "places") for name in library.names(kind)]
    people = [name for source in map(library.source, library.sources) for name in (source.authors, source.producer, source.title) if name]
    return sorted({name for name in (*names, *people) if re.search(r"[a-z]", name)}, key=len, reverse=True)


NAMES = re.compile("|".join(re.escape(name) for name in proper_names()))


def without_names(text, arguments):
    """Return a text without names and without the words that the call itself brings."""
    for item in arguments.get("items", ()):
        text = text.replace(plain_text(item["label"]), "")
    return NAMES.sub("", text)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
@every_case
def test_an_answer_holds_no_english_but_names(language, case):
    text = told(language, case)
    text = without_names(text, EVERY[case][1]) if ENGLISH_WORD[language].search(text) else text
    assert ENGLISH_WORD[language].findall(text) == [], text


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_everyday_thing_and_every_forecast_has_a_name(language):
    words, library = wording(language), Library.load()
    for kind in library.names("comparators"):
        for number in (1, 3):
            thing = words.thing(kind, number)
            assert thing and not ENGLISH_WORD[language].search(thing), kind
    for forecast in library.names("forecasts"):
        assert words.get("forecasts", forecast, own=True), forecast


SPOKEN = {"assume": 0, "warn": 1, "default": 3}


def sentences_of_the_tools():
    """Yield every sentence written out in the tools' code: what they assume, warn of, name a result and count; a slot reads 7."""

    def written(node):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
        elif isinstance(node, ast.IfExp):
            yield from written(node.body)
            yield from written(node.orelse)
        elif isinstance(node, ast.BinOp):
            for left in written(node.left):
                for right in written(node.right):
                    yield left + right

    for path in sorted((HERE.parent / "tools").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            told = [node.args[SPOKEN[node.func.attr]]] if node.func.attr in SPOKEN and len(node.args) > SPOKEN[node.func.attr] else []
            if node.func.attr == "result" and len(node.args) > 2:
                told = [node.args[2], *(keyword.value for keyword in node.keywords if keyword.arg == "boundary")]
            for sentence in (sentence for part in told for sentence in written(part)):
                yield pytest.param(sentence, id=f"{path.stem}: {sentence[:60]}")


ENGLISH_ALONE = (
    "7 more facts are behind this",
    "The primary source prints",
    "Their ranges overlap",
    "No single figure is published, so the middle of the published range is taken: 7",
    "probability that",
    "7 over ",
    "as much the one as the other",
    "ecologits ",
    "7 (7): 7 7",
    "as claimed",
    "as stated over",
    "as stated",
    "recomputed over",
    "times too",
    "7: 7",
    "7; 7",
    "7 of 7 each",
    "location-based emissions of the electricity7",
)
"""What an answer says in its own words (a comparison, a claim), or leaves to those who read English: the words of a source."""


@pytest.mark.parametrize("sentence", [*sentences_of_the_tools()])
def test_what_a_tool_says_has_words_in_every_language(sentence):
    names = [name for name, _ in _readings(sentence.rstrip("."))]
    for language in LANGUAGES:
        if language != "en" and not sentence.startswith(ENGLISH_ALONE):
            assert any(wording(language).get("says", name, own=True) is not None for name in names), f"{language} has no words for this"


@pytest.mark.parametrize("boundary", [*BOUNDARIES.values(), *PARTS.values()])
def test_every_boundary_of_a_fact_has_words_in_every_language(boundary):
    assert all(wording(language).told(boundary) for language in LANGUAGES)


# Short


@pytest.mark.parametrize("language", LANGUAGES)
@every_case
def test_an_answer_fits_a_phone(language, case):
    assert len(told(language, case)) <= LONGEST_BODY


def lines_of_a_phone(text):
    """Return how many lines of 45 columns a text takes; a Chinese or Japanese sign takes two."""
    wide = [sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line) for line in text.splitlines()]
    return sum(max(1, math.ceil(width / 45)) for width in wide)


@pytest.mark.parametrize(
    "question",
    [
        "how much energy does 1000 image generations use?",
        "Wie viel Strom verbrauchen 1.000 KI-Bilder?",
        "画像を1000枚生成するのに必要な電力は？",
        "叫 AI 畫一千張圖要幾度電？",
        "8 H100 for a week in Germany",
    ],
)
def test_the_main_questions_are_answered_on_one_screen(question):
    assert lines_of_a_phone(body(ask(question))) <= 30


# The number first, as the language writes it


@pytest.mark.parametrize(
    ("question", "start"),
    [
        (
            "how much energy does 1000 image generations use?",
            "**2.9 kWh** of electricity for 1,000 generated images (published range 0.76 to 11 kWh). [1]\nAs much as 290 hours of a 10 W LED lamp. [2]\n",
        ),
        ("energy of one AI image", "**2.9 Wh** of electricity for one generated image (published range 0.76 to 11 Wh). [1]\n"),
        ("一千张图要几度电？", "**2.9 度**：生成 1,000 张图片的用电（公布的范围 0.76 至 11 度）。[1]\n相当于 10 瓦 LED 灯亮 290 小时。[2]\n"),
        ("一千次圖像生成在台灣的碳排?", "**1.8 公斤 CO2e**：在台灣，生成 1,000 張圖片的碳排放（80% 區間 0.48 至 7.3 公斤 CO2e）。[1][2]\n"),
        ("ChatGPT每天2亿次请求要多少度电？", "**6 万度**：2 亿次 ChatGPT 请求的用电"),
        ("Wie viel Strom brauchen 1.000 KI-Bilder?", "**2,9 kWh** Strom für 1.000 generierte Bilder (veröffentlichte Spanne: 0,76 bis 11 kWh). [1]\n"),
        ("Combien d'énergie pour 1000 images ?", "**2,9 kWh** d'électricité pour 1\u202f000 images générées (fourchette publiée : 0,76 à 11 kWh). [1]\n"),
        ("¿Cuánta energía consumen 1.000 imágenes?", "**2,9 kWh** de electricidad para 1.000 imágenes generadas (intervalo publicado: de 0,76 a 11 kWh). [1]\n"),
        ("画像を1000枚生成するのに必要な電力は？", "**2.9 kWh**：画像生成 1,000 枚の電力量（公表された範囲：0.76～11 kWh）。[1]\n"),
    ],
)
def test_the_number_comes_first_with_its_range_and_a_familiar_one(question, start):
    assert ask(question).text.startswith(start)


@pytest.mark.parametrize(
    ("language", "value", "written"),
    [
        ("en", 2_500_000_000, "2.5 billion"),
        ("en", 36_500, "36,500"),
        ("en", 304.1666667, "304.2"),
        ("zh-Hans", 200_000_000, "2 亿"),
        ("zh-Hant", 36_500, "3.65 萬"),
        ("de", 1_500_000, "1,5 Mio."),
        ("fr", 12_345, "12\u202f345"),
        ("fr", 2_000_000, "2 millions de"),
        ("en", 1, "1"),
    ],
)
def test_a_count_is_written_as_people_write_it(language, value, written):
    assert wording(language).count(value) == written


@pytest.mark.parametrize(("low", "high", "shown"), [(0.76, 11.0, ("0.76", "11 kWh")), (14.1, 14.4, ("14.1", "14.4 kWh")), (14.123, 14.124, None), (3.0, 3.0, None)])
def test_the_ends_of_a_range_differ_or_are_not_shown(low, high, shown):
    assert wording("en").ends(Quantity(5.0, "kWh", low, high)) == shown


@every_case
def test_one_thing_is_one(case):
    text = told("en", case)
    assert not re.search(r"(?<![\d.,])1 (?:requests|images|videos|devices|homes|hours|years|days|searches|charges|trees|people|bottles|flights)\b", text), text
    assert not re.search(r"\d\.\d{5,} ×", text), text


def test_a_fraction_of_a_request_is_not_spun_out():
    assert "304.2 requests" in answer("en", "estimate_service", {"service": "gemini", "requests_per_day": 10, "days": 30.41666667}).text


# What the rivals say


def test_figures_inside_the_range_are_not_told_again():
    within = answer("en", "estimate_llm", {"model": "gpt-4o", "requests": 1000, "output_tokens": 300})
    assert "Other published figures" not in within.text
    outside = answer("en", "estimate_task", {"task": "image-generation", "count": 1000})
    assert "- 190 Wh (36 to 1,400), J.-W. Chung et al. 2025 [4]" in outside.text


def test_a_figure_of_one_request_is_told_as_one():
    assert "- 0.34 Wh for one request, S. Altman 2025" in ask("How many kWh does ChatGPT use per day for its 200 million requests?").text


def test_the_year_of_a_forecast_is_not_its_year_of_publication():
    text = answer("en", "project_growth", {"forecast": "IEA 2035"}).text
    assert not re.search(r"International Energy Agency 203\d", text)


# Claims


@pytest.mark.parametrize(
    ("language", "start"),
    [
        ("en", "**False**: 30.5 times too much.\nClaimed: 84 TWh.\nRecomputed: **2.754 TWh**.\n"),
        ("zh-Hans", "**不实**：说大了，是实际的 30.5 倍。\n说法：84 TWh。\n重新计算：**2.754 TWh**。\n"),
        ("de", "**Falsch**: 30,5-mal zu viel.\nBehauptet: 84 TWh.\nNachgerechnet: **2,754 TWh**.\n"),
    ],
)
def test_a_claim_is_judged_first_then_set_against_the_right_figure(language, start):
    reply = answer(language, "check_claim", {"stated": "84 TWh", "recompute": "15.3 million * 750 W * 240 h"})
    assert reply.verdict == "false"
    assert reply.text.startswith(start)


@pytest.mark.parametrize(
    ("language", "slip"),
    [("en", "lb taken for t"), ("zh-Hant", "把 lb 當成了 t"), ("fr", "lb pris pour t"), ("de", "lb für t gehalten"), ("es", "lb tomado por t"), ("ja", "lb を t とした")],
)
def test_the_slip_is_said_in_words(language, slip):
    assert slip in answer(language, "check_claim", {"stated": "626000 t", "recompute": "284 t"}).text


# Tables, footnotes, hygiene


def test_a_comparison_is_a_table():
    text = answer("en", "compare", {"items": [{"label": "a prompt", "quantity": "0.24 Wh"}, {"label": "a search", "quantity": "0.3 Wh"}]}).text
    assert text.startswith("**1.25 times** as much electricity for a search as for a prompt.\n| | electricity |\n| --- | ---: |\n| a search | **0.3 Wh** |\n| a prompt | **0.24 Wh** |\n")


NOTE = re.compile(r"\[\d+\] (?:.+ \(\d{4}\): .+|.+ \(\d{4}\).*|[^()]+: .+?)(?:\.|。)(?: https?://\S+)?$", re.DOTALL)


@pytest.mark.parametrize(("tool", "arguments"), EXAMPLES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_footnote_can_be_copied(tool, arguments):
    reply = answer("en", tool, arguments)
    for number, note in enumerate(footnotes(reply), 1):
        assert note.startswith(f"[{number}] ") and NOTE.match(note), note
    cited = {int(mark) for mark in re.findall(r"\[(\d+)\]", body(reply))}
    assert cited <= {citation.number for citation in reply.citations}


def test_a_source_that_comes_again_keeps_its_author_year_and_link():
    notes = footnotes(ask("one Gemini prompt: energy, carbon, water"))
    assert [note.startswith(f"[{number}] C. Elsworth et al. (2025): ") and note.endswith("https://arxiv.org/abs/2508.15734") for number, note in enumerate(notes[:3], 1)] == [True] * 3


HOSTILE = "a\u202eb\u200b`c`*d*[e](http://f)<script>|g\x07" + "h" * 100


def test_a_name_from_outside_is_one_bounded_line_of_plain_text():
    shown = plain_text(HOSTILE)
    assert len(shown.replace("\\", "")) <= 60
    assert not re.search(r"(?<!\\)[`*\[\]<>|]|[\u202e\u200b\x07]", shown)


def test_no_answer_passes_on_what_a_label_hides():
    text = body(answer("en", "compare", {"items": [{"label": HOSTILE[:80], "quantity": "1 Wh"}, {"label": "two\n\n# three", "quantity": "2 Wh"}]}))
    assert not re.search(r"[\u202e\u200b\x07]|(?<!\\)<script>|(?<!\\)\]\(|\n#", text)


@pytest.mark.parametrize(
    ("language", "region", "name"),
    [
        ("de", "DEU", "Deutschland"),
        ("fr", "USA", "États-Unis"),
        ("es", "DEU", "Alemania"),
        ("ja", "FRA", "フランス"),
        ("zh-Hans", "cn-zj", "浙江"),
        ("zh-Hant", "TWN", "台灣"),
        ("zh-Hant", "us-ca", "加州"),
        ("zh-Hans", "HKG", "香港"),
        ("en", "FRA", "France"),
    ],
)
def test_a_place_has_its_name_in_the_language(language, region, name):
    assert wording(language).place(region) == name


def test_the_names_of_countries_are_current(capsys):
    assert places.main(["--check"]) == 0, capsys.readouterr().out


# Refusals


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("1000 images in Atlantis", ["Atlantis", "Did you mean", "Albania"]),
        ("1.000 Bilder in Atlantis", ["Atlantis", "nicht bekannt", "Albanien"]),
        ("8 H100 跑一週，PUE 0.5", ["PUE（0.5）至少為 1"]),
        ("is there any official figure for claude's daily energy use?", ["Nobody has published", "0.5 Wh per request", "0.95 Wh/request", "[1] N. Jegham et al. (2025): "]),
        ("DeepSeek一天总耗电？", ["没有人公布过 DeepSeek", "相近的公布数字", "Wh/次请求"]),
    ],
)
def test_a_refusal_says_what_is_missing_and_what_comes_near(question, words):
    reply = ask(question)
    assert reply.results == []
    for word in words:
        assert word in reply.text, reply.text
