"""The chat: turns, commands, tables, completion and history; on a terminal, in a dumb one, and from a pipe."""

import _thread
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import threading

import pexpect
import pyte
import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from kilowhat.plugin import ask
from kilowhat.plugin.chat import COMMANDS, Chat, completions, history_file, names, rows_of, session, typed
from kilowhat.plugin.cli import main
from kilowhat.tools import TOOLS, call
from kilowhat.tools.core.tool import parse_ref

SHELL = [sys.executable, "-m", "kilowhat.plugin.cli", "chat"]
QUESTION = "how much energy does 1000 image generations use?"


class BrokenModel(GenericFakeChatModel):
    """A chat model whose provider fails in the middle of an answer."""

    def bind_tools(self, tools, **_told):
        return self


def failing(error):
    def messages():
        raise error
        yield AIMessage("")

    return BrokenModel(messages=messages())


def interrupted():
    """Return a model during whose thinking Ctrl-C is pressed."""

    def messages():
        _thread.interrupt_main()
        threading.Event().wait(3)
        yield AIMessage("")

    return BrokenModel(messages=messages())


def held(capsys, *lines, **told):
    """Return a chat after these lines, and what it printed."""
    talk = Chat(**told)
    assert talk.run(lines) == 0
    return talk, capsys.readouterr().out


def test_a_question_gets_the_answer_of_ask(capsys):
    talk, output = held(capsys, QUESTION)
    assert talk.last == ask(QUESTION)
    assert output.split() == talk.last.text.replace("**", "").split()


def test_turns_are_kept(capsys):
    talk, _ = held(capsys, QUESTION, "and in France?")
    assert [turn["role"] for turn in talk.turns] == ["user", "assistant"] * 2
    assert talk.last.tool_calls[0].arguments == {"task": "image-generation", "count": 1000.0, "region": "FRA"}


def test_reset_forgets_the_turns(capsys):
    talk, _ = held(capsys, QUESTION, "/reset", "and in France?")
    assert len(talk.turns) == 2
    assert talk.last.outcome != "answered"


def test_a_place_is_taken_where_the_question_names_none(capsys):
    talk, output = held(capsys, "/region FR", QUESTION)
    assert "France" in output
    assert talk.last == ask(QUESTION, region="FR")
    talk, output = held(capsys, "/region FR", "/region none", "/region")
    assert talk.region is None
    assert output.count("world average") == 2


def test_a_place_that_is_not_known_changes_nothing(capsys):
    talk, output = held(capsys, "/region FR", "/region Frnace")
    assert "unknown_name" in output
    assert "France" in output
    assert talk.region == "FR"


def test_the_last_answer_is_told_as_json(capsys):
    _, output = held(capsys, "/json", QUESTION, "/json")
    assert "No answer was given yet." in output
    assert json.loads(output.splitlines()[-1]) == ask(QUESTION).model_dump(mode="json")


def test_sources_are_told_with_their_place(capsys):
    _, output = held(capsys, "/sources", QUESTION, "/sources all")
    assert output.startswith("No answer with sources was given yet.")
    for citation in ask(QUESTION).citations:
        assert citation.statement in output
        assert citation.locator in output


def test_the_sources_that_are_counted_are_those_that_the_answer_names(capsys):
    talk, output = held(capsys, QUESTION, "/sources", tables=True, styled=False)
    named = {int(number) for number in re.findall(r"\[(\d+)\]", talk.last.text.partition("\n\n[1]")[0])}
    assert len(named) < len(talk.last.citations)
    assert f"{len(named)} sources: /sources" in output
    assert {int(number) for number in re.findall(r"^\[(\d+)\] ", output, re.MULTILINE)} == named


@pytest.mark.parametrize(
    ("question", "english"),
    [
        ("Wie viel Strom brauchen 1.000 KI-Bilder?", ["low", "value", "high", "sources", "electricity", "hours", " to "]),
        ("Combien d'énergie pour 1000 images en handyladungen?", ["low", "value", "high", "sources:", "electricity"]),
        ("¿Cuántas cargas de móvil son 1000 imágenes?", ["low", "value", "high", "sources", "phone charges", "each"]),
        ("一千张图要几度电？", ["low", "value", "high", "electricity", "water consumed"]),
        ("画像を1000枚生成するのに必要な電力は？", ["low", "value", "high", "electricity", "water consumed"]),
        ("Ist eine ChatGPT-Anfrage mehr als eine Stunde Netflix?", ["low", "value", "over", "probability"]),
    ],
)
@pytest.mark.parametrize("columns", [44, 100])
def test_the_table_speaks_the_language_of_the_answer(capsys, monkeypatch, question, english, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    _, output = held(capsys, question, tables=True, styled=False)
    table = "\n".join(line for line in output.splitlines() if not line.startswith("· "))
    assert "●" in table
    assert not [word for word in english if re.search(rf"(?<![\w/]){re.escape(word)}(?!\w)", table)], table


def test_json_on_a_terminal_is_short_and_whole_where_that_is_asked_for(capsys):
    _, output = held(capsys, QUESTION, "/json", tables=True, styled=False)
    brief = json.loads(output[output.index("{\n") :])
    assert len(output[output.index("{\n") :].splitlines()) < 30
    assert brief["results"][0]["value"] == ask(QUESTION).results[0].value
    assert call_of(brief["calls"][0]["ref"]) == ask(QUESTION).tool_calls[0].estimate
    _, output = held(capsys, QUESTION, "/json all", tables=True, styled=False)
    assert json.loads(output.strip().splitlines()[-1]) == ask(QUESTION).model_dump(mode="json")


def call_of(ref):
    tool, arguments = parse_ref(ref, TOOLS)
    return tool(arguments)


@pytest.mark.parametrize("question", ["compare 1000 images with 1000 generated texts", "emissions of 3 kWh in Germany and in France"])
def test_a_terminal_shows_no_marks_of_a_table(capsys, monkeypatch, question):
    monkeypatch.setenv("COLUMNS", "44")
    talk, output = held(capsys, question, tables=True, styled=False)
    assert "| " in talk.last.text
    assert "|" not in output
    assert "\n\n\n" not in output
    assert max(map(len, output.splitlines())) <= 44


@pytest.mark.parametrize("remark", ["why?", "Warum?", "x", "thanks!", "in French"])
def test_a_remark_does_not_lay_the_results_out_again(capsys, remark):
    _, first = held(capsys, QUESTION, tables=True, styled=False)
    _, both = held(capsys, QUESTION, remark, tables=True, styled=False)
    assert both.removeprefix(first).count("●") <= (4 if remark == "in French" else 1)


def test_calls_run_in_the_shell(capsys):
    talk, output = held(capsys, "/calls", QUESTION, "/calls")
    assert output.startswith("No tool has run yet.")
    lines = [line for line in output.splitlines() if line.startswith("kilowhat tools ")]
    assert len(lines) == len(talk.last.tool_calls)
    for line, made in zip(lines, talk.last.tool_calls, strict=True):
        assert main([*shlex.split(line)[1:], "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == made.estimate.model_dump(mode="json")


def test_help_lists_every_command_and_tools_every_tool(capsys):
    _, output = held(capsys, "/help", "/tools")
    assert all(f"/{name}" in output for name in COMMANDS)
    assert all(name in output for name in TOOLS)


@pytest.mark.parametrize("leave", ["/quit", "/exit", "/q", "quit", "exit", "QUIT", ":q"])
def test_a_chat_can_be_left(capsys, leave):
    talk, _ = held(capsys, leave, QUESTION)
    assert talk.turns == []


def test_an_unknown_command_gets_the_nearest(capsys):
    talk, output = held(capsys, "/sorces", "/qwertz\x1b[2J", QUESTION)
    assert "/sources" in output
    assert "\x1b" not in output
    assert talk.last is not None


def test_a_command_can_be_told_by_its_beginning(capsys):
    talk, output = held(capsys, "/so", "/re", "/reg FR", "/qu", QUESTION)
    assert "No answer with sources was given yet." in output
    assert "Near it: /region, /reset." in output
    assert (talk.region, talk.turns) == ("FR", [])


def test_letters_that_are_none_are_a_question_like_any(capsys):
    _, output = held(capsys, "\udcff\ud800 images in \udcfe", "energy of 5 images in \ud800land", "/json", "/calls")
    assert json.loads(next(line for line in output.splitlines() if line.startswith("{")))["outcome"]


def test_blank_lines_ask_nothing(capsys):
    assert held(capsys, "", "   ", "\t")[1] == ""


@pytest.mark.parametrize("error", [RuntimeError("secret key sk-123"), ConnectionError("no route"), KeyError("choices"), RecursionError()])
def test_an_error_of_a_model_does_not_end_the_chat(capsys, error):
    talk, output = held(capsys, QUESTION, "/model offline", QUESTION, model=failing(error))
    assert "Traceback" not in output
    assert "sk-123" not in output
    assert len(talk.turns) == 2
    assert talk.last == ask(QUESTION)


def test_a_model_that_cannot_be_set_up_changes_nothing(capsys):
    talk, output = held(capsys, "/model nonsense:x", QUESTION, "/model")
    assert talk.last == ask(QUESTION)
    assert output.strip().endswith("Answers come from the offline model.")


def test_a_refusal_of_a_tool_does_not_end_the_chat(capsys):
    talk, output = held(capsys, "1000 images in Atlantis", QUESTION)
    assert "Atlantis" in output
    assert talk.last.outcome == "answered"


def test_control_c_cancels_an_answer(capsys):
    talk, output = held(capsys, QUESTION, "/model offline", QUESTION, model=interrupted())
    assert "Cancelled." in output
    assert len(talk.turns) == 2


def test_control_c_ends_a_chat_that_nobody_types(capsys):
    with pytest.raises(KeyboardInterrupt):
        Chat(model=interrupted()).run([QUESTION], interactive=False)


@pytest.mark.parametrize("columns", [40, 60, 72, 100, 200])
@pytest.mark.parametrize("question", [QUESTION, "compare 1000 images with 1000 generated texts", "叫 AI 畫一千張圖要幾度電？"])
def test_results_are_laid_out_with_bars_that_fit(capsys, monkeypatch, question, columns):
    from wcwidth import width

    monkeypatch.setenv("COLUMNS", str(columns))
    talk, output = held(capsys, question, tables=True, styled=False)
    assert max(width(line) for line in output.splitlines()) <= columns
    assert "\x1b" not in output
    bars = re.findall(r"[·├─]*●[·─┤]*  [\d.,]+(?: 萬)? (?:to|至) ", output)
    shown = [result for result in rows_of(talk.last) if result.low != result.high]
    assert len(bars) == len(shown) > 1
    assert output.count("/sources") == 1
    assert "http" not in output


def test_a_chat_shows_which_tools_ran(capsys):
    _, output = held(capsys, QUESTION, tables=True, styled=False)
    assert output.startswith("· estimate_task(task=image-generation, count=1,000)\n")


def test_bars_are_read_without_colour_and_without_lines(capsys, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    _, output = held(capsys, QUESTION, tables=True)
    assert re.search(r"\.*\|-*o-*\|\.*  0 to 12 kWh", output)


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("/so", "/sources"),
        ("/", "/help"),
        ("/region Franc", "France"),
        ("/model anth", "anthropic:"),
        ("energy of 500 image gen", "image generation"),
        ("a prompt to chatg", "ChatGPT"),
        ("one answer of gpt-4o-m", "gpt-4o-mini"),
        ("1000 images in norw", "Norway"),
    ],
)
def test_what_is_typed_is_completed(before, found):
    assert found in [name for name, _, _ in completions(before)]


@pytest.mark.parametrize("before", ["", " ", "a", "energy of qqqq", "/nonsense"])
def test_what_begins_no_name_is_not_completed(before):
    assert list(completions(before)) == []


def test_names_come_from_the_library():
    assert {about for _, about in names()} >= {"task", "service", "place", "model", "device"}
    assert call("estimate_task", {"task": next(name for name, about in names() if about == "task"), "count": 1}).results


def typed_by(keys, **told):
    """Return the lines that a line editor gives for keys."""
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        return list(typed(session(**told)))


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("state")
def test_keys_edit_a_line():
    assert typed_by("energy of 5 images\x03energy of 6 images\r\x04") == ["energy of 6 images"]
    assert typed_by("images of 5 energy\x01\x0benergy of 5 images\r\x04") == ["energy of 5 images"]


def test_history_is_kept_for_its_user(state):
    assert typed_by("energy of 5 images\r\x04") == ["energy of 5 images"]
    file = state / "kilowhat" / "history"
    assert history_file() == file
    assert "energy of 5 images" in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_history_can_be_left_off(state):
    assert typed_by("energy of 5 images\r\x04", keep_history=False) == ["energy of 5 images"]
    assert not (state / "kilowhat").exists()


def test_a_chat_without_a_place_for_history_is_a_chat(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert history_file() is None
    assert typed_by("energy of 5 images\r\x04") == ["energy of 5 images"]


def piped(told, *words, **environment):
    return subprocess.run([*SHELL, *words], input=told, env=os.environ | environment, capture_output=True, check=False, timeout=60)


def test_a_pipe_asks_one_question_a_line():
    finished = piped(f"{QUESTION}\n\nand in France?\n1000 images in Atlantis\n/nonsense\nenergy of 5 images".encode())
    output = finished.stdout.decode()
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert output.startswith("2.9 kWh of electricity for 1,000 generated images")
    assert "in France" in output
    assert "Atlantis" in output
    assert "/nonsense" in output
    assert "15 Wh of electricity for 5 generated images" in output
    assert "\x1b" not in output
    assert "├" not in output


def test_a_pipe_without_an_end_of_line_is_bounded():
    finished = piped(b"energy of 5 images " * 100_000 + b"\nenergy of 6 images\n")
    assert finished.returncode == 0
    assert finished.stdout.decode().count(" of electricity for ") == 2


def test_a_place_or_model_that_is_not_known_starts_no_chat():
    assert piped(b"", "--region", "Atlantis").returncode == 2
    assert b"unknown_name" in piped(b"", "--region", "Atlantis").stderr
    assert piped(b"", "--model", "nonsense:x").returncode == 2


def test_a_pipe_imports_neither_editor_nor_tables():
    code = "import sys; from kilowhat.plugin.cli import main; main(['chat']); print(sorted(set(sys.modules) & {'prompt_toolkit', 'rich', 'langchain_core', 'fastapi'}))"
    finished = subprocess.run([sys.executable, "-c", code], input=f"{QUESTION}\n/help\n".encode(), capture_output=True, check=True, timeout=60)
    assert finished.stdout.decode().splitlines()[-1] == "[]"


class Terminal:
    """A chat on a pseudo-terminal, and what its screen shows."""

    def __init__(self, state, columns=100, **environment):
        told = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        told |= {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "XDG_STATE_HOME": str(state), **environment}
        self.child = pexpect.spawn(SHELL[0], SHELL[1:], env=told, dimensions=(60, columns), encoding="utf-8", codec_errors="replace", timeout=30)
        self.screen = pyte.Screen(columns, 60)
        self.stream = pyte.Stream(self.screen)
        self.raw = ""

    def until(self, pattern):
        self.child.expect(pattern)
        self.raw += self.child.before + self.child.after
        self.stream.feed(self.child.before + self.child.after)
        return "\n".join(line.rstrip() for line in self.screen.display)

    def leave(self):
        self.child.expect(pexpect.EOF)
        self.raw += self.child.before
        self.child.close()
        return self.child.exitstatus


def test_a_terminal_shows_tools_table_and_bars(tmp_path):
    terminal = Terminal(tmp_path)
    terminal.until("kilowhat>")
    terminal.child.send(f"{QUESTION}\r")
    shown = terminal.until("/sources")
    assert "· estimate_task(task=image-generation, count=1,000)" in shown
    assert re.search(r"electricity +0\.76 +2\.9 kWh +11 +·*├─*●─*┤·*  0 to 12 kWh", shown)
    assert "https://" not in shown
    terminal.child.send("half a question\x03")
    terminal.child.send("/region FR\r")
    assert "France" in terminal.until("named: France")
    terminal.child.send("\x04")
    assert terminal.leave() == 0


def test_a_terminal_completes_and_recalls(tmp_path):
    terminal = Terminal(tmp_path)
    terminal.until("kilowhat>")
    terminal.child.send("/sources\r")
    terminal.until("No answer with sources was given yet.")
    terminal.until("kilowhat>")
    terminal.child.send("energy of 5 images in Norw\t")
    terminal.until("ay")
    terminal.child.send("\r")
    assert "in Norway" in terminal.until("/sources")
    terminal.until("kilowhat>")
    terminal.child.send("\x04")
    assert terminal.leave() == 0
    again = Terminal(tmp_path)
    again.until("kilowhat>")
    again.child.send("\x1b[A")
    assert "energy of 5 images in Norway" in again.until("Norway")
    again.child.send("\x03\x04")
    assert again.leave() == 0


def test_a_terminal_without_colour_shows_the_same(tmp_path):
    terminal = Terminal(tmp_path, NO_COLOR="1")
    terminal.until("kilowhat>")
    terminal.child.send(f"{QUESTION}\r")
    assert "├─" in terminal.until("/sources")
    answer = terminal.raw[terminal.raw.index("· estimate_task") :]
    assert not re.search(r"\x1b\[[\d;]*m", answer)
    terminal.child.send("/quit\r")
    assert terminal.leave() == 0


def test_a_dumb_terminal_gets_plain_text(tmp_path):
    terminal = Terminal(tmp_path, TERM="dumb")
    terminal.until("kilowhat>")
    terminal.child.send(f"{QUESTION}\n")
    terminal.until("/sources")
    terminal.until("kilowhat>")
    terminal.child.send("half a question\x03")
    terminal.until("kilowhat>")
    os.write(terminal.child.child_fd, b"\xff\xfe in Norway\n/json\n")
    terminal.until('"outcome"')
    terminal.until("kilowhat>")
    terminal.child.send("\x04")
    assert terminal.leave() == 0
    assert "\x1b" not in terminal.raw
    assert re.search(r"\|-*o-*\|", terminal.raw)


def test_the_rows_of_several_things_say_what_they_are_of(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    _, output = held(capsys, "1000 images and 3 H100 for a day", tables=True, styled=False)
    table = output[output.index("low  ") :]
    assert re.search(r"1,000\s+generated", table) and "H100" in table and "together" in table
