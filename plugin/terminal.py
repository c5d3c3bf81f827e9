"""Text for a terminal: no character that steers it, lines that fit, bold where it can; plain where the output is piped."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from itertools import groupby, zip_longest
from typing import TextIO

from kilowhat.tools import KilowhatError

WIDEST = 100
"""Columns of a line that is still easy to read."""

NARROWEST = 20
GAP = 2
"""Columns between those of a table."""

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\`*_\[\]<>|#~])")
_BAR = re.compile(r"(?<!\\)\|")
_RULER = re.compile(r"\|(?: :?-+:? \|)+")
_HANGING = re.compile(r"- |\[\d+\] |  +")


def cleared(text: str) -> str:
    r"""Return a text without the characters that steer a terminal or turn its direction; line ends and tabs stay.

    >>> cleared("2.9 kWh\x1b[2J\u202e")
    '2.9 kWh[2J'
    """
    return _STEERING.sub("", text)


def in_words(error: KilowhatError) -> str:
    """Return an error as a line: its code, its message, and the nearest names where the message does not say them."""
    near = "" if "Near it: " in error.message else near_it(error.nearest)
    return cleared(f"{error.code}: {error.message}{near}")


def near_it(names: Sequence[str]) -> str:
    """Return the nearest names as a sentence that follows another, or nothing.

    >>> near_it(["ask"])
    ' Near it: ask.'
    """
    return f" Near it: {', '.join(names)}." if names else ""


def is_styled(stream: TextIO) -> bool:
    """Return whether a stream shows bold: a terminal that is not dumb, where NO_COLOR does not ask for plain text."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")


def columns() -> int:
    """Return the columns of the terminal, or of a line that is easy to read where it is wider."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def shown(text: str, stream: TextIO, *, wrap: bool | None = None) -> str:
    """Return Markdown as a stream shows it: tables as columns; wrapped on a terminal, or where that is asked for; bold where it can be, else the text alone."""
    width = columns() if (stream.isatty() if wrap is None else wrap) else None
    lines: list[str] = []
    for is_table, block in groupby((line.rstrip() for line in cleared(text).split("\n")), is_row):
        if is_table:
            lines += _laid_out([*block], width)
        else:
            lines += [part for line in block for part in (wrapped(line, width) if width is not None else [line])]
    return _ESCAPED.sub(r"\1", bold("\n".join(lines), on=is_styled(stream)))


def is_row(line: str) -> bool:
    """Return whether a line is a row of a table."""
    return line.startswith("| ") and line.endswith(" |")


def _laid_out(table: Sequence[str], width: int | None) -> list[str]:
    """Return a table as columns; where they are wider than the terminal, its rows as items of a list, which fit any width.

    >>> _laid_out(["| | energy | range |", "| --- | ---: | --- |", "| France | **120 g** [1] | 80 to 160 |", "| Chad | **9 g** | – |"], 40)
    ['        energy     range', 'France  **120 g** [1]  80 to 160', 'Chad    **9 g**        –']
    >>> _laid_out(["| | emissions of a year | range |", "| --- | ---: | --- |", "| Chad | **9 g** [1] | – |"], 30)
    ['- Chad: **9 g** [1]']
    """
    rows = [[cell.strip() for cell in _BAR.split(line[1:-1])] for line in table if not _RULER.fullmatch(line)]
    sizes = [max(map(_columns_of, column)) for column in zip_longest(*rows, fillvalue="")]
    if width is None or sum(sizes) + GAP * (len(sizes) - 1) <= width:
        return ["".join(cell + " " * (size - _columns_of(cell) + GAP) for cell, size in zip(row, sizes, strict=False)).rstrip() for row in rows]
    items = (f"- {first}: {', '.join(cell for cell in others if cell != '–')}" for first, *others in rows[1:])
    return [part for item in items for part in wrapped(item, width)]


def _columns_of(text: str) -> int:
    """Return how many columns a text takes, its bold marks left out."""
    plain = _ESCAPED.sub(r"\1", bold(text, on=False))
    if all(map(_takes_one_column, plain)):
        return len(plain)
    from wcwidth import wcswidth

    return max(0, wcswidth(plain))


def bold(text: str, *, on: bool) -> str:
    """Return a text whose ``**parts**`` are bold, or plain."""
    return _BOLD.sub("\x1b[1m\\1\x1b[0m" if on else r"\1", text)


def wrapped(line: str, width: int) -> list[str]:
    """Return a line as several that fit; those that go on an item of a list, a footnote or an indented line stand below its text.

    A link at its end is never broken, so that it can be copied.

    >>> wrapped("- as much as many things", 16)
    ['- as much as', '  many things']
    """
    hanging = _HANGING.match(line)
    indent = " " * len(hanging[0]) if hanging else ""
    head, link, address = line.rpartition(" http")
    if link and " " not in address:
        return [*wrapped(head, width), f"{indent}http{address}"] if len(line) > width else [line]
    if not all(map(_takes_one_column, line)):
        from wcwidth import wrap

        return wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
    from textwrap import wrap as wrap_narrow

    return wrap_narrow(line, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False, drop_whitespace=True) or [""]


def _takes_one_column(char: str) -> bool:
    """Return whether a character surely takes one column: it belongs to no script of wide characters, and joins no other."""
    return char < "\u0300" or "\u0370" <= char < "\u0483" or "\u2000" <= char < "\u2e80"
