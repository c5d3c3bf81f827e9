"""``kilowhat chat``: one question after another, with the tools that ran, tables and range bars.

On a terminal a line is edited by prompt_toolkit (arrow keys, search, completion) and results are laid out by rich; from a pipe,
or in a dumb terminal, it is lines in and plain text out. Nothing that goes wrong with a question ends the chat.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kilowhat.plugin.answer import footnotes, label_of, value_of
from kilowhat.plugin.asking import LONGEST_MESSAGE, stream
from kilowhat.plugin.citing import equals, same
from kilowhat.plugin.describing import about, english_thing, kind_of, names_compared
from kilowhat.plugin.failures import safely
from kilowhat.plugin.range_bar import ASCII_LINES, LINES, Axis, axis_for, bar
from kilowhat.plugin.reply import Reply, ToolCall
from kilowhat.plugin.terminal import cleared, columns, in_words, is_row, is_styled, near_it, shown
from kilowhat.plugin.wording import Wording, wording
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.estimate import Result, as_quantity
from kilowhat.tools.core.units import NUMBER, Quantity, format_number

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document

PROMPT = "kilowhat> "
WELCOME = "Ask what AI costs in energy, carbon and water. /help lists the commands, Tab completes names, Ctrl-D leaves."
MOST_TURNS = 40
MOST_ROWS = 8
NARROW = 72
"""Columns below which a bar stands under its row, not beside it."""

PROVIDERS = ("openai:", "anthropic:", "google_genai:", "ollama:")
_FOOTNOTE = re.compile(r"\[\d+\] ")


class Chat:
    """A conversation: its turns, the place and the model that hold for it, and its last reply."""

    def __init__(self, model: BaseChatModel | str | None = None, *, region: str | None = None, styled: bool | None = None, tables: bool | None = None) -> None:
        """Start a conversation.

        Args:
            model: ``provider:name``, a LangChain chat model, or None for the offline model.
            region: The place to take where a question names none.
            styled: Whether bold is shown; by what standard output is where it is left out.
            tables: Whether results are laid out as tables with bars; where standard output is a terminal, if it is left out.

        Raises:
            KilowhatError: where the model can't be set up.
        """
        self.turns: list[dict[str, str]] = []
        self.region = region
        self.last: Reply | None = None
        self.over = False
        self.styled = is_styled(sys.stdout) if styled is None else styled
        self.tables = sys.stdout.isatty() if tables is None else tables
        self.model_name: str | None = None
        self._model: BaseChatModel | None = None
        if isinstance(model, str):
            self._load(model)
        elif model is not None:
            self._model, self.model_name = model, type(model).__name__

    def run(self, lines: Iterable[str], *, interactive: bool = True) -> int:
        """Answer lines until there are no more, or one of them says to leave; return the exit status."""
        for line in lines:
            try:
                self.take(line.encode("utf-8", "replace").decode().strip())
            except KilowhatError as error:
                self.say(in_words(error))
            except KeyboardInterrupt:
                if not interactive:
                    raise
                self.say("Cancelled.")
            if self.over:
                break
        return 0

    def take(self, line: str) -> None:
        """Take one line: a question, or a command.

        Raises:
            KilowhatError: where it can't be answered, or an argument is wrong.
        """
        if line.startswith("/") or line.casefold() in _BARE:
            self.command(line)
        elif line:
            self.ask(line)

    def say(self, text: str) -> None:
        """Print Markdown."""
        print(shown(text, sys.stdout, wrap=self.tables), flush=True)

    def ask(self, question: str) -> None:
        """Answer a question; one that goes wrong leaves the conversation as it was.

        Raises:
            KilowhatError: as ``ask`` does, and ``internal_error`` where it would fail otherwise.
        """
        turns = [*self.turns, {"role": "user", "content": question}][-MOST_TURNS:]
        steps = stream(turns, self._model, region=self.region)
        page = _Page(self)
        reply: Reply | None = None
        while (step := safely(next, steps, None)) is not None:
            if isinstance(step, ToolCall):
                self._ran(step)
            elif isinstance(step, Reply):
                reply = step
            else:
                page.add(step)
        page.end()
        if reply is None:
            return
        self.turns = [*turns, {"role": "assistant", "content": reply.text}]
        self.last = reply
        if self.tables:
            self._lay_out(reply)
        self.say("")

    def _ran(self, call: ToolCall) -> None:
        """Print which tool ran, with its arguments."""
        told = ", ".join(f"{name}={_short(value)}" for name, value in call.arguments.items())
        refused = f": {call.error['code']}" if call.error else ""
        line = cleared(f"· {call.name}({told}){refused}")
        if not self.tables:
            return
        width = columns()
        line = line if len(line) <= width else f"{line[: width - 1]}…"
        print(f"\x1b[2m{line}\x1b[0m" if self.styled else line, flush=True)

    def _lay_out(self, reply: Reply) -> None:
        """Print the results as a table with a bar for each interval, and where the sources are."""
        from rich.console import Console

        console = Console(file=sys.stdout, width=columns(), highlight=False, markup=False, emoji=False, no_color=not self.styled, force_terminal=self.styled)
        if any(result.low != result.high for result in reply.results):
            with console.capture() as laid_out:
                console.print(_table(reply, columns(), signs=_signs()))
            print("\n".join(line.rstrip() for line in laid_out.get().splitlines()), flush=True)
        if cited := _cited(reply):
            words = wording(reply.language)
            console.print(words.say("chat", "sources", plural_of=len(cited), number=str(len(cited))), style="dim")

    def command(self, line: str) -> None:
        """Run a command, told in full or by its beginning.

        Raises:
            KilowhatError: where its argument is wrong.
        """
        word, _, told = line.partition(" ")
        name = word.casefold().removeprefix("/")
        name = _BARE.get(name, name)
        begun = [command for command in COMMANDS if name and command.startswith(name)]
        if name in COMMANDS or len(begun) == 1:
            COMMANDS[name if name in COMMANDS else begun[0]].run(self, told.strip())
            return
        from difflib import get_close_matches

        near = begun or get_close_matches(name[:40], COMMANDS, n=2, cutoff=0.5)
        self.say(f"There is no command {word[:40]}.{near_it([f'/{other}' for other in near])} /help lists them.")

    def help(self, _told: str) -> None:
        """List the commands."""
        width = max(len(command.usage) for command in COMMANDS.values())
        self.say("\n".join(f"  {command.usage:<{width}}  {command.about}" for command in COMMANDS.values()))

    def sources(self, told: str) -> None:
        """Print the sources that the last answer names, or all that its calls rest on."""
        if self.last is None or not self.last.citations:
            self.say("No answer with sources was given yet.")
            return
        cited = _cited(self.last)
        for citation in self.last.citations:
            if told == "all" or citation.number in cited:
                self.say(f"{footnotes([citation], self.last.language, full=True)}\n      {citation.statement}")

    def calls(self, _told: str) -> None:
        """Print the tool calls of the last answer as lines for the shell."""
        from kilowhat.plugin.usage import example

        if self.last is None or not self.last.tool_calls:
            self.say("No tool has run yet.")
            return
        for call in self.last.tool_calls:
            print(cleared(example(call.name, call.arguments)), flush=True)

    def json(self, told: str) -> None:
        """Print the last answer as JSON: on a terminal its results, calls and sources in short, a line each; all of it where that is asked for."""
        if self.last is None:
            self.say("No answer was given yet.")
        elif told == "all" or not self.tables:
            print(self.last.model_dump_json(), flush=True)
        else:
            print(_in_short(self.last), flush=True)

    def take_region(self, told: str) -> None:
        """Take a place for questions that name none, drop it, or say which one holds.

        Raises:
            UnknownName: for a place that is not known (``unknown_name``).
        """
        from kilowhat.tools.core.place import find_place

        if told in _NONE:
            self.region = None
        elif told:
            find_place(Library.load(), told)
            self.region = told
        self.say(f"Where no place is named: {find_place(Library.load(), self.region).name}." if self.region else "Where no place is named: the world average.")

    def take_model(self, told: str) -> None:
        """Take a chat model, the offline one, or say which one answers.

        Raises:
            KilowhatError: where the model can't be set up.
        """
        if told in _NONE or told == "offline":
            self._model = self.model_name = None
        elif told:
            self._load(told)
        self.say(f"Answers come from {self.model_name or 'the offline model'}.")

    def _load(self, name: str) -> None:
        from kilowhat.plugin.providers import load_model

        self._model = safely(load_model, name)
        self.model_name = name

    def take_tools(self, _told: str) -> None:
        """List the tools."""
        width = max(map(len, TOOLS))
        self.say("\n".join(f"  {tool.name:<{width}}  {tool.title}" for tool in TOOLS.values()))

    def reset(self, _told: str) -> None:
        """Forget the turns."""
        self.turns, self.last = [], None
        self.say("The conversation starts anew.")

    def leave(self, _told: str) -> None:
        """End the chat."""
        self.over = True


class Command:
    """A command of the chat: how it is written, what it does, and the method that does it."""

    def __init__(self, usage: str, about: str, run: Callable[[Chat, str], None]) -> None:
        self.usage, self.about, self.run = usage, about, run


COMMANDS = {
    "help": Command("/help", "this list", Chat.help),
    "sources": Command("/sources", "the sources that the last answer names, with the place in each; /sources all lists those behind it too", Chat.sources),
    "calls": Command("/calls", "the tool calls of the last answer, as lines for the shell", Chat.calls),
    "json": Command("/json", "the last answer as JSON in short; /json all with everything it rests on", Chat.json),
    "region": Command("/region FR", "the place to take where a question names none; /region none drops it", Chat.take_region),
    "model": Command("/model openai:NAME", "let a chat model answer with our tools; /model offline goes back", Chat.take_model),
    "tools": Command("/tools", "the tools that answers come from", Chat.take_tools),
    "reset": Command("/reset", "forget the conversation", Chat.reset),
    "quit": Command("/quit", "leave; so does Ctrl-D. Ctrl-C cancels a line or an answer", Chat.leave),
}
_BARE = {"quit": "quit", "exit": "quit", "q": "quit", ":q": "quit", "bye": "quit", "?": "help"}
"""Words that are commands without a stroke too, as other shells have them."""

_NONE = ("none", "-", "off")


class _Page:
    """Prints an answer line by line as its pieces come; beside a table, without the footnotes, which /sources shows."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._line = ""
        self._blank = False
        self._table: list[str] = []

    def add(self, piece: str) -> None:
        """Take a piece, and print the lines that it ends."""
        *whole, self._line = (self._line + piece).split("\n")
        for line in whole:
            self._print(line)

    def end(self) -> None:
        """Print what is left."""
        self._print(self._line)
        self._line = ""
        self._print_table()

    def _print(self, line: str) -> None:
        if is_row(line):
            self._table.append(line)
            return
        self._print_table()
        if self._chat.tables and _FOOTNOTE.match(line):
            return
        if not line.strip():
            self._blank = True
            return
        self._chat.say(f"\n{line}" if self._blank else line)
        self._blank = False

    def _print_table(self) -> None:
        if self._table:
            self._chat.say("\n".join(self._table))
        self._table = []


def _short(value: Any) -> str:
    """Return an argument as a few words."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return format_number(value, 9)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _cited(reply: Reply) -> list[int]:
    """Return the numbers of the footnotes that the answer names; of all where it names none."""
    named = {int(number) for number in re.findall(r"\[(\d+)\]", reply.text.partition("\n\n")[0])}
    return [citation.number for citation in reply.citations if citation.number in named] or [citation.number for citation in reply.citations]


def _in_short(reply: Reply) -> str:
    """Return what a reply found as JSON, one line for each result, call and source."""

    def lines(entries: Iterable[dict[str, Any]]) -> str:
        return ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in entries)

    results = lines(result.model_dump(include={"quantity", "value", "low", "high", "unit"}) for result in reply.results)
    calls = lines({"ref": call.estimate.ref} if call.estimate else {"name": call.name, "error": (call.error or {}).get("code")} for call in reply.tool_calls)
    cited = _cited(reply)
    sources = lines({"number": citation.number, "fact_id": citation.fact_id} for citation in reply.citations if citation.number in cited)
    head = json.dumps({"outcome": reply.outcome, "language": reply.language, "verdict": reply.verdict}, ensure_ascii=False)[1:-1]
    return f'{{\n  {head},\n  "results": [\n{results}\n  ],\n  "calls": [\n{calls}\n  ],\n  "citations": [\n{sources}\n  ]\n}}'


def _signs() -> str:
    """Return the characters of a bar: lines where the terminal's encoding has them."""
    try:
        LINES.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return ASCII_LINES
    return ASCII_LINES if os.environ.get("TERM") == "dumb" else LINES


def _table(reply: Reply, width: int, signs: str = LINES) -> Any:
    """Return the results as a table of rich: what it is, low, value, high, and the bar on an axis that figures of one kind share."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold", max_width=width // 3)
    words = wording(reply.language)
    for name in ("low", "value", "high"):
        table.add_column(words.say("chat", name), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    narrow: list[Text] = []
    for axis, rows in _grouped(rows_of(reply), words):
        for result, quantity in rows:
            drawn = axis is not None and quantity.low != quantity.high
            low, high = words.ends(quantity, bare=True) or ("", "")
            value = value_of(result, words)
            label = cleared(_label(result, reply))
            if (thing := _thing(result, words)) is not None:
                label, value = thing, words.number(result.value, 3 if result.low == result.high else 2, words=True)
            line = f"{bar(quantity, axis, width // (4 if width >= NARROW else 3), signs)}  {_axis(axis, words)}" if axis is not None and drawn else ""
            table.add_row(Text(label), low, Text(value, style="bold"), high, Text(line))
            within = words.say("range.short", low=low, high=high) if drawn and low else ""
            narrow += [Text(label), Text(f"  {value}{within}"), *([Text(f"  {line}")] if drawn else [])]
    return table if width >= NARROW else Group(*narrow)


def _grouped(results: Sequence[Result], words: Wording) -> Iterator[tuple[Axis | None, list[tuple[Result, Quantity]]]]:
    """Yield the results by what they measure, each group with its axis, in a unit that is easily read."""
    groups: dict[tuple[str, Any], list[tuple[Result, Quantity]]] = {}
    for result in results:
        quantity = as_quantity(result)
        quantity = quantity if result.quantity == "count" or quantity.dimension == NUMBER else words.readable(quantity)
        same = result.label if result.quantity == "ratio" else quantity.unit if quantity.dimension == NUMBER else quantity.dimension
        groups.setdefault((result.quantity, same), []).append((result, quantity))
    for rows in groups.values():
        yield axis_for([quantity for _, quantity in rows]), rows


def rows_of(reply: Reply) -> list[Result]:
    """Return the results that are laid out: of a comparison the amounts and the first ratio, for the others say the same again."""
    ratios = [result for result in reply.results if result.quantity == "ratio"]
    compared = any(call.name == "compare" for call in reply.tool_calls)
    shown = [result for result in reply.results if not compared or (result.quantity != "probability" and result not in ratios[1:])]
    return shown[:MOST_ROWS]


def _axis(axis: Axis, words: Wording) -> str:
    """Return an axis in words of the language."""
    unit = "" if axis.unit == "ratio" else words.unit(axis.unit)
    ends = words.say("chat", "axis", low=words.number(axis.low, 3, words=True), high=words.number(axis.high, 3, words=True))
    return f"{ends} {unit}".strip() + (words.say("chat", "log") if axis.logarithmic else "")


def _thing(result: Result, words: Wording) -> str | None:
    """Return what an everyday thing is called that a result counts, without its number; None where it counts none."""
    kind = kind_of(result) if result.quantity == "count" else None
    told = words.thing(kind, result.value) or english_thing(kind, result.value) if kind else None
    return told.replace(words.number(result.value, words=True), "…", 1).removeprefix("…").strip() if told else None


def _label(result: Result, reply: Reply) -> str:
    """Return what a result is, as the answer calls it."""
    words = wording(reply.language)
    compared = next((call.estimate for call in reply.tool_calls if call.estimate and call.name == "compare"), None)
    named = names_compared(compared, words) if compared is not None else {}
    if result.label in named:
        return named[result.label]
    if compared is not None:
        return words.say("names", result.quantity)
    alike = [call.estimate for call in reply.tool_calls if call.estimate and any(same(result, other) for other in call.estimate.results)]
    home = next((estimate for estimate in alike if any(same(result, other) and equals(result, other.value, as_quantity(other).unit) for other in estimate.results)), None)
    if home is None or (len(alike) < 2 and home.tool != "calculate"):
        return label_of(result, words)
    if home.tool == "calculate" and len(reply.tool_calls) > 2:
        return words.say("total")
    return words.say("labelled", label=label_of(result, words), about=about(home, words)) if len(alike) > 1 else label_of(result, words)


def chat(model: str | None = None, *, region: str | None = None, keep_history: bool = True) -> int:
    """Hold a conversation on standard input and output, and return the exit status.

    Raises:
        KilowhatError: where the model can't be set up.
    """
    if not sys.stdin.isatty():
        return Chat(model, region=region).run(piped(), interactive=False)
    talk = Chat(model, region=region)
    talk.say(WELCOME)
    plain = not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb"
    return talk.run(typed_plainly() if plain else typed(session(keep_history=keep_history)))


def piped() -> Iterator[str]:
    """Yield the lines of standard input; of an endless one, the beginning."""
    while line := sys.stdin.buffer.readline(LONGEST_MESSAGE):
        ended = line.endswith(b"\n")
        while not ended and (rest := sys.stdin.buffer.readline(LONGEST_MESSAGE)):
            ended = rest.endswith(b"\n")
        yield line.decode("utf-8", "replace")


def typed_plainly() -> Iterator[str]:
    """Yield lines from a terminal that knows no cursor keys."""
    while True:
        try:
            yield input(PROMPT)
        except KeyboardInterrupt:
            print()
        except EOFError:
            print()
            return


def typed(prompts: PromptSession[str]) -> Iterator[str]:
    """Yield lines from a terminal; Ctrl-C cancels a line, Ctrl-D ends."""
    while True:
        try:
            yield prompts.prompt(PROMPT)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def session(*, keep_history: bool = True) -> PromptSession[str]:
    """Return a line editor with history and completion."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class Names(Completer):
        def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
            for name, typed_before, kind in completions(document.text_before_cursor):
                yield Completion(name, start_position=-typed_before, display_meta=kind)

    kept = history_file() if keep_history else None
    prompts: PromptSession[str] = PromptSession(
        history=FileHistory(str(kept)) if kept else InMemoryHistory(),
        completer=Names(),
        auto_suggest=AutoSuggestFromHistory(),
        enable_history_search=False,
        complete_while_typing=Condition(lambda: prompts.default_buffer.text.startswith("/")),
    )
    return prompts


def history_file() -> Path | None:
    """Return where typed lines are kept, readable by the user alone; None where nothing can be kept."""
    told = os.environ.get("XDG_STATE_HOME", "")
    try:
        state = Path(told) if told and Path(told).is_absolute() else Path.home() / ".local" / "state"
        file = state / "kilowhat" / "history"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with file.open("a"):
            return file
    except (OSError, RuntimeError):
        return None


SHORTEST = 2
"""Characters of a name before it is completed."""

MOST_WORDS = 4


def completions(before: str) -> Iterator[tuple[str, int, str]]:
    """Yield names that go on what was typed: the name, how many typed characters it replaces, and what it is.

    >>> next(completions("/so"))[0]
    '/sources'
    >>> next(completions("energy of 500 image gen"))
    ('image generation', 9, 'task')
    """
    word, blank, told = before.partition(" ")
    if before.startswith("/") and not blank:
        yield from ((f"/{name}", len(word), command.about) for name, command in COMMANDS.items() if f"/{name}".startswith(word.casefold()))
        return
    if word.casefold() == "/model":
        yield from ((name, len(told), "model") for name in ("offline", *PROVIDERS) if name.startswith(told.casefold()))
        return
    if word.casefold() == "/region":
        yield from ((name, len(told), kind) for name, kind in names() if kind == "place" and name.casefold().startswith(told.casefold()))
        return
    starts = [match.start() for match in re.finditer(r"(?<!\S)\S", before)][-MOST_WORDS:]
    for start in starts:
        begun = before[start:].casefold()
        if len(begun) >= SHORTEST and not before.endswith("  "):
            yield from ((name, len(before) - start, kind) for name, kind in names() if name.casefold().startswith(begun))


@lru_cache(maxsize=1)
def names() -> tuple[tuple[str, str], ...]:
    """Return the names that a question may hold, each with what it is, from the reference library."""
    from kilowhat.tools.core import catalogue

    library = Library.load()
    kinds = {"tasks": "task", "services": "service", "runs": "training run", "hardware": "device", "places": "place", "comparators": "comparison"}
    known = [(library.named(kind, name_id).name, about) for kind, about in kinds.items() for name_id in library.names(kind)]
    known += [(name, "model") for name in catalogue.names()]
    known += [(str(country["name"]), "place") for country in library.countries.values()]
    return tuple(sorted(dict(known).items(), key=lambda pair: pair[0].casefold()))
