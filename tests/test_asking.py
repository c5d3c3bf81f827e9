"""``ask`` and ``stream`` from Python: how long a question may be, and in which scripts it is read."""

import pytest

from kilowhat.plugin import ask, stream
from kilowhat.plugin.asking import LONGEST_MESSAGE
from kilowhat.plugin.reply import Reply, ToolCall
from kilowhat.tools.core.errors import InvalidArguments


def test_a_stream_gives_tool_calls_then_text_then_the_reply():
    steps = list(stream("energy of 1000 images in France"))
    kinds = [type(step) for step in steps]
    assert kinds == sorted(kinds, key=(ToolCall, str, Reply).index)
    assert "".join(step for step in steps if isinstance(step, str)) == steps[-1].text
    assert [step for step in steps if isinstance(step, ToolCall)] == steps[-1].tool_calls


@pytest.mark.parametrize(
    "parts", [lambda text: text, lambda text: [text], lambda text: [{"role": "user", "content": text}], lambda text: [{"role": "user", "content": [{"type": "text", "text": text}]}]]
)
def test_a_question_is_refused_where_it_is_longer_than_is_read(parts):
    longest = "energy of 5 images ".ljust(LONGEST_MESSAGE, ".")
    assert ask(parts(longest)).outcome == "answered"
    with pytest.raises(InvalidArguments, match="at most 100,000 characters; this one has 100,001"):
        ask(parts(longest + "."))


@pytest.mark.parametrize("question", ["이미지 1000장을 생성하는 데 전기가 얼마나 드나요?", "Сколько электричества потребляет ChatGPT?", "كم من الطاقة تستهلك 1000 صورة؟"])
def test_a_question_in_a_script_that_is_not_read_is_told_which_are(question):
    reply = ask(question)
    assert [warning.code for warning in reply.warnings].count("language_not_read") == 1
    body, _, _ = reply.text.partition("\n\n[1] ")
    assert body.endswith("Questions are read in English, Chinese (simplified or traditional), French, German, Spanish or Japanese; of others only names and numbers.")
    assert "".join(piece for piece in stream(question) if isinstance(piece, str)) == reply.text


@pytest.mark.parametrize("question", ["energy of 5 images", "生成一千张图要几度电？", "画像1000枚の電力は？", "Énergie de 1000 images ?", "5 µWh", "42?", "👩‍👩‍👧‍👦🔥⚡"])
def test_a_question_in_a_script_that_is_read_gets_no_such_note(question):
    assert "language_not_read" not in [warning.code for warning in ask(question).warnings]
