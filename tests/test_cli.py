"""The shell: what it prints, its exit status, and what it does not import."""

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.asking import LONGEST_MESSAGE
from kilowhat.plugin.cli import main
from kilowhat.plugin.understanding.tables import lexicon
from kilowhat.tools import TOOLS, KilowhatError, call

SHELL = [sys.executable, "-m", "kilowhat.plugin.cli"]
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


@pytest.mark.parametrize("question", ["-5 images", "1000 images in Atlantis", "energy of Suno"])
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


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["energy=1000 kWh", "regions=Norway,Germany, US"], {"energy": "1000 kWh", "regions": ["Norway", "Germany", "US"]}),
        (["energy=1000 kWh", 'regions=["Norway", "Germany", "US"]'], {"energy": "1000 kWh", "regions": ["Norway", "Germany", "US"]}),
        (["energy=1000 kWh", "regions=320 g CO2e/kWh,50 g CO2e/kWh"], {"energy": "1000 kWh", "regions": ["320 g CO2e/kWh", "50 g CO2e/kWh"]}),
        (
            ["energy=1 kWh", f"hourly_intensity_g_co2e_per_kwh={','.join(['320', '90.5'] * 500)}", "duration_h=2"],
            {"energy": "1 kWh", "hourly_intensity_g_co2e_per_kwh": [320.0, 90.5] * 500, "duration_h": 2},
        ),
    ],
    ids=["commas", "JSON", "units", "a thousand numbers"],
)
def test_a_list_is_written_with_commas_or_as_json(capsys, words, arguments):
    status, output = run(capsys, "tools", "choose_place_and_time", *words, "--json")
    assert (status, json.loads(output.out)) == (0, call("choose_place_and_time", arguments).model_dump(mode="json"))


def test_one_name_is_a_list_too(capsys):
    status, output = run(capsys, "tools", "convert_to_equivalents", "quantity=3 MWh", "equivalents=us-home-year", "--json")
    assert (status, json.loads(output.out)["results"][0]["unit"]) == (0, "US homes for a year")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["choose_place_and_time", "energy=1 kWh", "regions=Norway"], "at least 2 items"),
        (["choose_place_and_time", "energy=1 kWh", "regions=Norway,Atlantis"], "Atlantis"),
        (["choose_place_and_time", "energy=1 kWh", "hourly_intensity_g_co2e_per_kwh=320,low", "duration_h=1"], "'low'"),
        (["choose_place_and_time", "energy=1 kWh", "hourly_intensity_g_co2e_per_kwh=320,nan", "duration_h=1"], "finite"),
        (["compare", "items=Gemini,ChatGPT"], "written as JSON; kilowhat tools compare --help shows one"),
    ],
)
def test_a_list_that_is_refused_says_why(capsys, words, told):
    status, output = run(capsys, "tools", *words)
    assert status == 2
    assert told in output.err


def test_help_names_the_form_of_a_list(capsys):
    assert "regions: list of 2 to 30, with commas between, or as JSON: text each" in " ".join(run(capsys, "tools", "choose_place_and_time", "--help")[1].out.split())
    assert "items: list of 2 to 20, as JSON: object with label and quantity each" in run(capsys, "tools", "compare", "--help")[1].out


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


def shell(*words, told=b""):
    """Run the shell as a process of its own; what it reads from standard input is always told, so that nothing waits."""
    return subprocess.run([*SHELL, *words], input=told, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("words", [[], ["-"]])
def test_a_question_is_read_from_standard_input(words):
    finished = shell("ask", *words, told=f"{QUESTION}\n".encode())
    assert (finished.returncode, finished.stdout.decode()) == (0, shell("ask", QUESTION).stdout.decode())


@pytest.mark.parametrize("words", [[], ["-"], [""], [" "]])
def test_no_question_is_refused_with_an_example(words):
    finished = shell("ask", *words)
    assert finished.returncode == 2
    assert b"missing_input" in finished.stderr
    assert b"kilowhat ask" in finished.stderr


HOSTILE = {
    "50 kB of words": (QUESTION + " ") * 1000,
    "50 kB of digits": "1" * 50_000 + " images",
    "50 kB of brackets": "(" * 50_000,
    "50 kB of Chinese": "一千張圖要幾度電" * 6000,
    "control characters": "\x1b[2J\x07\x1b]0;owned\x07energy of 5 images in \x9b31mAtlantis\u202e\u200b\ufeff",
    "markup": "<script>alert(1)</script> **energy** of [1] 5 images",
    "templates": "{{7*7}} ${jndi:ldap://x} %s %n {0.__class__} energy of 5 images",
    "SQL": "'; DROP TABLE facts; -- energy of 5 images",
    "shell": "$(reboot) `id` | rm -rf / ; energy of 5 images",
    "right to left": "كم من الطاقة تستهلك 1000 صورة؟",
    "emoji": "👩‍👩‍👧‍👦🔥 5 images ⚡?",
    "line ends": "\r\n\r\n5 images\r\n\v\f",
}


@pytest.mark.parametrize("command", ["ask", "chat"])
@pytest.mark.parametrize("question", [*(told.encode() for told in HOSTILE.values()), b"\xff\xfe\x00 5 images \xed\xa0\x80", b"\0" * 50_000], ids=[*HOSTILE, "no UTF-8", "NUL"])
def test_any_text_is_answered_or_refused_in_two_seconds(command, question):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    finished = shell(command, told=question)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    assert finished.returncode in (0, 2)
    assert b"Traceback" not in finished.stderr
    assert b"internal_error" not in finished.stdout + finished.stderr
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]", finished.stdout.decode())


def test_words_that_are_no_unicode_are_refused():
    assert shell("ask", b"\xff\xfe energy of 5 images in \xff").returncode in (0, 2)
    finished = shell("tools", "estimate_task", b"task=\xff", "count=1")
    assert (finished.returncode, finished.stderr.split(b":")[0]) == (2, b"unknown_name")


def test_a_narrow_encoding_is_no_traceback():
    finished = subprocess.run([*SHELL, "ask", "生成一千张图要几度电?"], env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert b"2.9 ?" in finished.stdout


def test_a_reader_that_stops_is_no_traceback():
    finished = subprocess.run(["sh", "-c", f"{shlex.join([*SHELL, 'ask', QUESTION, '--json'])} | head -c 10"], capture_output=True, check=False, timeout=60)
    assert (finished.stdout, finished.stderr) == (b'{"outcome"', b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", [["ask", "1000 images"], ["ask", QUESTION, "--json"], ["refs", "GPT-3"], ["tools"], ["tools", "estimate_tsk", "--json"], ["manifest"], ["--help"], ["--version"]])
def test_a_full_disk_is_one_line(words):
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run([*SHELL, *words], env=buffered, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (finished.returncode, finished.stderr) == (1, b"failed: No space left on device\n")


def test_an_output_that_is_closed_is_no_traceback():
    finished = subprocess.run(["sh", "-c", f"{shlex.join([*SHELL, 'ask', QUESTION])} >&-"], capture_output=True, check=False, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, b"")


def test_a_question_is_as_long_as_on_every_way_in():
    longest = "energy of 5 images " + "and " * ((LONGEST_MESSAGE - 19) // 4)
    assert shell("ask", told=longest.encode()).returncode == 0
    finished = shell("ask", told=(longest + "one").encode() + "一千張圖".encode() * LONGEST_MESSAGE)
    assert finished.returncode == 2
    assert finished.stderr.startswith(b"invalid_arguments: A question, or any other turn, has at most 100,000 characters")


def on_a_terminal(*words, columns=60, **environment):
    """Return what the shell prints on a terminal so wide."""
    told = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")} | {"TERM": "xterm-256color", **environment}
    return pexpect.run(shlex.join([*SHELL, *words]), env=told, encoding="utf-8", timeout=60, withexitstatus=False, dimensions=(24, columns))


@pytest.mark.parametrize("question", [QUESTION, "叫 AI 畫一千張圖要幾度電？"])
def test_a_terminal_gets_lines_that_fit(question):
    from wcwidth import width

    output = on_a_terminal("ask", question, NO_COLOR="1")
    assert "\x1b" not in output
    assert max(width(line) for line in output.splitlines() if "http" not in line) <= 60
    told = ask(question).text.replace("**", "")
    assert "".join(output.split()) == "".join(told.split())
    assert all(link in output for link in re.findall(r"https?://\S+", told))


@pytest.mark.parametrize(
    "words",
    [["tools"], ["tools", "--help"], ["--help"], ["refs", "GPT-3", "training"], ["tools", "estimate_task", "task=image-generatoin", "count=1"], *(["tools", name, "--help"] for name in TOOLS)],
    ids=" ".join,
)
def test_a_narrow_terminal_gets_lines_that_fit(words):
    from wcwidth import width

    output, _, example = on_a_terminal(*words, columns=44, NO_COLOR="1").partition("Example\r\n")
    assert output
    assert [line for line in output.splitlines() if width(line) > 44 and " " in line.strip()] == [], "only a link or a ref may be longer, so that it can be copied"
    assert not example or example.strip().startswith("kilowhat tools ")


def test_bold_is_for_terminals_that_show_it():
    assert "\x1b[1m2.9 kWh\x1b[0m" in on_a_terminal("ask", QUESTION)
    assert "\x1b" not in on_a_terminal("ask", QUESTION, TERM="dumb")
    assert b"\x1b" not in shell("ask", QUESTION).stdout


def test_help_names_the_languages_that_are_read(capsys):
    with pytest.raises(SystemExit):
        main(["ask", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    names = {"de": "German", "en": "English", "es": "Spanish", "fr": "French", "ja": "Japanese", "zh-Hans": "simplified", "zh-Hant": "traditional"}
    assert set(lexicon()["languages"]) == set(names)
    assert all(name in told for name in names.values())


@pytest.mark.parametrize("name", TOOLS)
def test_help_of_a_tool_lists_its_arguments(capsys, name):
    status, output = run(capsys, "tools", name, "--help")
    told = " ".join(output.out.split())
    assert status == 0
    for argument, field in TOOLS[name].arguments.model_fields.items():
        assert f" {argument}: " in told
        assert " ".join((field.description or "").split()) in told
    assert all(", ".join(way) in told for way in TOOLS[name].ways)


def test_help_of_a_tool_tells_ranges_and_values(capsys):
    assert "count: number, 0 to 1e15; needed" in run(capsys, "tools", "estimate_task", "--help")[1].out
    assert "pue: number, 1 to 5" in run(capsys, "tools", "estimate_training", "-h")[1].out
    assert "kind: image or video; needed" in run(capsys, "tools", "estimate_media", "--help")[1].out


@pytest.mark.parametrize("name", TOOLS)
def test_the_example_of_the_help_runs(capsys, name):
    page = run(capsys, "tools", name, "--help")[1].out
    words = shlex.split(page[page.index("Example\n") + len("Example\n") :])
    assert words[0] == "kilowhat"
    status, output = run(capsys, *words[1:], "--json")
    assert status == 0
    assert json.loads(output.out) == call(name, TOOLS[name].example).model_dump(mode="json")


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_without_arguments_says_what_it_needs(capsys, name):
    status, output = run(capsys, "tools", name)
    required = [argument for argument, field in TOOLS[name].arguments.model_fields.items() if field.is_required()]
    assert status == 2
    assert output.err.startswith("missing_input: ")
    assert all(argument in output.err for argument in (*required, *(argument for way in TOOLS[name].ways for argument in way)))
    assert f"kilowhat tools {name} --help" in output.err


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["aks", "how much"], "Near it: ask."),
        (["serv"], "Near it: serve."),
        (["tools", "estimate_tsk", "count=1"], "Near it: estimate_task"),
        (["tools", "estimate_tsk", "--help"], "Near it: estimate_task"),
        (["tools", "estimate_task", "task=image-generatoin", "count=1"], "Near it: image generation."),
        (["ask", QUESTION, "--region", "Frnace"], "Near it: France"),
        (["manifest", "opnai"], "Near it: openai"),
        ([QUESTION], 'kilowhat ask "…"'),
        (["tools", "estimate_task", "--jsn"], "unrecognized arguments: --jsn"),
    ],
)
def test_what_is_misspelled_gets_the_nearest(capsys, words, near):
    try:
        status = main(words)
    except SystemExit as left:
        status = left.code
    assert status == 2
    assert near in capsys.readouterr().err


def test_words_may_stand_behind_an_option(capsys):
    assert run(capsys, "tools", "estimate_task", "--json", "task=image-generation", "count=1000") == run(capsys, "tools", "estimate_task", "task=image-generation", "count=1000", "--json")
    assert run(capsys, "ask", "--region", "FR", "energy of", "--json", "1000 images") == run(capsys, "ask", "energy of 1000 images", "--region", "FR", "--json")


def test_the_version_names_what_a_number_depends_on(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    estimate = call("estimate_task", {"task": "image-generation", "count": 1})
    assert left.value.code == 0
    assert capsys.readouterr().out.strip() == f"kilowhat 0.1.0 (method {estimate.method_version}, data {estimate.data_version})"


def test_refs_as_json_is_the_estimate(capsys):
    status, output = run(capsys, "refs", "gpt-3-training-energy", "--json")
    assert status == 0
    assert json.loads(output.out)["citations"][0]["fact_id"] == "gpt-3-training-energy"


@pytest.mark.parametrize(
    ("typed", "found"),
    [("kilowhat ch", "chat"), ("kilowhat tools estimate_ta", "estimate_task"), ("kilowhat tools estimate_task cou", "count="), ("kilowhat ask --reg", "--region")],
)
def test_a_shell_completes_what_is_typed(tmp_path, typed, found):
    answer = tmp_path / "answer"
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": typed, "COMP_POINT": str(len(typed)), "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(answer)}
    subprocess.run(SHELL, env=os.environ | asked, capture_output=True, check=True, timeout=60)
    assert found in [line.strip() for line in answer.read_text("utf-8").split("\n")]


def test_a_process_ends_with_the_status_of_its_command():
    assert shell("ask", QUESTION).returncode == 0
    assert shell("ask", "-5 images").returncode == 2
    assert shell("nonsense").returncode == 2
    assert shell("tools", "--help").returncode == 0
