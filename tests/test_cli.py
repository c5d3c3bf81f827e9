"""The shell: what it prints, its exit status, and what it does not import."""

import json
import subprocess
import sys

import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.cli import main
from kilowhat.tools import TOOLS, KilowhatError, call

QUESTION = "how much energy does 1000 image generations use?"


def run(capsys, *words):
    status = main(list(words))
    return status, capsys.readouterr()


def test_ask_prints_the_answer(capsys):
    status, output = run(capsys, "ask", QUESTION)
    assert status == 0
    assert output.out.startswith("2.9 kWh of electricity")
    assert "**" not in output.out


def test_ask_json_is_the_reply(capsys):
    status, output = run(capsys, "ask", QUESTION, "--json")
    assert status == 0
    assert json.loads(output.out) == ask(QUESTION).model_dump(mode="json")


def test_a_polite_no_is_an_answer(capsys):
    assert run(capsys, "ask", "what's the weather in Oslo?")[0] == 0


@pytest.mark.parametrize("question", ["-5 images", "1000 images in Atlantis", "energy of Midjourney"])
def test_a_refusal_exits_with_two(capsys, question):
    assert run(capsys, "ask", "--", question)[0] == 2


def test_a_region_that_is_not_known_exits_with_two(capsys):
    status, output = run(capsys, "ask", QUESTION, "--region", "Atlantis")
    assert status == 2
    assert "unknown_name" in output.err


def test_a_region_is_taken_where_the_question_names_none(capsys):
    _, output = run(capsys, "ask", QUESTION, "--region", "FR", "--json")
    assert json.loads(output.out)["tool_calls"][0]["arguments"]["region"] == "FR"


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_runs_from_the_shell(capsys, name):
    status, output = run(capsys, "tools", name, json.dumps(dict(TOOLS[name].example)), "--json")
    assert status == 0
    assert json.loads(output.out) == call(name, TOOLS[name].example).model_dump(mode="json")


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_refuses_the_same_way(capsys, name):
    arguments = {**TOOLS[name].example, "colour": "blue"}
    status, output = run(capsys, "tools", name, json.dumps(arguments), "--json")
    with pytest.raises(KilowhatError) as refused:
        call(name, arguments)
    assert status == 2
    assert json.loads(output.out) == refused.value.as_dict()


@pytest.mark.parametrize("arguments", [["{"], ['{"count": NaN}'], ["[" * 10000], ["count"], ["count=-1", "task=image-generation"], ['{"count": 1e999, "task": "image-generation"}']])
def test_bad_arguments_exit_with_two(capsys, arguments):
    assert run(capsys, "tools", "estimate_task", *arguments)[0] == 2


def test_an_unknown_tool_exits_with_two(capsys):
    status, output = run(capsys, "tools", "estimate_tsk", "--json")
    assert status == 2
    assert "estimate_task" in json.loads(output.out)["error"]["nearest"]


def test_words_are_arguments(capsys):
    status, output = run(capsys, "tools", "estimate_task", "task=image generation", "count=1000", "--json")
    assert status == 0
    assert json.loads(output.out)["results"][0]["value"] == 2.907


def test_refs_finds_a_fact_by_words_and_by_id(capsys):
    status, output = run(capsys, "refs", "GPT-3", "training", "energy")
    assert status == 0
    assert "1.287 GWh" in output.out
    assert run(capsys, "refs", "gpt-3-training-energy")[0] == 0
    assert run(capsys, "refs", "qwertz", "asdf")[0] == 2


def test_the_manifest_is_printed(capsys):
    status, output = run(capsys, "manifest", "openai")
    assert status == 0
    assert {tool["function"]["name"] for tool in json.loads(output.out)} == set(TOOLS)
    assert run(capsys, "manifest", "klingon")[0] == 2


@pytest.mark.parametrize("words", [["ask", QUESTION], ["ask", "生成一千张图要几度电?"], ["tools"], ["tools", "estimate_fleet", "count=1", "hours=1", "power_w=1"]])
def test_an_answer_imports_no_framework(words):
    code = f"import sys; from kilowhat.plugin.cli import main; main({words!r}); print(sorted(set(sys.modules) & {{'langchain_core', 'fastapi', 'starlette', 'rich', 'numpy', 'ecologits', 'jsonschema', 'babel', 'ruamel.yaml'}}))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[]"
