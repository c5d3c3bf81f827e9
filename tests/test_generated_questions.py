"""Questions that nobody would write: no reply is a crash, a number that is none, or a negative energy.

The pieces are all that is read (phrases and names of every language, numbers and units in every form) and all that is not: other
scripts, emoji, text from right to left, control characters. The ten thousand of them run by hand:

    pytest -m heavy tests/test_generated_questions.py
"""

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kilowhat.plugin import ask
from kilowhat.plugin.understanding.tables import lexicon
from kilowhat.tools import Library

LEXICON = lexicon()
PHRASES = sorted({" ".join(words) for told in LEXICON["languages"].values() for phrases in told["phrases"].values() for words, *_ in phrases})
NAMES = sorted({" ".join(words) for phrases in LEXICON["names"].values() for words, *_ in phrases} | set(Library.load().claims))
NUMBERS = [
    "1000",
    "1,000",
    "1.000",
    "1 000",
    "5k",
    "1.5 million",
    "half a dozen",
    "一千",
    "2億",
    "３万",
    "1e6",
    "1e400",
    "-3",
    "0",
    "NaN",
    "10-20",
    "1/2",
    "½",
    "千分之三",
    "12 thousand 5 hundred",
    "9" * 60,
    "٣٤",
    "ⅷ",
    "0.1.2",
    "1,2,3",
]
UNITS = [
    "Wh",
    "kWh",
    "度",
    "J",
    "W",
    "kW",
    "g CO2",
    "t CO2e",
    "L",
    "mL",
    "g/kWh",
    "%",
    "times",
    "倍",
    "hours",
    "天",
    "per day",
    "每天",
    "par mois",
    "pro Woche",
    "24/7",
    "30 fps",
    "B",
    "tokens",
    "km",
    "gallons",
    "PUE",
]
ODD = [
    "🔥",
    "👩🏽‍💻",
    "مرحبا كم الطاقة",
    "שלום",
    "\u202e",
    "\u0000",
    "\u200b",
    "\ufeff",
    "\t\n",
    "<script>",
    "'; DROP TABLE",
    "{{7*7}}",
    "${x}",
    "\\",
    "%s%n",
    "```",
    "&amp;",
    "＄",
    "𝟙𝟘",
    "ﷺ",
    "Z̷̧a̵",
    "？",
    "。",
    "、",
    "—",
    "...",
    "?" * 20,
]
JOINTS = [" ", " ", " ", "", ", ", "，", " vs ", " and ", " of ", " in ", " for ", "? ", "的", "和"]

pieces = st.one_of(st.sampled_from(PHRASES), st.sampled_from(NAMES), st.sampled_from(NUMBERS), st.sampled_from(UNITS), st.sampled_from(ODD), st.text(max_size=8), st.floats().map(str))
questions = st.lists(st.tuples(pieces, st.sampled_from(JOINTS)), min_size=1, max_size=10).map(lambda parts: "".join(piece + joint for piece, joint in parts))
conversations = st.lists(questions, min_size=1, max_size=3)


def check(turns: list[str]) -> None:
    messages = [message for turn in turns[:-1] for message in ({"role": "user", "content": turn}, {"role": "assistant", "content": "…"})]
    reply = ask([*messages, {"role": "user", "content": turns[-1]}])
    assert reply.outcome in ("answered", "needs_input", "declined")
    assert reply.text.strip()
    assert not {"nan", "inf", "-inf"} & set(reply.text.casefold().replace(",", " ").split()) or any(word in " ".join(turns).casefold() for word in ("nan", "inf"))
    assert "Traceback" not in reply.text
    json.dumps(reply.model_dump(mode="json"), allow_nan=False)
    for result in reply.results:
        assert math.isfinite(result.value)
        if result.quantity in ("energy", "emissions", "water", "power", "count"):
            assert result.value >= 0
        if result.low is not None and result.high is not None:
            assert result.low <= result.value <= result.high


@settings(max_examples=150, deadline=None)
@given(turns=conversations)
def test_no_question_is_a_crash_or_an_impossible_number(turns: list[str]) -> None:
    check(turns)


@pytest.mark.heavy
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(turns=conversations)
def test_ten_thousand_questions(turns: list[str]) -> None:
    check(turns)
