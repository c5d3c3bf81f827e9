"""What a cold start leaves out: tools that are not run, libraries that are not needed, and tables that are compiled before."""

import subprocess
import sys

import cn2an
import pytest

from kilowhat.plugin.understanding.tables import lexicon
from kilowhat.plugin.understanding.tools import known_tools
from kilowhat.tools import TOOLS

LATE = ["asyncio", "cn2an", "langchain_core", "rich", "prompt_toolkit", "wcwidth", "argcomplete", "kilowhat.tools.check_claim", "kilowhat.tools.core.arithmetic", "kilowhat.tools.estimate_llm"]


@pytest.mark.parametrize("question", ["how much energy does 1000 image generations use?", "叫 AI 畫一千張圖要幾度電？", "energy of twelve thousand image generations"])
def test_an_answer_imports_what_it_needs(question):
    code = f"import sys; from kilowhat.plugin.cli import main; main(['ask', {question!r}]); print([name for name in {LATE} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert output.splitlines()[-1] == "[]"
    assert any(figure in output for figure in ("2.9 kWh", "2.9 度", "35 kWh"))


def test_a_plan_knows_every_tool_as_it_is():
    assert [tool.name for tool in known_tools()] == list(TOOLS)
    for known in known_tools():
        tool = TOOLS[known.name]
        assert known.arguments == {name: field.is_required() for name, field in tool.arguments.model_fields.items()}
        assert (known.ways, known.topic, known.gives) == (tool.ways, tool.topic, tool.gives)


def test_compiled_numerals_are_those_of_cn2an():
    numerals = lexicon()["numerals"]
    assert {"十二", "二十", "一千", "两百", "三千", "一万", "五百万", "二亿"} <= set(numerals)
    assert [written for written, number in numerals.items() if cn2an.cn2an(written, "smart") != number] == []


def test_the_shell_is_what_the_package_installs():
    from importlib.metadata import entry_points

    (command,) = entry_points(group="console_scripts", name="kilowhat")
    assert command.value == "kilowhat.plugin.cli:run"
