"""The ways in: a question in plain words, agents, HTTP and the shell.

>>> from kilowhat.plugin import ask
>>> ask("how much energy does 1000 image generations use?").results[0].unit
'kWh'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kilowhat.plugin.asking import ask as ask
    from kilowhat.plugin.asking import ask_async as ask_async
    from kilowhat.plugin.asking import stream as stream
    from kilowhat.plugin.asking import stream_async as stream_async
    from kilowhat.plugin.langchain import Toolkit as Toolkit
    from kilowhat.plugin.reply import Reply as Reply

_ASKING = dict.fromkeys(("ask", "ask_async", "stream", "stream_async"), "kilowhat.plugin.asking")
_HOME = {**_ASKING, "Toolkit": "kilowhat.plugin.langchain", "Reply": "kilowhat.plugin.reply"}

__all__ = ["Reply", "Toolkit", "ask", "ask_async", "stream", "stream_async"]


def __getattr__(name: str) -> Any:
    """Import a name of the package when it is first used: LangChain takes a second, and most uses need none of it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names of the package, those too that were not used yet."""
    return sorted({*globals(), *__all__})
