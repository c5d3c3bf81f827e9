"""The README says what the code does: every block in it is run, and its output compared.

python tests/test_readme.py     # writes the outputs that the README shows, after a change
"""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

README = Path(__file__).parent.parent / "README.md"
CI = Path(__file__).parent.parent / ".ci" / "run"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text):
    return [(match[1], match[2]) for match in BLOCK.finditer(text)]


def shell(command):
    from kilowhat.plugin.cli import main

    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", "100")
        main(shlex.split(command)[1:])
    return output.getvalue().strip()


def python(code):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "README.md", "exec"), {})
    return output.getvalue().strip()


def chat(block):
    """Return a chat of the questions in a block, as a terminal of 100 columns shows it."""
    from kilowhat.plugin.chat import PROMPT, Chat

    output = io.StringIO()
    with contextlib.redirect_stdout(output), pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", "100")
        environment.setenv("TERM", "xterm")
        talk = Chat(tables=True, styled=False)
        for line in block.splitlines():
            if line.startswith(PROMPT):
                output.write(f"{line}\n")
                talk.run([line.removeprefix(PROMPT)])
    return output.getvalue().strip()


RUN = {"shell": shell, "python": python, "chat": chat}


def outputs(text):
    """Yield each block that makes an output with the output that the README shows for it."""
    found = blocks(text)
    for (kind, body), (next_kind, shown) in zip(found, [*found[1:], ("", "")], strict=True):
        if kind == "console":
            command, _, expected = body.partition("\n")
            yield "shell", command.removeprefix("$ "), expected.strip()
        elif kind == "sh" and next_kind == "text":
            yield "shell", body[body.index("kilowhat ask") :].strip(), shown.strip()
        elif kind == "chat":
            yield "chat", body, body.strip()
        elif kind == "python":
            yield "python", body, shown.strip() if next_kind == "text" else ""


CASES = list(outputs(README.read_text("utf-8")))


@pytest.mark.parametrize(("kind", "code", "expected"), CASES, ids=[code.strip().splitlines()[0][:60] for _, code, _ in CASES])
def test_every_block_gives_what_it_shows(kind, code, expected):
    assert RUN[kind](code) == expected


SCENARIOS = YAML(typ="safe", pure=True).load((Path(__file__).parent / "scenarios.yaml").read_text("utf-8"))


def row(scenario):
    """Return the row of the README's table for a scenario: the question, and of its answer the first line and those that it names."""
    from kilowhat.plugin import ask

    first, *rest = (re.sub(r"\*\*|\s*(?:\[\d+\])+", "", line).removeprefix("- ") for line in ask(scenario["question"]).text.splitlines())
    shown = [first, *(next(line for line in rest if line.startswith(begin)) for begin in scenario.get("also", ()))]
    return f"| {scenario['question']} | {' · '.join(line.rstrip('.') for line in shown)} | `{scenario['call']['tool']}` |"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["question"] for scenario in SCENARIOS])
def test_the_twelve_questions_are_answered_as_the_readme_says(scenario):
    assert row(scenario) in README.read_text("utf-8")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["question"] for scenario in SCENARIOS])
def test_a_question_and_the_call_that_it_means_give_one_number(scenario):
    from kilowhat.plugin import ask
    from kilowhat.tools import call

    told = scenario["call"]
    arguments = {name: float(value) if isinstance(value, int) else value for name, value in told["arguments"].items()}
    expected = call(told["tool"], arguments)
    reply = ask(scenario["question"])
    assert told["tool"] in [made.name for made in reply.tool_calls]
    found = [result.value for made in reply.tool_calls if made.name == told["tool"] for result in made.estimate.results]
    assert expected.results[0].value in [pytest.approx(value) for value in found]
    assert (reply.outcome, reply.verdict) == ("answered", expected.verdict and expected.verdict.verdict)


def test_the_gate_runs_the_test_command_of_the_readme():
    command = next(body.strip() for kind, body in blocks(README.read_text("utf-8")) if kind == "sh" and "pytest" in body)
    assert command in CI.read_text("utf-8")


def test_the_counts_and_the_tools_are_current():
    from kilowhat.tools import TOOLS, Library

    text = README.read_text("utf-8")
    library = Library.load()
    assert f"{len(library):,} facts" in text
    assert f"{len(library.claims)} claims" in text
    for tool in TOOLS.values():
        assert f"| `{tool.name}` | {tool.title} |" in text


if __name__ == "__main__":
    readme = README.read_text("utf-8")
    for kind, code, expected in CASES:
        found = RUN[kind](code)
        if expected and found != expected:
            readme = readme.replace(expected, found)
    table = re.compile(r"(?<=\| question \| answer \| tool \|\n\| --- \| --- \| --- \|\n)(?:\|.*\n)*")
    readme = table.sub(lambda _: "".join(f"{row(scenario)}\n" for scenario in SCENARIOS), readme)
    from kilowhat.tools import TOOLS, Library

    readme = re.sub(r"[\d,]+ facts", f"{len(Library.load()):,} facts", readme)
    tools = re.compile(r"(?<=\| tool \| answers \|\n\| --- \| --- \|\n)(?:\|.*\n)*")
    readme = tools.sub(lambda _: "".join(f"| `{tool.name}` | {tool.title} |\n" for tool in TOOLS.values()), readme)
    README.write_text(readme, "utf-8")
    sys.stdout.write("README.md is current\n")
