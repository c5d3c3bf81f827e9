"""The shell: ``kilowhat ask``, ``chat``, ``tools``, ``refs``, ``manifest``, ``serve`` and ``mcp``.

Exit status: 0 for an answer, a polite "no" included; 2 for a refusal, with the words and the code that
every other surface gives; 1 where the machine fails: a full disk, a port in use. ``ask`` and ``tools`` import no LangChain and no FastAPI.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from kilowhat.plugin.terminal import cleared, columns, in_words, near_it, shown
from kilowhat.plugin.understanding import LANGUAGES
from kilowhat.tools import TOOLS, KilowhatError, call
from kilowhat.tools.core.errors import InvalidArguments, MissingInput

_MOST_BYTES = 4
"""Bytes of a character of UTF-8."""

_NO_CONSTANTS = "NaN and Infinity are no numbers that a call may hold."
_MANY = {"ask": "question", "tools": "arguments", "refs": "query"}
"""The argument of each command that takes any number of words."""


def run() -> NoReturn:
    """Run the command of this process, and leave it.

    A command is over before there is garbage to collect, and its memory needs no orderly end: together a seventh of the time of an answer.
    Plugins of pydantic would be looked for in the metadata of every installed package.
    """
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    status = main()
    sys.stderr.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.stdout is None:  # closed by who started us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  (for as long as the process runs)
    try:
        return _run([word.encode("utf-8", "replace").decode() for word in (sys.argv[1:] if arguments is None else arguments)])
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _write_no_more()
        return 0
    except OSError as error:
        _write_no_more()
        print(cleared(f"failed: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}"), file=sys.stderr)
        return 1


def _run(arguments: list[str]) -> int:
    """Run a command, have what it printed written, and return its exit status."""
    try:
        options = _options(arguments)
        try:
            return int(options.run(options))
        except KilowhatError as error:
            _tell(error, as_json=getattr(options, "json", False))
            return 2
    finally:
        sys.stdout.flush()


def _write_no_more() -> None:
    """Let what is still to be written go nowhere, where standard output takes no more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: KilowhatError, *, as_json: bool) -> None:
    """Print an error: as every surface gives it, or its words with the nearest names that they do not hold."""
    if as_json:
        print(json.dumps(error.as_dict(), ensure_ascii=False), flush=True)
        return
    print(shown(in_words(error), sys.stderr), file=sys.stderr)


def _options(arguments: list[str]) -> argparse.Namespace:
    """Return the command with its options; words that stand behind an option belong to the command."""
    parser, commands = _parser()
    if "_ARGCOMPLETE" in os.environ:
        _complete(parser)
    if arguments and not arguments[0].startswith("-") and arguments[0] not in commands:
        parser.error(_no_command(arguments[0], commands))
    options, rest = parser.parse_known_args(arguments)
    if rest and (any(word.startswith("-") and word != "-" for word in rest) or arguments[0] not in _MANY):
        commands.get(arguments[0], parser).error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        getattr(options, _MANY[arguments[0]]).extend(rest)
    return options


def _no_command(told: str, commands: Sequence[str] | dict[str, Any]) -> str:
    """Return what to say to a word that is no command: the nearest ones; to a question, how to ask it."""
    from difflib import get_close_matches

    if " " in told.strip() or not told.isascii():
        return 'to ask, write: kilowhat ask "…"'
    near = get_close_matches(told[:40], commands, n=2, cutoff=0.5)
    return f"there is no command {told[:40]!r}.{near_it(near)} The commands are {', '.join(commands)}."


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(prog="kilowhat", description="What AI costs in energy, carbon and water, with the source of every number.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the versions of the program, its method and its data")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="answer a question", description=f"Answer a question in plain words, in {LANGUAGES}.")
    ask.add_argument("question", nargs="*", help="the question, such as: how much energy does 1000 image generations use? Left out, or -, it is read from standard input")
    ask.add_argument("--json", action="store_true", help="print the whole reply as JSON")
    _model_and_region(ask)
    ask.set_defaults(run=_ask)

    chat = commands.add_parser(
        "chat", help="ask one question after another", description=f"Ask one question after another, in {LANGUAGES}; /help lists the commands. From a pipe, one question a line."
    )
    _model_and_region(chat)
    chat.add_argument("--no-history", action="store_true", help="neither read nor keep what was typed")
    chat.set_defaults(run=_chat)

    tools = commands.add_parser(
        "tools",
        add_help=False,
        help="list the tools, or run one",
        description="List the tools; or run one: kilowhat tools estimate_task task=image-generation count=1000. With --help after its name, list what it takes.",
    )
    tools.add_argument("-h", "--help", action="store_true", help="show this, or what the named tool takes")
    tools.add_argument("name", nargs="?", help="the tool to run").completer = lambda **_: TOOLS  # type: ignore[attr-defined]
    arguments = tools.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="its arguments, or one JSON object")
    arguments.completer = _argument_names  # type: ignore[attr-defined]
    tools.add_argument("--json", action="store_true", help="print JSON")
    tools.set_defaults(run=_tools, parser=tools)

    refs = commands.add_parser("refs", help="find facts and their sources", description="Find published figures by words or by the id of a fact.")
    refs.add_argument("query", nargs="+", help="words, a name, a printed figure, or the id of a fact")
    refs.add_argument("--limit", type=int, default=5, help="how many at most (default 5)")
    refs.add_argument("--json", action="store_true", help="print JSON")
    refs.set_defaults(run=_refs)

    manifest = commands.add_parser("manifest", help="print the tool manifest", description="Print the tools as JSON schemas.")
    manifest.add_argument("dialect", nargs="?", default="json-schema", help="openai, anthropic, gemini, mcp, openapi … (default json-schema)")
    manifest.set_defaults(run=_manifest)

    serve = commands.add_parser("serve", help="serve the tools over HTTP", description="Serve tools, manifest and questions over HTTP.")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; any other needs --key)")
    serve.add_argument("--port", type=_port, default=8787, help="port (default 8787)")
    serve.add_argument("--key", default=os.environ.get("KILOWHAT_KEY"), help="bearer key that callers must send (or KILOWHAT_KEY)")
    serve.add_argument("--only", metavar="TOOL", nargs="+", help="serve these tools and no others")
    serve.add_argument("--allow-host", metavar="NAME", action="append", default=[], help="a further name under which the server answers")
    serve.add_argument("--allow-origin", metavar="ORIGIN", action="append", default=[], help="a further page that may call from a browser, such as https://chat.example.org")
    serve.add_argument("--workers", type=_workers, default=1, help="processes that serve (default 1)")
    serve.set_defaults(run=_serve)

    mcp = commands.add_parser("mcp", help="serve the tools over MCP on stdio", description="Serve tools, references and common questions over MCP, on standard input and output.")
    mcp.add_argument("--only", metavar="TOOL", nargs="+", help="serve these tools and no others")
    mcp.set_defaults(run=_mcp)
    return parser, dict(commands.choices)


def _model_and_region(command: argparse.ArgumentParser) -> None:
    command.add_argument("--region", help="the place to take where the question names none (FR, us-west-2)")
    command.add_argument("--model", metavar="PROVIDER:NAME", help="let a chat model answer with our tools (needs langchain and its provider package)")


class _Version(argparse.Action):
    """Print the versions that a number depends on, and stop."""

    def __call__(self, parser: argparse.ArgumentParser, *_told: object) -> None:
        """Print them."""
        from importlib.metadata import version

        from kilowhat.tools import Library
        from kilowhat.tools.core.estimate import METHOD_VERSION

        print(f"kilowhat {version('kilowhat')} (method {METHOD_VERSION}, data {Library.load().version})")
        parser.exit()


def _argument_names(parsed_args: argparse.Namespace, **_told: object) -> list[str]:
    """Return what may follow the name of a tool on the command line."""
    from kilowhat.manifest import load

    return [f"{argument}=" for tool in load("json-schema")["tools"] if tool["name"] == parsed_args.name for argument in tool["input_schema"]["properties"]]


def _complete(parser: argparse.ArgumentParser) -> None:
    """Complete a command line that a shell asks about, where argcomplete is installed; it prints and ends the process."""
    import argcomplete

    argcomplete.autocomplete(parser)


def _port(text: str) -> int:
    """Return a port that can be listened on."""
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{port} is no port; ports are 1 to 65535")
    return port


def _workers(text: str) -> int:
    """Return a number of processes."""
    workers = int(text)
    if not 0 < workers <= 256:
        raise argparse.ArgumentTypeError(f"{workers} is no number of workers; 1 to 256 are")
    return workers


def _ask(options: argparse.Namespace) -> int:
    question = _question(options.question)
    from kilowhat.plugin.asking import ask
    from kilowhat.plugin.failures import safely

    _check_region(options.region)
    reply = safely(ask, question, options.model, region=options.region)
    print(reply.model_dump_json() if options.json else shown(reply.text, sys.stdout))
    refused = not reply.results and any(tool_call.error is not None for tool_call in reply.tool_calls)
    return 2 if refused else 0


def _question(words: Sequence[str]) -> str:
    """Return the question of the command line, or of standard input where it is left out or ``-``.

    Raises:
        MissingInput: where there is none (``missing_input``).
    """
    piped = list(words) == ["-"] or (not words and not sys.stdin.isatty())
    from kilowhat.plugin.asking import LONGEST_MESSAGE

    question = sys.stdin.buffer.read(_MOST_BYTES * (LONGEST_MESSAGE + 1)).decode("utf-8", "replace") if piped else " ".join(words)
    if not question.strip():
        raise MissingInput('A question is needed, such as: kilowhat ask "how much energy does 1000 image generations use?"', field="question")
    return question


def _check_region(region: str | None) -> None:
    """Refuse a place that is not known before anything is asked.

    Raises:
        UnknownName: with the nearest names (``unknown_name``).
    """
    if region is not None:
        from kilowhat.tools import Library
        from kilowhat.tools.core.place import find_place

        find_place(Library.load(), region)


def _chat(options: argparse.Namespace) -> int:
    gc.enable()
    _check_region(options.region)
    from kilowhat.plugin.chat import chat

    return chat(options.model, region=options.region, keep_history=not options.no_history)


def _tools(options: argparse.Namespace) -> int:
    if options.help and options.name is None:
        options.parser.print_help()
        return 0
    if options.help:
        from kilowhat.plugin.usage import usage

        print(usage(options.name, columns()))
        return 0
    if options.name is None:
        if options.json:
            print(json.dumps([{"name": tool.name, "title": tool.title, "description": tool.description} for tool in TOOLS.values()], ensure_ascii=False))
        else:
            print(shown(_listing(), sys.stdout))
        return 0
    try:
        estimate = call(options.name, read_arguments(options.name, options.arguments))
    except KilowhatError as error:
        if options.arguments or options.json or options.name not in TOOLS:
            raise
        from kilowhat.plugin.usage import needs

        print(f"{error.code}: {needs(options.name)}", file=sys.stderr)
        return 2
    print(estimate.model_dump_json() if options.json else shown(estimate.text, sys.stdout))
    return 0


def _listing() -> str:
    """Return the tools with their titles, in two columns where the terminal has room for them."""
    name = max(map(len, TOOLS))
    fits = not sys.stdout.isatty() or name + 2 + max(len(tool.title) for tool in TOOLS.values()) <= columns()
    lines = (f"{tool.name:<{name}}  {tool.title}" if fits else f"{tool.name}\n  {tool.title}" for tool in TOOLS.values())
    return "\n".join([*lines, "", "kilowhat tools NAME --help lists what a tool takes."])


def read_arguments(name: str, told: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of a tool from the shell: ``name=value`` words, or one JSON object.

    Raises:
        InvalidArguments: where a word is neither.
    """
    if len(told) == 1 and told[0].lstrip().startswith("{"):
        try:
            found = json.loads(told[0], parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidArguments(_NO_CONSTANTS if str(error) == _NO_CONSTANTS else "The arguments are no valid JSON object.") from None
        return found if isinstance(found, dict) else {}
    from kilowhat.tools.core.tool import parse_ref

    for word in told:
        if "=" not in word:
            raise InvalidArguments(f"{word[:60]!r} is no argument; write name=value, or one JSON object.")
    if name not in TOOLS:
        return {}
    from urllib.parse import quote

    pairs = [(argument, value) for argument, _, value in (word.partition("=") for word in told)]
    lists = {argument: _parted(name, argument, value) for argument, value in pairs if not value.lstrip().startswith("[") and _item_of(name, argument) is not None}
    query = "&".join(f"{quote(argument)}={quote(value)}" for argument, value in pairs if argument not in lists)
    return parse_ref(f"{name}?{query}", TOOLS)[1] | lists


def _item_of(name: str, argument: str) -> Any:
    """Return the type of the items of an argument that is a list, None for any other argument."""
    from typing import get_args, get_origin

    field = TOOLS[name].arguments.model_fields.get(argument)
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    items = [get_args(kind)[0] for kind in kinds if get_origin(kind) is list]
    return getattr(items[0], "__origin__", items[0]) if items else None


def _parted(name: str, argument: str, told: str) -> list[Any]:
    """Return what commas part: texts, or numbers where numbers are wanted and it is some.

    Raises:
        InvalidArguments: where its items are objects, which only JSON can write (``invalid_arguments``).

    >>> _parted("choose_place_and_time", "regions", "Norway, us-west-2")
    ['Norway', 'us-west-2']
    """
    item = _item_of(name, argument)
    if item not in (str, float):
        raise InvalidArguments(f"{argument} is a list of objects, and is written as JSON; kilowhat tools {name} --help shows one.", field=argument)
    return [_as(item, part.strip()) for part in told.split(",") if part.strip()]


def _as(kind: type[str] | type[float], text: str) -> str | float:
    try:
        return kind(text)
    except ValueError:
        return text


def _refuse_constant(_constant: str) -> None:
    raise ValueError(_NO_CONSTANTS)


def _refs(options: argparse.Namespace) -> int:
    estimate = call("look_up_references", {"query": " ".join(options.query), "limit": options.limit})
    if options.json:
        print(estimate.model_dump_json())
        return 0
    from kilowhat.plugin.answer import compose
    from kilowhat.plugin.reply import ToolCall
    from kilowhat.plugin.understanding.plan import Call, Plan

    made = ToolCall(name="look_up_references", arguments=dict(estimate.arguments), estimate=estimate)
    print(shown(compose(Plan("answered", "en", (Call(made.name, made.arguments),), quantity="source"), [made]).text, sys.stdout))
    return 0


def _manifest(options: argparse.Namespace) -> int:
    from kilowhat.manifest import load

    print(json.dumps(load(options.dialect), ensure_ascii=False, indent=2))
    return 0


def _mcp(options: argparse.Namespace) -> int:
    gc.enable()
    from kilowhat.plugin.mcp import serve_stdio

    serve_stdio(options.only)
    return 0


def _serve(options: argparse.Namespace) -> int:
    gc.enable()
    from functools import partial

    from kilowhat.plugin.http import serve

    create = partial(_server, options.key, tuple(options.allow_host), tuple(options.allow_origin), options.only)
    serve(create, host=options.host, port=options.port, key=options.key, workers=options.workers)
    return 0


def _server(key: str | None, hosts: Sequence[str], origins: Sequence[str], only: Sequence[str] | None) -> Any:
    """Return the app that a worker serves, with the surfaces that are mounted on it."""
    from kilowhat.plugin import mcp
    from kilowhat.plugin.http import create_app

    served = mcp.http_app(only, guarded=True) if mcp.available() else mcp.not_installed
    return create_app(key=key, hosts=hosts, origins=origins, only=only, mounts={"/mcp": served})


if __name__ == "__main__":
    run()
