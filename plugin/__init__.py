"""The ways in: a question in plain words, agents, HTTP and the shell.

>>> from kilowhat.plugin import ask
>>> ask("how much energy does 1000 image generations use?").results[0].unit
'kWh'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kilowhat.plugin.asking import ask as ask
    from kilowhat.plugin.langchain import Toolkit as Toolkit
    from kilowhat.plugin.reply import Reply as Reply

_HOME = {"ask": "kilowhat.plugin.asking", "Toolkit": "kilowhat.plugin.langchain", "Reply": "kilowhat.plugin.reply"}

__all__ = ["Reply", "Toolkit", "ask"]


def __getattr__(name: str) -> Any:
    """Import a name of the package when it is first used: LangChain takes a second, and most uses need none of it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
