"""One question, one cited answer: by the offline model, or by any LangChain chat model.

``ask`` returns it whole, ``stream`` as it comes about; ``ask_async`` and ``stream_async`` do so without holding an event loop.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kilowhat.plugin.answer import compose
from kilowhat.plugin.familiar import familiar, with_homes_of_the_reader
from kilowhat.plugin.reply import Reply, ToolCall
from kilowhat.plugin.understanding import LANGUAGES
from kilowhat.plugin.understanding.plan import Plan
from kilowhat.plugin.understanding.recognise import read
from kilowhat.plugin.understanding.understand import understand
from kilowhat.tools import KilowhatError, call
from kilowhat.tools.core.errors import InvalidArguments
from kilowhat.tools.core.estimate import Warning

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Messages = str | Sequence[str | Mapping[str, Any]]

LONGEST_MESSAGE = 100_000
"""Characters of a question, or of any other turn, on every way in."""


def ask(messages: Messages, model: BaseChatModel | str | None = None, *, region: str | None = None) -> Reply:
    """Return the answer to a question, or to the last question of a conversation.

    Args:
        messages: The question, or the turns as ``[{"role": "user" | "assistant", "content": …}]``; a text among them is the user's.
        model: None for the offline model, which needs no key; a LangChain chat model; or ``provider:model``, ``openai:model@address``.
        region: A place to take where the question names none.

    Raises:
        ValueError: where no message is from the user.
        KilowhatError: where a message is too long, a model can't be set up, or its provider fails; the codes are those of ``providers``.
    """
    turns = as_turns(messages)
    if model is not None:
        from kilowhat.plugin.agent import ask_model

        return ask_model(turns, model, region=region)
    plan = plan_for(turns, region=region)
    reply = compose(plan, run(plan))
    return reply if reads(turns[-1][1]) else _with_languages(reply)


def stream(messages: Messages, model: BaseChatModel | str | None = None, *, region: str | None = None) -> Iterator[ToolCall | str | Reply]:
    """Yield each tool call as it ends, then the answer in pieces of text, and at last the whole Reply; joined, the pieces are its text.

    The text of a model comes once it has been checked. Args and errors are those of ``ask``.
    """
    if model is None:
        reply = ask(messages, region=region)
        yield from reply.tool_calls
    else:
        from kilowhat.plugin.agent import converse

        for step in converse(as_turns(messages), model, region=region):
            if isinstance(step, Reply):
                reply = step
            else:
                yield step
    yield from _WORD.findall(reply.text)
    yield reply


async def ask_async(messages: Messages, model: BaseChatModel | str | None = None, *, region: str | None = None) -> Reply:
    """Return what ``ask`` returns, from a thread, so that the event loop goes on."""
    import asyncio

    return await asyncio.to_thread(ask, messages, model, region=region)


async def stream_async(messages: Messages, model: BaseChatModel | str | None = None, *, region: str | None = None) -> AsyncIterator[ToolCall | str | Reply]:
    """Yield what ``stream`` yields, each step from a thread."""
    import asyncio

    steps = stream(messages, model, region=region)
    while (step := await asyncio.to_thread(next, steps, None)) is not None:
        yield step


MOST_THINGS = 3
"""So many everyday things are set beside an answer of which somebody asks whether it is a lot."""

_WORD = re.compile(r"\s*\S+\s*|\s+")
_LETTER = re.compile(r"[^\W\d_]")
_READ = re.compile(r"[a-z\u00aa-\u024f\u1e00-\u1eff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\uff21-\uff9f\U00020000-\U0003ffff\u00b5\u03bc]", re.IGNORECASE)
"""Letters of the scripts in which questions are read: Latin, Han and kana, and the sign of a millionth."""


def reads(question: str) -> bool:
    """Return whether a question is written in a script that is read, names and units aside.

    >>> reads("energy of 5 images"), reads("図を5枚"), reads("ChatGPT는 전기를 얼마나 쓰나요?"), reads("5?")
    (True, True, False, True)
    """
    letters = _LETTER.findall(question[:2000])
    return 2 * len(_READ.findall("".join(letters))) >= len(letters)


def _with_languages(reply: Reply) -> Reply:
    """Return a reply that says which languages are read, above its footnotes."""
    note = Warning(code="language_not_read", message=f"Questions are read in {LANGUAGES}; of others only names and numbers.")
    body, gap, notes = reply.text.partition("\n\n[1] ")
    return reply.model_copy(update={"text": f"{body}\n{note.message}{gap}{notes}", "warnings": [*reply.warnings, note]})


def plan_for(turns: Sequence[tuple[str, str]], *, region: str | None = None) -> Plan:
    """Return the plan for the last question, with an everyday comparison where it asks for an amount alone."""
    plan = understand(turns, region=region)
    plan = replace(plan, calls=tuple(with_homes_of_the_reader(planned, plan.language, turns[-1][1]) for planned in plan.calls))
    plan = replace(plan, brief=_is_small(plan, turns[-1][1]))
    told = (plan.total,) if plan.total is not None else plan.calls
    if plan.focus not in (None, "much") or len(told) != 1 or plan.quantity not in (None, "energy", "emissions", "water") or told[0].tool.startswith("convert_to"):
        return plan
    return replace(plan, aside=familiar(told[0], plan.quantity, plan.language, several=MOST_THINGS if plan.focus == "much" else 1))


FEW = 100
"""So many images or requests are a small question, where nothing more is told."""

_NUMBERS = ("count", "requests", "requests_per_day", "users", "days")
_RUNS = ("estimate_task", "estimate_llm", "estimate_media", "estimate_service")


def _is_small(plan: Plan, question: str) -> bool:
    """Return whether a question is about one quantity of a few runs of one thing, in no place and in no unit."""
    if len(plan.calls) != 1 or plan.parallel or plan.focus is not None or plan.unit is not None or plan.calls[0].tool not in _RUNS:
        return False
    told = plan.calls[0].arguments
    asked = {sense for mention in read(question)[2] for sense in mention.senses} & {"ask.energy", "ask.emissions", "ask.water"}
    return len(asked) < 2 and "region" not in told and math.prod(float(told.get(name) or 1) for name in _NUMBERS) <= FEW


def as_turns(messages: Messages) -> list[tuple[str, str]]:
    """Return the turns as (role, text); the last one is the user's.

    Raises:
        ValueError: where there is none from the user.
        InvalidArguments: where one is too long (``invalid_arguments``).
    """
    told = [messages] if isinstance(messages, str) else messages
    turns = [("user", message) if isinstance(message, str) else (str(message.get("role", "user")), text_of(message.get("content", ""))) for message in told]
    for _, text in turns:
        if len(text) > LONGEST_MESSAGE:
            raise InvalidArguments(f"A question, or any other turn, has at most {LONGEST_MESSAGE:,} characters; this one has {len(text):,}.", field="question")
    while turns and turns[-1][0] != "user":
        turns.pop()
    if not turns:
        raise ValueError("There is no question: the last message must be the user's.")
    return turns


def text_of(content: Any) -> str:
    """Return the text of a message whose content is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(str(part.get("text", "")) if isinstance(part, Mapping) else str(part) for part in content)
    return ""


def run(plan: Plan) -> list[ToolCall]:
    """Run the calls of a plan; a refusal of a tool is kept in its place."""
    calls = []
    for planned in plan.all_calls:
        try:
            calls.append(ToolCall(name=planned.tool, arguments=planned.arguments, estimate=call(planned.tool, planned.arguments)))
        except KilowhatError as error:
            calls.append(ToolCall(name=planned.tool, arguments=planned.arguments, error=error.as_dict()["error"]))
    return calls
