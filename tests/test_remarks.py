"""Short turns about the last answer, or about us: each gets its own reply, and nothing that tells nothing gets the last answer again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.plugin import ask
from kilowhat.plugin.understanding import compile as lexicon
from kilowhat.plugin.understanding.remark import read_remark
from kilowhat.tools.core.compile import read_yaml

QUESTIONS = {
    "en": "how much energy does 1000 image generations use?",
    "de": "Wie viel Strom brauchen 1.000 KI-Bilder?",
    "fr": "Combien d'énergie pour 1000 images ?",
    "es": "¿Cuánta energía consumen 1.000 imágenes?",
    "ja": "画像を1000枚生成するのに必要な電力は？",
    "zh-Hans": "一千张图要几度电？",
    "zh-Hant": "叫 AI 畫一千張圖要幾度電？",
}
LANGUAGES = list(QUESTIONS)
LEXICONS = {path.stem: read_yaml(path) for path in sorted(lexicon.HERE.glob("*.yaml"))}


def after(*turns):
    return ask([{"role": "user", "content": turn} for turn in turns])


def body(reply):
    return re.split(r"\n\n\[1\] ", reply.text)[0]


SAID = {
    "why": ["why so much?", "Warum?", "Pourquoi autant ?", "¿Por qué tanto?", "なぜそんなに？", "为什么这么多", "為什麼這麼多？"],
    "sure": ["how sure are you?", "Wie sicher ist das?", "C'est fiable ?", "¿Estás seguro?", "どのくらい確かですか？", "有多确定？", "有多確定？"],
    "which": ["which of the two is worse?", "Was von beiden ist schlimmer?", "Lequel des deux est le pire ?", "¿Cuál de los dos es peor?", "どちらが悪いですか？", "哪个更差？", "哪個更差？"],
    "much": ["is that a lot?", "Ist das viel?", "C'est beaucoup ?", "¿Es mucho?", "それは多いですか？", "这算多吗", "這算多嗎"],
    "money": ["cost?", "Was kostet das?", "Combien ça coûte ?", "¿Cuánto cuesta?", "電気代は？", "电费多少", "電費多少？"],
    "thanks": ["thanks!", "Vielen Dank!", "Merci beaucoup !", "¡Gracias!", "ありがとうございます", "谢谢", "謝謝你"],
    "help": ["what can you do?", "Was kannst du?", "Que peux-tu faire ?", "¿Qué puedes hacer?", "何ができますか？", "你能做什么？", "你能做什麼？"],
}
EVERY = [(kind, language, turn) for kind, turns in SAID.items() for language, turn in zip(LANGUAGES, turns, strict=True)]


@pytest.mark.parametrize(("kind", "language", "turn"), EVERY)
def test_a_remark_is_read_in_every_language(kind, language, turn):
    remark = read_remark(turn, language)
    assert (remark.kind, remark.language) == (kind, language)


@pytest.mark.parametrize(
    "turn",
    [
        "why is the sky blue?", "and in France?", "how much electricity does it cost?", "how many homes is that?", "a lot of images", "1000", "x", "no", "",
        "thanks, and in Sweden?", "explain GPT-3", "那法国呢", "日本なら？", "und in Wien?", "is it 3 kWh?", "help me write a poem", "the price of an H100", "for a year",
    ],
)  # fmt: skip
def test_a_turn_that_holds_more_is_no_remark(turn):
    assert read_remark(turn, "en") is None


@given(st.text(max_size=200))
def test_any_text_is_read(turn):
    assert read_remark(turn) is None or turn.strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lexicon_has_all_remarks_and_all_tongues(language):
    assert LEXICONS[language]["remarks"].keys() == SAID.keys()
    assert sorted(LEXICONS[language]["tongues"]) == sorted(LANGUAGES)
    assert LEXICONS[language]["fillers"]


# The parts of an answer


DERIVED = {"en": "How: ", "de": "Rechnung: ", "fr": "Calcul : ", "es": "Cálculo: ", "ja": "計算：", "zh-Hans": "计算：", "zh-Hant": "計算："}


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_is_answered_with_the_way_and_the_assumptions(language):
    reply = after(QUESTIONS[language], SAID["why"][LANGUAGES.index(language)])
    told = body(reply)
    assert reply.language == language
    assert told.startswith(body(after(QUESTIONS[language])).splitlines()[0])
    assert DERIVED[language] in told
    assert "[1]" in told
    assert "CO2e" not in told.splitlines()[1]
    assert [result.quantity for result in reply.results] == ["energy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_sure_is_answered_with_the_range_and_what_it_holds(language):
    told = body(after(QUESTIONS[language], SAID["sure"][LANGUAGES.index(language)]))
    lines = told.splitlines()
    assert re.search(r"0[.,]76.*11", lines[1]), told
    assert len(lines) >= 4
    assert DERIVED[language] not in told


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("one GPT-4o answer of 400 tokens", "in four of five cases"),
        ("one GPT-4o answer of 400 tokens", "size of the model"),
        ("8 H100 for a week", "No range is published for this figure"),
        ("carbon of training DeepSeek-V3", "Not in the range: the energy itself."),
    ],
)
def test_how_sure_says_what_is_known_of_it(question, told):
    assert told in after(question, "how sure is that?").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_is_that_a_lot_is_answered_with_everyday_things(language):
    reply = after(QUESTIONS[language], SAID["much"][LANGUAGES.index(language)])
    items = [line for line in body(reply).splitlines() if line.startswith("- ")]
    assert len(items) == 3
    assert all(re.search(r"\d.*\[\d\]$", line) for line in items)
    assert len({line.rpartition("[")[2] for line in items}) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_money_is_not_covered_and_the_energy_is_told(language):
    reply = after(QUESTIONS[language], SAID["money"][LANGUAGES.index(language)])
    assert len(body(reply).splitlines()) == 2
    assert re.search(r"2[.,]9 (?:kWh|度)", reply.text)
    assert not re.search(r"[$€¥£]|\beuros?\b", reply.text, re.IGNORECASE)


@pytest.mark.parametrize(
    ("question", "outcome"),
    [
        ("how much does it cost to run 8 H100 for a week in dollars?", "answered"),
        ("how expensive is ChatGPT in euros", "answered"),
        ("電動車充一次電要多少錢?", "declined"),
        ("price of a house", "declined"),
    ],
)
def test_a_question_for_money_gets_the_energy_where_there_is_one(question, outcome):
    reply = after(question)
    assert reply.outcome == outcome
    assert bool(reply.results) == (outcome == "answered")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tongue", LANGUAGES)
def test_an_answer_is_told_again_in_another_language(language, tongue):
    for said in LEXICONS[language]["tongues"][tongue][:2]:
        reply = after(QUESTIONS[language], f"{said}?")
        assert reply.language == tongue
        assert reply.outcome == "answered"
        assert [call.arguments.get("region") for call in reply.tool_calls] == [None] * len(reply.tool_calls)
        assert [result.value for result in reply.results][:3] == [result.value for result in after(QUESTIONS[tongue]).results][:3]


def test_the_language_told_last_holds_for_what_nothing_tells():
    assert after(QUESTIONS["de"], "auf Englisch", "x").language == "en"


def test_a_comparison_and_a_claim_can_be_told_again():
    compared = "one Gemini prompt or one Google search?"
    assert after(compared, "auf Deutsch").tool_calls[0].arguments == after(compared).tool_calls[0].arguments
    assert after("ChatGPT uses 17,000 times as much electricity as a US home, true?", "en français").verdict == after("ChatGPT uses 17,000 times as much electricity as a US home, true?").verdict


# What is not understood


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("turn", ["x", "no", "qwertz", "…", "🙃"])
def test_what_is_not_understood_does_not_get_the_last_answer_again(language, turn):
    reply = after(QUESTIONS[language], turn)
    assert (reply.outcome, reply.results, reply.tool_calls) == ("needs_input", [], [])
    assert len(reply.text) < 320
    assert not re.search(r"kWh|2[.,]9", reply.text)


@pytest.mark.parametrize("between", ["x", "why?", "thanks!", "in German", "is that a lot?", "what can you do?"])
def test_a_remark_changes_nothing_for_the_next_question(between):
    assert after(QUESTIONS["en"], between, "and in France?").tool_calls == after(QUESTIONS["en"], "and in France?").tool_calls


def test_what_was_not_understood_can_be_asked_about_no_further_than_the_answer_before():
    assert body(after(QUESTIONS["en"], "x", "why?")) == body(after(QUESTIONS["en"], "why?"))


@pytest.mark.parametrize("turn", ["and the water?", "in Sweden", "2000", "for a year", "double it", "and the energy?"])
def test_what_changes_or_asks_for_something_is_answered(turn):
    assert after(QUESTIONS["en"], turn).outcome == "answered"


# About us


@pytest.mark.parametrize("language", LANGUAGES)
def test_thanks_and_help_are_answered_with_and_without_a_question_before(language):
    thanks, asked = SAID["thanks"][LANGUAGES.index(language)], SAID["help"][LANGUAGES.index(language)]
    for turns in ([], [QUESTIONS[language]]):
        assert len(after(*turns, thanks).text) < 80
        told = after(*turns, asked).text
        assert "GPT-3" in told and "1000" in told and "H100" in told
    assert after(thanks).language == after(asked).language == language


EXAMPLES = re.compile(r"[\"„«“「]\s?([^\"“”»」]+?)\s?[\"“»”」]")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_example_that_help_gives_is_answered(language):
    examples = EXAMPLES.findall(after(SAID["help"][LANGUAGES.index(language)]).text)
    assert len(examples) == 3
    for example in examples:
        reply = after(example)
        assert reply.outcome == "answered", example
        assert reply.language == language or not re.search(r"[a-zäöüéñà]{3}", example), example


@pytest.mark.parametrize("turn", ["why?", "how sure?", "in French", "is that a lot?"])
def test_a_remark_on_nothing_says_what_can_be_asked(turn):
    reply = after(turn)
    assert (reply.outcome, reply.results) == ("declined", [])
    assert "GPT-3" in reply.text


# Both of the last two answers


TWO = {
    "en": ("energy of training GPT-3", "and BLOOM?"),
    "de": ("Strom für das Training von GPT-3", "und BLOOM?"),
    "fr": ("énergie de l'entraînement de GPT-3", "et BLOOM ?"),
    "es": ("energía para entrenar GPT-3", "¿y BLOOM?"),
    "ja": ("GPT-3の学習に必要な電力は？", "BLOOMは？"),
    "zh-Hans": ("训练 GPT-3 用多少电？", "那 BLOOM 呢？"),
    "zh-Hant": ("訓練 GPT-3 用多少電？", "那 BLOOM 呢？"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_which_of_the_two_sets_the_last_two_answers_against_each_other(language):
    reply = after(*TWO[language], SAID["which"][LANGUAGES.index(language)])
    assert reply.language == language and [call.name for call in reply.tool_calls] == ["compare"]
    assert reply.results[0].value == pytest.approx(1287 / 433.196, rel=1e-4)
    assert {"GPT-3", "BLOOM"} <= set(re.findall(r"GPT-3|BLOOM", reply.text.partition("\n")[0]))


def test_which_of_the_two_follows_an_answer_with_two_rows_and_needs_two():
    assert after("8 H100 and 4 A100 for a week", "which is worse?").results[0].value == pytest.approx(3.5)
    assert after("2 MWh in France or Germany", "which of the two is better?").tool_calls[0].name == "choose_place_and_time"
    assert after("energy of 1000 images", "which is better?").outcome == "needs_input"


@pytest.mark.parametrize(("unit", "shown"), [("in tonnes please", "552.1 t CO2e"), ("in kWh", "1.287 million kWh")])
def test_a_unit_takes_the_place_of_everyday_things(unit, shown):
    assert shown in after("emissions of training GPT-3", "how many flights is that?", unit).text.partition("\n")[0]


@pytest.mark.parametrize("first", [("how many phone charges are 1000 images?",), ("energy of 1000 images", "how many phone charges is that?")])
def test_what_was_told_in_everyday_things_can_be_compared(first):
    reply = after(*first, "compare that with 1000 texts")
    assert reply.outcome == "answered" and "1,000 generated images" in reply.text and "1,000 generated texts" in reply.text


@pytest.mark.parametrize(("more", "said"), [("in French", "fois"), ("why?", "How: "), ("how sure?", "Other published figures")])
def test_what_was_set_against_each_other_can_be_asked_about(more, said):
    reply = after("energy of training GPT-3", "and BLOOM?", "which of the two is worse?", more)
    assert [call.name for call in reply.tool_calls] == ["compare"] and said in reply.text
