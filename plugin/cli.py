"""The shell: ``kilowhat ask``, ``tools``, ``refs``, ``manifest`` and ``serve``.

Exit status: 0 for an answer, a polite "no" included; 2 for a refusal, with the words and the code that
every other surface gives. ``ask`` and ``tools`` import no LangChain and no FastAPI.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from kilowhat.tools import TOOLS, KilowhatError, call
from kilowhat.tools.core.errors import InvalidArguments

_NO_CONSTANTS = "NaN and Infinity are no numbers that a call may hold."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KilowhatError as error:
        if getattr(options, "json", False):
            print(json.dumps(error.as_dict(), ensure_ascii=False))
        else:
            print(f"{error.code}: {error.message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kilowhat", description="What AI costs in energy, carbon and water, with the source of every number.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="answer a question", description="Answer a question in plain words, in English or Chinese.")
    ask.add_argument("question", nargs="+", help="the question, such as: how much energy does 1000 image generations use?")
    ask.add_argument("--json", action="store_true", help="print the whole reply as JSON")
    ask.add_argument("--region", help="the place to take where the question names none (FR, us-west-2)")
    ask.add_argument("--model", metavar="PROVIDER:NAME", help="let a chat model answer with our tools (needs langchain and its provider package)")
    ask.set_defaults(run=_ask)

    tools = commands.add_parser("tools", help="list the tools, or run one", description="List the tools; or run one: kilowhat tools estimate_task task=image-generation count=1000")
    tools.add_argument("name", nargs="?", help="the tool to run")
    tools.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="its arguments, or one JSON object")
    tools.add_argument("--json", action="store_true", help="print JSON")
    tools.set_defaults(run=_tools)

    refs = commands.add_parser("refs", help="find facts and their sources", description="Find published figures by words or by the id of a fact.")
    refs.add_argument("query", nargs="+", help="words, a name, a printed figure, or the id of a fact")
    refs.add_argument("--limit", type=int, default=5, help="how many at most (default 5)")
    refs.add_argument("--json", action="store_true", help="print JSON")
    refs.set_defaults(run=_refs)

    manifest = commands.add_parser("manifest", help="print the tool manifest", description="Print the tools as JSON schemas.")
    manifest.add_argument("dialect", nargs="?", default="json-schema", help="openai or json-schema (default)")
    manifest.set_defaults(run=_manifest)

    serve = commands.add_parser("serve", help="serve the tools over HTTP", description="Serve tools, manifest and questions over HTTP.")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; any other needs --key)")
    serve.add_argument("--port", type=_port, default=8787, help="port (default 8787)")
    serve.add_argument("--key", default=os.environ.get("KILOWHAT_KEY"), help="bearer key that callers must send (or KILOWHAT_KEY)")
    serve.set_defaults(run=_serve)
    return parser


def _port(text: str) -> int:
    """Return a port that can be listened on."""
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{port} is no port; ports are 1 to 65535")
    return port


def _ask(options: argparse.Namespace) -> int:
    from kilowhat.plugin.asking import ask

    if options.region is not None:
        from kilowhat.tools import Library
        from kilowhat.tools.core.place import find_place

        find_place(Library.load(), options.region)
    reply = ask(" ".join(options.question), options.model, region=options.region)
    print(reply.model_dump_json() if options.json else _styled(reply.text))
    refused = not reply.results and any(tool_call.error is not None for tool_call in reply.tool_calls)
    return 2 if refused else 0


def _styled(text: str) -> str:
    """Return Markdown as a terminal shows it: bold where it can, plain where the output is piped."""
    bold = r"\033[1m\1\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else r"\1"
    return re.sub(r" +$", "", re.sub(r"\*\*(.+?)\*\*", bold.replace(r"\033", "\033"), text), flags=re.MULTILINE)


def _tools(options: argparse.Namespace) -> int:
    if options.name is None:
        if options.json:
            print(json.dumps([{"name": tool.name, "title": tool.title, "description": tool.description} for tool in TOOLS.values()], ensure_ascii=False))
        else:
            width = max(map(len, TOOLS))
            print("\n".join(f"{tool.name:<{width}}  {tool.title}" for tool in TOOLS.values()))
        return 0
    estimate = call(options.name, read_arguments(options.name, options.arguments))
    print(estimate.model_dump_json() if options.json else estimate.text)
    return 0


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

    query = "&".join(f"{quote(word.partition('=')[0])}={quote(word.partition('=')[2])}" for word in told)
    return parse_ref(f"{name}?{query}", TOOLS)[1]


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
    print(_styled(compose(Plan("answered", "en", (Call(made.name, made.arguments),), quantity="source"), [made]).text))
    return 0


def _manifest(options: argparse.Namespace) -> int:
    from kilowhat.manifest.build import DIALECTS, load

    if options.dialect not in DIALECTS:
        raise InvalidArguments(f"There is no dialect {options.dialect[:40]!r}; there are {', '.join(DIALECTS)}.", field="dialect", nearest=DIALECTS)
    print(json.dumps(load(options.dialect), ensure_ascii=False, indent=2))
    return 0


def _serve(options: argparse.Namespace) -> int:
    from kilowhat.plugin.http.app import serve

    serve(options.host, options.port, options.key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
