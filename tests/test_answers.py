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
from kilowhat.plugin.answer import footnotes as write_footnotes
from kilowhat.plugin.asking import run
from kilowhat.plugin.familiar import familiar
from kilowhat.plugin.phrases import places
from kilowhat.plugin.reply import NumberedCitation
from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.plugin.wording import _readings, plain_text, wording
from kilowhat.tools import TOOLS, Library
from kilowhat.tools.core.boundaries import BOUNDARIES, PARTS
from kilowhat.tools.core.compile import read_yaml
from kilowhat.tools.core.estimate import cite
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
    """Return how many lines of 44 columns a text takes as the terminal shows it; a Chinese or Japanese sign takes two."""
    plain = text.replace("**", "")
    wide = [sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line) for line in plain.splitlines() if not line.startswith("| ---")]
    return sum(max(1, math.ceil(width / 44)) for width in wide)


MAIN = [
    "how much energy does 1000 image generations use?",
    "Wie viel Strom verbrauchen 1.000 KI-Bilder?",
    "画像を1000枚生成するのに必要な電力は？",
    "叫 AI 畫一千張圖要幾度電？",
    "8 H100 for a week in Germany",
    "GPT-5 energy per prompt",
    "GPT-4o 一次请求要多少电",
    "Combien de Wh consomme une requête GPT-4o ordinaire ?",
    "¿Cuánta luz gasta generar 50 imágenes estilo Ghibli?",
    "Norwegen oder Polen für 1000 kWh?",
    "boiling a kettle or 50 answers of gpt-4o",
    "carbon of training DeepSeek-V3",
]


@pytest.mark.parametrize("question", MAIN)
def test_the_main_questions_are_answered_on_one_screen(question):
    assert lines_of_a_phone(body(ask(question))) <= 24


@pytest.mark.parametrize("question", MAIN)
def test_no_footnote_is_longer_than_a_citation_and_no_title_stands_twice(question):
    notes = footnotes(ask(question))
    assert all(len(re.sub(r"https?://\S+", "", note)) <= 260 for note in notes)
    titles = [title for note in notes for title in re.findall(r"(?:\)|）)\s?[:：]\s?(.{16,}?)[,，、]", note)]
    assert len(titles) == len(set(titles)) or "Kilowhat" in str(titles)


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


NOTE = re.compile(r"\[\d+\] (?:.+ \(\d{4}\): .+|.+ \(\d{4}\).*|[^()]+: .+?)(?:\.|。|…)(?: https?://\S+)?$", re.DOTALL)


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


REFUSED = [
    ("compare", {"items": [{"label": "le chat", "quantity": "estimate_service?service=le-chat#emissions"}, {"label": "images", "quantity": "estimate_task?task=image-generation#energy"}]}),
    ("compare", {"items": [{"label": "beef", "quantity": "convert_to_equivalents?quantity=1%20kWh#emissions"}, {"label": "images", "quantity": "estimate_task?task=image-generation#emissions"}]}),
    ("compare", {"items": [{"label": "a", "quantity": "calculate?expression=1%20kWh#water"}, {"label": "b", "quantity": "1 L"}]}),
    ("estimate_service", {"service": "claude"}),
    ("estimate_service", {"users": 3}),
    ("estimate_task", {"task": "image-generation", "count": -1}),
    ("estimate_task", {"task": "image_generation_of_cats"}),
    ("estimate_training", {"accelerator": "H100"}),
    ("convert_to_equivalents", {"quantity": "3 kWh", "equivalents": ["tree-year"]}),
    ("convert_to_equivalents", {"quantity": "3 brain_hours"}),
    ("choose_place_and_time", {"hourly_intensity_g_co2e_per_kwh": [100, 200]}),
    ("estimate_llm", {"total_parameters_b": 7, "active_parameters_b": 70}),
    ("calculate", {"expression": "1 kWh + 1 L"}),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("tool", "arguments"), REFUSED)
def test_a_refusal_names_no_argument_and_no_tool(language, tool, arguments):
    reply = answer(language, tool, arguments)
    assert reply.outcome != "answered", reply.text
    assert not re.search(r"[a-z]+\\?_[a-z]+", body(reply)), reply.text
    assert "\\" not in body(reply)


def test_what_has_no_source_is_not_called_published():
    reply = ask("How many an hour of a human brain is 1000 images")
    assert "known for an hour of a human brain" in reply.text
    assert "Published figures" not in reply.text
    assert reply.citations == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_published_figures_that_come_near_say_what_they_are_of(language):
    lines = [line for line in answer(language, "estimate_service", {"service": "claude"}).text.splitlines() if line.startswith("- ")]
    assert len(lines) == 2
    assert all("Claude 3.7 Sonnet" in line and "2025" in line for line in lines)
    assert len({re.sub(r"[\d.,]+", "", line) for line in lines}) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_source_in_a_list_says_what_its_figure_is_of(language):
    reply = answer(language, "look_up_references", {"query": "ChatGPT energy per request"}, quantity="source")
    items = [line for line in body(reply).splitlines() if line.startswith("- ")]
    assert items
    assert all("ChatGPT" in line or "OpenAI" in line or "(" in line or "（" in line for line in items), items


# A figure cites what it rests on


def cited(reply, line_of):
    """Return the facts that the line of a reply that holds a text cites."""
    line = next(line for line in reply.text.splitlines() if line_of in line)
    return {citation.fact_id for citation in reply.citations if f"[{citation.number}]" in line}


@pytest.mark.parametrize(
    ("question", "line", "facts"),
    [
        ("Wie viele Handyladungen sind 1000 KI-Bilder?", "Handyladungen** für", {"image-generation-energy", "phone-charge-energy-epa"}),
        ("Wie viele Handyladungen sind 1000 KI-Bilder?", "- Strom", {"image-generation-energy"}),
        ("Wie viele Handyladungen sind 1000 KI-Bilder?", "- Emissionen", {"electricity-wor-intensity"}),
        ("is it true that chatgpt uses 12 times more energy than a google search?", "Recomputed", {"chatgpt-request-energy"}),
        ("one ChatGPT prompt or one Google search?", "Google search |", {"comparator-google-search-energy"}),
        ("one ChatGPT prompt or one Google search?", "ChatGPT |", {"chatgpt-request-energy"}),
        ("100 chatgpt prompts vs 1 km by car", "ChatGPT |", {"chatgpt-request-energy", "electricity-wor-intensity"}),
        ("Ist eine ChatGPT-Anfrage mehr als eine Stunde Netflix?", "Videostreaming |", {"streaming-hour-energy-iea"}),
    ],
)
def test_a_figure_cites_what_it_rests_on_and_nothing_else(question, line, facts):
    assert cited(ask(question), line) == facts


def test_no_footnote_has_an_empty_year_or_a_note_on_its_author():
    library = Library.load()
    for source in map(library.source, library.sources):
        fact = next((fact for fact in library if fact.source == source.id), None)
        if fact is None:
            continue
        citations = [NumberedCitation(number=1, **dict(citation)) for citation in cite(library, [fact])]
        for language in LANGUAGES:
            note = write_footnotes(citations, language)
            assert "（）" not in note and "()" not in note and ", after " not in note.partition(" (")[0], note


# A comparison names its things with their numbers


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("boiling a kettle or 50 answers of gpt-4o", ["1 litre of water boiled", "50 requests to GPT-4o (500 tokens each)"]),
        ("100 chatgpt prompts vs 1 km by car", ["1 kilometre by US car", "100 requests to ChatGPT"]),
        ("Ist eine ChatGPT-Anfrage mehr als eine Stunde Netflix?", ["1 Stunde Videostreaming", "eine Anfrage an ChatGPT"]),
        ("ChatGPT一次请求与谷歌搜索一次相比，哪个费电", ["1 次 ChatGPT 请求"]),
    ],
)
def test_the_rows_of_a_comparison_say_how_many_of_what(question, rows):
    text = body(ask(question))
    for row in rows:
        assert f"| {row} |" in text, text


def test_the_words_of_a_caller_stay_where_no_estimate_is_behind_them():
    text = body(answer("en", "compare", {"items": [{"label": "my kettle", "quantity": "0.1 kWh"}, {"label": "the other", "quantity": "1 kWh"}]}))
    assert "| my kettle |" in text


# An everyday thing that fits


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("energy of four RTX 4090 for a year in a German flat", "4.4 EU homes for a year"),
        ("four RTX 4090 for a year in Texas", "1.46 US homes for a year"),
        ("four RTX 4090 for a year in London", "5.84 UK homes for a year"),
        ("Strom von vier RTX 4090 über ein Jahr", "4,4 EU-Haushalte ein Jahr lang"),
        ("训练 GPT-3 用多少电", "个中国人一年的生活用电"),
        ("how much energy does 10,000 image generations use?", "140 kilometres in an electric car"),
    ],
)
def test_an_energy_is_set_beside_homes_of_the_country_and_not_by_the_hundred(question, thing):
    told = ask(question).text.splitlines()[1]
    assert thing in told, told


@pytest.mark.parametrize("wh", [10.0**power for power in range(1, 10)])
def test_an_energy_of_any_size_is_set_beside_a_thing_in_numbers_that_can_be_pictured(wh):
    planned = familiar(Call("calculate", {"expression": f"{wh} Wh"}), "energy")
    counted = run(Plan("answered", "en", (planned,)))[0].estimate.results[0]
    assert 0.9 <= counted.value < 300


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_carbon_intensity_is_told_in_grams_under_the_name_of_its_place(language):
    reply = answer(language, "convert_energy_to_emissions", {"energy": "1 kWh", "region": "SWE"}, quantity="carbon-intensity")
    first = body(reply).splitlines()[0]
    assert re.match(r"\*\*35 (?:g|克|公克) CO2e/(?:kWh|度|千瓦时)\*\*", first), first
    assert wording(language).place("SWE") in first
    assert "1 kWh" not in body(reply).replace(first, "") and "1 度" not in body(reply)


# What a range holds, and what an amount is


def test_a_range_of_the_grid_alone_says_so():
    for question, line in (("carbon of training DeepSeek-V3", 0), ("8 H100 for a week in Norway", 2)):
        assert "(of the grid alone: " in ask(question).text.splitlines()[line]
    assert "grid alone" not in ask("carbon of 1000 images").text
    assert "grid alone" not in ask("emissions of 3 kWh in Germany").text


@pytest.mark.parametrize("question", ["Gemini prompt carbon", "one Gemini prompt: energy, carbon, water"])
def test_emissions_by_contracts_and_by_the_grid_are_told_apart(question):
    lines = body(ask(question)).splitlines()
    assert any("0.03 g" in line and "market-based" in line for line in lines)
    assert any("0.11 g" in line and "location-based" in line for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_factor_of_the_derivation_says_what_it_is(language):
    text = body(answer(language, "estimate_llm", {"model": "gpt-4o"}))
    assert re.search(r"(?:1[.,]638)\s?[(（][^)）]*PUE[)）]", text), text
    assert re.search(r"3[.,\u202f]?600[.,\u202f]?000\s?[(（]J/kWh[)）]", text), text


def test_published_figures_for_the_very_model_stand_beside_the_estimate():
    text = ask("GPT-5 energy per prompt").text
    assert re.search(r"- 18\.4 Wh, .*medium answer \[\d+\]", text), text


def test_the_grammar_of_a_count_in_japanese():
    assert "公表された数値が 4 つあります" in ask("ChatGPTの1回の消費電力の出典は？").text


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("estimate_service", {"service": "gemini", "requests_per_day": 1.0}, "1 request to Gemini"),
        ("estimate_llm", {"model": "gpt-4o", "output_tokens": 1.0}, "1 request to gpt-4o, 1 token written"),
        ("project_growth", {"start": "1 kWh", "end": "2 kWh", "years": 1.0}, "in 1 year"),
        ("estimate_lifecycle", {"embodied": "1 kg CO2e", "requests": 1.0}, "1 request"),
    ],
)
def test_a_tool_says_one_of_one(tool, arguments, said):
    text = TOOLS[tool](arguments).text
    assert re.search(rf"{said}\b", text), text
    assert not re.search(r"(?<![\d.,])1 (?:requests|tokens|words|years)\b", text)
