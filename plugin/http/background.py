"""What a chat page asks of a model on its own: a title, tags, what to ask next. No tool runs for it.

Open WebUI sends these to the model that answers, as a user's message that begins with ``### Task:``, holds the chat, and
asks for one JSON object. Read as questions they would be estimated. A message that brings documents begins alike, with
the question behind its ``<context>``.
"""

from __future__ import annotations

import json
import re

from kilowhat.plugin.asking import plan_for
from kilowhat.plugin.phrases.load import phrases

_MARK = "### Task:"
_CHAT = re.compile(r"<chat_history>\n?(.*)\n?</chat_history>", re.DOTALL)
_TURN = re.compile(r"^(USER|ASSISTANT|SYSTEM|TOOL): ", re.MULTILINE)
_KEY = re.compile(r'\{\s*"(title|tags|follow_ups|queries|prompt|text)"\s*:')
_FOLLOW_UPS = ("place", "emissions", "water", "things")
_WORDS_OF_TITLE, _LENGTH_OF_TITLE = 6, 48


def question_in_context(text: str) -> str:
    """Return the question of a message that puts documents before it; any other text as it is."""
    if text.startswith(_MARK) and "</context>" in text:
        return text.rpartition("</context>")[2].strip() or text
    return text


def answer_task(text: str) -> str | None:
    r"""Return the JSON that a background task asks for; None where the text is none.

    >>> answer_task("How much energy do 1000 images use?") is None
    True
    """
    found = _CHAT.search(text)
    asked = _KEY.search(text)
    if not text.startswith(_MARK) or found is None:
        return None
    turns = _turns(found[1])
    questions = [told for role, told in turns if role == "user"]
    key = asked[1] if asked else ""
    if key == "title":
        return _json(title=_title(questions[0] if questions else ""))
    if key == "tags":
        return _json(tags=_tags(turns))
    if key == "follow_ups":
        return _json(follow_ups=_follow_ups(turns))
    return _json(**{key: [] if key == "queries" else ""} if key else {})


def _json(**content: object) -> str:
    return json.dumps(content, ensure_ascii=False)


def _turns(chat: str) -> list[tuple[str, str]]:
    """Return the turns of a chat as it is quoted in a task."""
    parts = _TURN.split(chat)
    return [(role.lower(), text.strip()) for role, text in zip(parts[1::2], parts[2::2], strict=True)]


def _title(question: str) -> str:
    """Return the beginning of a question, cut between words."""
    line = " ".join(question.partition("\n")[0].split())
    words = line.split(" ")
    short = " ".join(words[:_WORDS_OF_TITLE])[:_LENGTH_OF_TITLE].rstrip()
    return short if short == line else f"{short} …"


def _tags(turns: list[tuple[str, str]]) -> list[str]:
    """Return what the chat's questions ask for, and what they are about, in the words of the phrases."""
    tags: list[str] = []
    for index, (role, _) in enumerate(turns):
        if role != "user":
            continue
        plan = plan_for(turns[: index + 1])
        words = phrases(plan.language)
        if plan.outcome == "answered":
            told = [words.get("names", plan.quantity or "energy"), *(str(value) for call in plan.calls for value in (call.arguments.get(name) for name in _NAMING) if value)]
            tags += [tag[:1].upper() + tag[1:40] for tag in told if tag]
    return list(dict.fromkeys(tags))[:5] or ["General"]


_NAMING = ("task", "model", "service", "kind", "device", "accelerator", "region")
"""Arguments whose values are names that a chat can be found by."""


def _follow_ups(turns: list[tuple[str, str]]) -> list[str]:
    """Return questions that could come next: those that would be answered after this chat, and have not been asked."""
    if not any(role == "user" for role, _ in turns):
        return []
    while turns and turns[-1][0] != "user":
        turns = turns[:-1]
    last = plan_for(turns)
    if last.outcome != "answered":
        return []
    words = phrases(last.language)
    asked = {text for role, text in turns if role == "user"}
    found = []
    for text in (words.say("follow_ups", name) for name in _FOLLOW_UPS):
        plan = plan_for([*turns, ("user", text)])
        if text not in asked and plan.outcome == "answered" and (plan.calls, plan.quantity) != (last.calls, last.quantity):
            found.append(text)
    return found[:3]
