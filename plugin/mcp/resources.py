"""Facts, claims and sources as resources: ``kilowhat://fact/{id}``, ``kilowhat://claim/{id}``, ``kilowhat://source/{id}``.

The sources are listed, each with the ids of what was taken from it; facts and claims are read by the ids that footnotes name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from anyio import to_thread
from mcp import types

from kilowhat.plugin import references
from kilowhat.plugin.failures import safely
from kilowhat.plugin.mcp.pages import matching, page, refused
from kilowhat.tools import KilowhatError, Library
from kilowhat.tools.core.errors import UnknownName

JSON = "application/json"
_URI = re.compile(r"kilowhat://(\w{1,20})/([^/?#]{1,300}(?:#primary)?)")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of reference: how it is described, read, and completed."""

    title: str
    description: str
    read: Callable[[str], dict[str, Any]]
    ids: Callable[[Library], list[str]]

    def template(self, name: str) -> types.ResourceTemplate:
        """Return the template of its addresses."""
        return types.ResourceTemplate(name=name, title=self.title, uri_template=f"kilowhat://{name}/{{id}}", description=self.description, mime_type=JSON)


KINDS: Mapping[str, Kind] = {
    "fact": Kind(
        "A fact",
        "What a footnote names. One published figure: value, range, unit, what it holds for, the place in the source, the figure as printed, when it was checked against what.",
        references.cited,
        lambda library: [fact.id for fact in library],
    ),
    "claim": Kind(
        "A claim of the press",
        "A figure of the press with our verdict, its slip, what its own inputs give, and the primary source.",
        references.claim,
        lambda library: library.claims,
    ),
    "source": Kind(
        "A source",
        "A publication: title, authors, date, address, licence, and the facts and claims that were taken from it.",
        references.source,
        lambda library: library.sources,
    ),
}


async def list_resources(_: Any, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    """Return a page of the sources."""
    found, cursor = page(Library.load().sources, params)
    return types.ListResourcesResult(resources=[_listed(source_id) for source_id in found], next_cursor=cursor)


async def list_templates(_: Any, params: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
    """Return the templates."""
    found, cursor = page([kind.template(name) for name, kind in KINDS.items()], params)
    return types.ListResourceTemplatesResult(resource_templates=found, next_cursor=cursor)


async def read_resource(_: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    """Return a reference as JSON.

    Raises:
        MCPError: where there is none at that address, with the nearest ids.
    """
    try:
        found = await to_thread.run_sync(safely, read, params.uri)
    except KilowhatError as error:
        raise refused(error, uri=params.uri[:400]) from None
    text = json.dumps(found, ensure_ascii=False)
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=params.uri, mime_type=JSON, text=text)])


def read(uri: str) -> dict[str, Any]:
    """Return what is at an address.

    Raises:
        UnknownName: where there is nothing (``unknown_name``).
    """
    match = _URI.fullmatch(uri)
    if match is None or match[1] not in KINDS:
        raise UnknownName(f"There is nothing at {uri[:80]!r}; addresses are kilowhat://fact/, kilowhat://claim/ or kilowhat://source/ and an id.", field="uri")
    return KINDS[match[1]].read(unquote(match[2]))


def complete(template: str, argument: types.CompletionArgument) -> types.CompleteResult:
    """Return the ids that a beginning may mean.

    Raises:
        MCPError: where there is no such template or argument.
    """
    kind = next((kind for name, kind in KINDS.items() if template == f"kilowhat://{name}/{{id}}"), None)
    if kind is None or argument.name != "id":
        raise refused(UnknownName(f"There is no template {template[:80]!r} with an argument {argument.name[:40]!r}.", field="ref"))
    return matching(kind.ids(Library.load()), argument.value)


def _listed(source_id: str) -> types.Resource:
    source = Library.load().source(source_id)
    described = ", ".join(part for part in (source.authors or source.producer, source.published) if part)
    return types.Resource(uri=f"kilowhat://source/{source_id}", name=source_id, title=source.title, description=described or None, mime_type=JSON)
