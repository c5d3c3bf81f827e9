"""Pages for a person: an answer, an estimate, a fact, as HTML.

A page is text in a frame of our own: everything in it is escaped, and its policy forbids scripts, pictures, frames and
anything from elsewhere; a form may ask this server alone. Markdown becomes HTML by markdown-it, which rich brings along,
told to let no HTML and no pictures through.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from html import escape
from urllib.parse import quote

from fastapi import Response
from markdown_it import MarkdownIt

from kilowhat.plugin.citing import short_authors, source_of
from kilowhat.plugin.reply import NumberedCitation, Reply
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.units import format_number

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1a; --paper: #fff; --quiet: #66645f; --line: #dddad2; --link: #0b5cad; --field: #f6f5f1 }
@media (prefers-color-scheme: dark) { :root { --ink: #ecebe7; --paper: #171716; --quiet: #a5a29a; --line: #3b3a36; --link: #8cc3ff; --field: #22221f } }
* { box-sizing: border-box }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem 1rem 4rem; color: var(--ink); background: var(--paper); overflow-wrap: anywhere }
header { display: flex; gap: 1rem; align-items: baseline; justify-content: space-between; border-bottom: 1px solid var(--line); padding-bottom: .5rem; margin-bottom: 1.5rem }
header a { color: inherit; font-weight: 600; text-decoration: none } @media (max-width: 30rem) { header span { display: none } } header span, .quiet { color: var(--quiet); font-size: .875rem }
a { color: var(--link) } h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 1rem; font-weight: 650 } h2 { font-size: 1rem; margin: 2rem 0 .5rem }
.answer > p:first-child { font-size: 1.2rem; line-height: 1.4 } sup { line-height: 0 } sup a { text-decoration: none }
ul, ol { padding-left: 1.4rem } li { margin: .25rem 0 } ol.sources { font-size: .9rem } ol.sources li { margin: .6rem 0 } :target { background: var(--field) }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; overflow-wrap: break-word } .number { text-align: right } td.key { color: var(--quiet); width: 9rem }
dl { margin: 0 } dt { font-weight: 600; margin-top: 1rem } dd { margin: 0 } summary { cursor: pointer; font-weight: 600; margin-top: 2rem } code { font-size: .9em }
form { display: flex; gap: .5rem; margin: 0 0 1.5rem } input { flex: 1; min-width: 0 }
input, button { font: inherit; padding: .5rem .7rem; border: 1px solid var(--line); border-radius: .4rem; color: inherit; background: var(--field) }
button { cursor: pointer }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}
_MARK = re.compile(r"(?:\[\d+\])+")
_AFTER_LIST = re.compile(r"^([-|] ?.*)\n(?![-|\n])", re.MULTILINE)
"""The last line of a list or a table, where no empty line follows that would end it."""
_NAME = re.compile(r"[a-z_]\w*")
_INITIALS = frozenset({"ai", "gpu", "it", "llm", "pue", "us", "wue"})


def prefers_html(accept: str) -> bool:
    """Return whether a browser asks: it names text/html, and before any JSON."""
    kinds = [part.partition(";")[0].strip() for part in accept.lower().split(",")]
    return "text/html" in kinds and "application/json" not in kinds[: kinds.index("text/html")]


def html(title: str, parts: Iterable[str], status: int = 200, *, language: str = "en") -> Response:
    """Return a page of parts that are HTML already, under the name of the program."""
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)} · Kilowhat</title><style>{STYLE}</style>'
        f'</head><body><header><a href="/">Kilowhat</a><span>what AI costs in energy, carbon and water</span></header><main>'
    )
    return Response(f'<!doctype html><html lang="{escape(language)}"><head>{head}{"".join(parts)}</main></body></html>', status, HEADERS, "text/html")


def ask_box(question: str = "") -> str:
    """Return the form that asks a question."""
    shown = f' value="{escape(question)}"' if question else ""
    field = f'<input name="question" aria-label="Question" placeholder="How much energy do 1,000 images take?" required maxlength="2000"{shown}>'
    return f'<form action="/" method="get">{field}<button>Ask</button></form>'


def answer(reply: Reply) -> str:
    """Return an answer with its footnotes, each a link to its source below."""
    text = _without_footnotes(reply)
    body = markdown(text if text.startswith("|") else text.replace("\n", "\n\n", 1))
    named = {int(number) for number in re.findall(r"\d+", " ".join(_MARK.findall(text)))}
    numbers = {citation.number for citation in reply.citations}
    linked = _MARK.sub(lambda marks: _footnote_links(marks[0], numbers), body)
    return f'<div class="answer" lang="{escape(reply.language)}">{linked}</div>{sources(reply.citations, named or numbers)}'


def _without_footnotes(reply: Reply) -> str:
    """Return the text of an answer up to the list of its footnotes."""
    return re.split(r"\n\s*\n\[\d+\] ", reply.text, maxsplit=1)[0] if reply.citations else reply.text


def _footnote_links(marks: str, numbers: set[int]) -> str:
    told = [int(number) for number in re.findall(r"\d+", marks)]
    if not numbers.issuperset(told):
        return marks
    linked = " ".join(f'<a href="#source-{number}">{number}</a>' for number in told)
    return f"<sup>{linked}</sup>"


def sources(citations: Iterable[NumberedCitation], named: Collection[int]) -> str:
    """Return what an answer rests on: who says it, where, as printed, and the page of the fact; folded away what the answer does not name."""
    items = {citation.number: f'<li id="source-{citation.number}" value="{citation.number}">{_source(citation)}</li>' for citation in citations}
    told = "".join(item for number, item in items.items() if number in named)
    behind = "".join(item for number, item in items.items() if number not in named)
    listed = f'<h2>Sources</h2><ol class="sources">{told}</ol>' if told else ""
    return listed + (f'<details><summary>Other figures behind it</summary><ol class="sources">{behind}</ol></details>' if behind else "")


def _source(citation: NumberedCitation) -> str:
    source = source_of(citation.fact_id)
    by = short_authors(source.authors or source.producer or "") if source else citation.source.authors or ""
    title = source.title if source else citation.source.title
    url = source.url if source else citation.source.url
    published = ((source.published if source else citation.source.published) or "")[:4]
    where = ", ".join(part for part in (f"{by} ({published})" if by and published else by or published, link(url, title), escape(citation.locator or "")) if part)
    says = [sentence(citation.statement), f"As printed: {sentence(citation.printed)}" if citation.printed else ""]
    fact_id = citation.fact_id.removesuffix("#primary")
    return f'{sentence(where, escaped=True)} {" ".join(filter(None, says))} <a href="/references/{quote(fact_id)}">The figure</a>'


def sentence(text: str, *, escaped: bool = False) -> str:
    """Return a text that ends as a sentence does, escaped.

    >>> sentence("server saturated;"), sentence("the study."), sentence("what?")
    ('server saturated.', 'the study.', 'what?')
    """
    text = text.strip().rstrip(";,")
    return (text if escaped else escape(text)) + ("" if text.endswith((".", "!", "?", "。", "…")) else ".")


def link(url: str | None, title: str) -> str:
    """Return a title that links to its address where it has one on the web."""
    return f'<a rel="noreferrer" href="{escape(url)}">{escape(title)}</a>' if url and url.startswith(("https://", "http://")) else escape(title)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return what is told of a thing, each with its name; values are HTML already."""
    return "<table>" + "".join(f'<tr><td class="key">{escape(name)}</td><td>{value}</td></tr>' for name, value in rows if value) + "</table>"


def markdown(text: str) -> str:
    r"""Return Markdown of ours as HTML: its line ends stay, a list ends with its last line, and HTML and pictures are text.

    >>> markdown("**3 kWh**\n- water: 1 L\nNote: <b>")
    '<p><strong>3 kWh</strong></p>\n<ul>\n<li>water: 1 L</li>\n</ul>\n<p>Note: &lt;b&gt;</p>\n'
    """
    rendered: str = _markdown().render(_AFTER_LIST.sub(r"\1\n\n", text))
    return rendered.replace(' style="text-align:right"', ' class="number"')


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable(["image", "html_block", "html_inline", "code", "heading", "lheading", "fence", "entity"])


def derivation(estimate: Estimate) -> str:
    """Return every step of a calculation, in names and then in numbers."""
    if not estimate.steps:
        return ""
    named = {entry.name: (entry.value, entry.unit) for entry in estimate.inputs} | {step.name: (step.value, step.unit) for step in estimate.steps}
    names = _readable({name: unit for name, (_, unit) in named.items()})
    steps = []
    for step in estimate.steps:
        formula = _formula(step.expression, {name: f"<var>{escape(shown)}</var>" for name, shown in names.items()})
        numbers = _formula(step.expression, {name: escape(_amount(*amount)) for name, amount in named.items()})
        steps.append(f"<dt>{escape(names[step.name])}</dt><dd>= {formula}<br>= {numbers}<br>= {escape(_amount(step.value, step.unit))}</dd>")
    return f"<details><summary>Every step of the calculation</summary><dl>{''.join(steps)}</dl></details>"


def _formula(expression: str, named: Mapping[str, str]) -> str:
    """Return an expression with what its names stand for."""
    signs = escape(expression).replace("**", "^").replace("*", "×").replace("/", "÷")
    return _NAME.sub(lambda match: named.get(match[0], match[0]), signs)


def _amount(value: float, unit: str) -> str:
    return f"{format_number(value, 5)} {'' if unit == 'ratio' else unit}".strip()


def _readable(units: Mapping[str, str]) -> dict[str, str]:
    """Return names as words, without the unit that they end in unless two would be the same.

    >>> _readable({"carbon_intensity_kg_co2e_per_kwh": "kg CO2e/kWh", "step_j": "J", "step_s": "s", "pue": "ratio"})
    {'carbon_intensity_kg_co2e_per_kwh': 'carbon intensity', 'step_j': 'step (J)', 'step_s': 'step (s)', 'pue': 'PUE'}
    """
    short = {name: _words(name.removesuffix(f"_{_slug(unit)}")) for name, unit in units.items()}
    same = [shown for shown in short.values() if list(short.values()).count(shown) > 1]
    return {name: f"{shown} ({units[name]})" if shown in same and units[name] != "ratio" else shown for name, shown in short.items()}


def _slug(unit: str) -> str:
    """Return a unit as a name ends in it.

    >>> _slug("kg CO2e/kWh"), _slug("%"), _slug("billion parameters")
    ('kg_co2e_per_kwh', 'percent', 'b')
    """
    return "b" if unit == "billion parameters" else re.sub(r"\W+", "_", unit.lower().replace("/", " per ").replace("%", "percent"))


def _words(name: str) -> str:
    return " ".join(word.upper() if word in _INITIALS else word for word in name.split("_"))
