"""The MCP server gives what Python gives, in both eras of the protocol: here without a transport; ``test_mcp_stdio`` and ``test_mcp_http`` have them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client, MCPError, types
from referencing import Registry

from kilowhat.manifest import load
from kilowhat.plugin import ask, references
from kilowhat.plugin.mcp.prompts import PROMPTS, Prompt
from kilowhat.plugin.mcp.server import build
from kilowhat.tools import TOOLS, Estimate, KilowhatError, Library, Tool, call
from kilowhat.tools.core.errors import MissingInput, UnknownTool
from kilowhat.tools.core.registry import CATALOG
from kilowhat.tools.core.tool import Arguments

ERAS = {"auto": "2026-07-28", "legacy": "2025-11-25"}

REFUSED = [
    pytest.param("estimate_task", {"task": "image-generation", "count": -1}, id="negative"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 10**400}, id="too large for a float"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 1, "region": "Atlantis"}, id="unknown place"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 1, "region": "\ud800"}, id="half a character"),
    pytest.param("estimate_task", {}, id="missing"),
    pytest.param("estimate_tsk", {}, id="unknown tool"),
    pytest.param("", {}, id="no name"),
    pytest.param("calculate", {"expression": "1 + 1", "no_such_argument": 1}, id="extra argument"),
]


def text_of(result: types.CallToolResult) -> str:
    [content] = result.content
    assert isinstance(content, types.TextContent)
    return content.text


@pytest.fixture(params=ERAS, scope="module")
def era(request: pytest.FixtureRequest) -> Any:
    return request.param


async def test_the_era_is_the_one_asked_for(era: Any) -> None:
    async with Client(build(), mode=era) as client:
        assert client.protocol_version == ERAS[era]
        assert client.server_info.name == "kilowhat"
        assert "source" in (client.instructions or "")


# Tools


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
async def test_a_call_gives_the_estimate_that_python_gives(era: Any, tool: Tool) -> None:
    async with Client(build(), mode=era) as client:
        result = await client.call_tool(tool.name, dict(tool.example))
    estimate = call(tool.name, tool.example)
    assert not result.is_error
    assert result.structured_content == estimate.model_dump(mode="json")
    assert text_of(result) == estimate.text


@pytest.mark.parametrize(("name", "arguments"), REFUSED)
async def test_a_refusal_has_the_code_and_the_words_of_every_surface(era: Any, name: str, arguments: dict[str, Any]) -> None:
    async with Client(build(), mode=era) as client:
        result = await client.call_tool(name, arguments)
    with pytest.raises(KilowhatError) as refused:
        call(name, arguments)
    assert result.is_error
    assert result.structured_content is None
    assert json.loads(text_of(result)) == refused.value.as_dict()


async def test_the_list_is_the_manifest(era: Any) -> None:
    async with Client(build(), mode=era) as client:
        listed = await client.list_tools()
    assert listed.next_cursor is None
    assert [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools] == load("mcp")["tools"]


async def test_null_means_left_out(era: Any) -> None:
    async with Client(build(), mode=era) as client:
        told = await client.call_tool("estimate_task", {"task": "image-generation", "count": 1, "region": None})
        left_out = await client.call_tool("estimate_task", {"task": "image-generation", "count": 1})
    assert told.structured_content == left_out.structured_content


async def test_only_some_tools_can_be_served(era: Any) -> None:
    async with Client(build(["calculate", "estimate_task"]), mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["estimate_task", "calculate"]
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["task_footprint"]
        assert not (await client.call_tool("calculate", {"expression": "2 * 3 kWh"})).is_error
        refused = json.loads(text_of(await client.call_tool("compare", {"items": []})))["error"]
        assert refused["code"] == "unknown_tool"
        assert "the tools are estimate_task, calculate" in refused["message"]


def test_a_tool_that_there_is_none_of_can_not_be_served() -> None:
    with pytest.raises(UnknownTool, match="no tool 'estimate_tsk'") as refused:
        build(["estimate_tsk"])
    assert "estimate_task" in refused.value.nearest


async def test_a_fault_of_ours_is_told_without_its_internals(era: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Any, __: Library) -> Estimate:
        raise RuntimeError("secret of the inside")

    broken = Tool(name="estimate_task", title="", description="", arguments=Arguments, run=fail, example={})
    monkeypatch.setattr(CATALOG, "_loaded", {**CATALOG, "estimate_task": broken})
    async with Client(build(), mode=era) as client:
        result = await client.call_tool("estimate_task", {})
    assert json.loads(text_of(result))["error"]["code"] == "internal_error"
    assert "secret" not in text_of(result) + caplog.text


async def test_arguments_and_questions_are_not_logged(era: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with Client(build(), mode=era) as client:
            caplog.clear()
            await client.call_tool("estimate_task", {"task": "image-generation", "count": 1, "region": "Xanadu-on-Sea"})
            await client.call_tool("check_claim", {"claim": "Xanadu-on-Sea uses 3 kWh"})
            await client.get_prompt("check_claim", {"claim": "Xanadu-on-Sea"})
            with pytest.raises(MCPError):
                await client.read_resource("kilowhat://fact/Xanadu-on-Sea")
    assert "Xanadu" not in caplog.text


# Resources


async def test_every_source_is_listed_and_can_be_read(era: Any) -> None:
    async with Client(build(), mode=era) as client:
        page = await client.list_resources()
        listed = list(page.resources)
        while page.next_cursor:
            page = await client.list_resources(cursor=page.next_cursor)
            listed += page.resources
        [content] = (await client.read_resource(listed[0].uri)).contents
    library = Library.load()
    assert [resource.uri for resource in listed] == [f"kilowhat://source/{source_id}" for source_id in library.sources]
    assert [resource.title for resource in listed] == [library.source(source_id).title for source_id in library.sources]
    assert isinstance(content, types.TextResourceContents)
    assert json.loads(content.text) == references.source(library.sources[0])


async def test_the_templates_are_completed_and_read(era: Any) -> None:
    read = {"fact": references.cited, "claim": references.claim, "source": references.source}
    async with Client(build(), mode=era) as client:
        templates = {template.name: template.uri_template for template in (await client.list_resource_templates()).resource_templates}
        assert templates == {kind: f"kilowhat://{kind}/{{id}}" for kind in read}
        for kind, template in templates.items():
            ref = types.ResourceTemplateReference(type="ref/resource", uri=template)
            completion = (await client.complete(ref, {"name": "id", "value": "GPT 3"})).completion
            assert completion.values
            assert completion.total == len(completion.values) or completion.has_more
            assert all("gpt3" in value.replace("-", "") or "gpt-3" in value for value in completion.values)
            [content] = (await client.read_resource(template.replace("{id}", completion.values[0]))).contents
            assert isinstance(content, types.TextResourceContents)
            assert content.mime_type == "application/json"
            assert json.loads(content.text) == read[kind](completion.values[0])


WITH_A_PRIMARY_SOURCE = next(claim.id for claim in map(Library.load().claim, Library.load().claims) if claim.primary and claim.primary.source)

CITING = {**{name: (name, dict(tool.example)) for name, tool in TOOLS.items() if name != "calculate"}, "claim": ("check_claim", {"claim": WITH_A_PRIMARY_SOURCE})}


@pytest.mark.parametrize("case", CITING)
async def test_what_an_estimate_cites_can_be_read(era: Any, case: str) -> None:
    name, arguments = CITING[case]
    async with Client(build(), mode=era) as client:
        estimate = (await client.call_tool(name, arguments)).structured_content
        assert estimate["citations"]
        assert case != "claim" or any(cited["fact_id"].endswith("#primary") for cited in estimate["citations"])
        for cited in estimate["citations"]:
            [content] = (await client.read_resource(f"kilowhat://fact/{cited['fact_id']}")).contents
            assert isinstance(content, types.TextResourceContents)
            found = json.loads(content.text)
            record = found.get("fact") or found["claim"]
            assert record["id"] == cited["fact_id"].removesuffix("#primary")
            if record["id"] == cited["fact_id"]:
                assert record["printed"] == cited["printed"]
                assert found["source"]["title"].startswith(cited["source"]["title"].rstrip(" …"))
            else:
                assert record["primary"]["figure"] == cited["printed"]


@pytest.mark.parametrize(
    "uri",
    ["kilowhat://fact/image-generation-enrgy", "kilowhat://source/altman", "kilowhat://claim/nothing", "kilowhat://secret/key", "file:///etc/passwd", "kilowhat://fact/..%2f..%2fetc", "x", ""],
)
async def test_what_there_is_not_is_refused_with_what_is_near(era: Any, uri: str) -> None:
    async with Client(build(), mode=era) as client:
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri)
    assert refused.value.error.code == types.INVALID_PARAMS
    error = refused.value.error.data["error"]
    assert (error["code"], refused.value.error.message) == ("unknown_name", error["message"])
    assert refused.value.error.data["uri"] == uri
    if "enrgy" in uri:
        assert "image-generation-energy" in error["nearest"]


@pytest.mark.parametrize("cursor", ["-5", "0", "1", "99999999999", "５", "x" * 5000, ""])
async def test_a_cursor_that_was_not_given_out_is_refused(era: Any, cursor: str) -> None:
    async with Client(build(), mode=era) as client:
        for read in (client.list_tools, client.list_prompts, client.list_resource_templates):
            if cursor != "1":
                with pytest.raises(MCPError, match="no cursor"):
                    await read(cursor=cursor)


# Prompts

TOLD = {
    "task_footprint": {"task": "image generation", "count": "1000", "region": "France"},
    "model_footprint": {"model": "GPT-4o", "requests": "1000", "output_tokens": "400"},
    "training_footprint": {"model": "GPT-3"},
    "own_training_footprint": {"accelerator": "H100", "accelerator_count": "8", "hours": "168", "region": "us-west-2"},
    "greenest_place": {"energy": "1000 kWh", "regions": "Norway, Germany, USA"},
    "check_claim": {"claim": "ten days of ChatGPT use as much as the Three Gorges dam makes in a year, 84 TWh"},
    "everyday_equivalents": {"quantity": "3 kWh", "equivalents": "phone charges and streaming hours"},
}


@pytest.mark.parametrize("prompt", PROMPTS, ids=[prompt.name for prompt in PROMPTS])
async def test_a_prompt_asks_what_its_tool_answers(era: Any, prompt: Prompt) -> None:
    async with Client(build(), mode=era) as client:
        found = await client.get_prompt(prompt.name, TOLD[prompt.name])
    [message] = found.messages
    assert message.role == "user"
    assert isinstance(message.content, types.TextContent)
    question, how = message.content.text.split("\n\n")
    assert all(told in question for told in TOLD[prompt.name].values())
    assert "source" in how
    assert ask(question).tool_calls[0].name == prompt.tool


async def test_a_gap_that_is_not_filled_is_left_out(era: Any) -> None:
    async with Client(build(), mode=era) as client:
        [message] = (await client.get_prompt("task_footprint", {"task": "summarization", "count": "5", "region": " "})).messages
    assert isinstance(message.content, types.TextContent)
    assert message.content.text.startswith("How much energy, carbon and water do 5 runs of summarization use?\n")


@pytest.mark.parametrize(
    ("name", "told", "code", "message"),
    [
        ("task_footprint", {"count": "5"}, "missing_input", "task_footprint needs task"),
        ("task_footprint", {"task": "images", "count": "5", "colour": "red"}, "invalid_arguments", "takes no argument 'colour'"),
        ("check_claim", {"claim": "x" * 1001}, "invalid_arguments", "at most 1,000"),
        ("task_footprnt", {}, "unknown_name", "no prompt 'task_footprnt'"),
        ("check_claim", {}, "missing_input", "needs claim"),
    ],
)
async def test_a_prompt_that_can_not_be_asked_says_why(era: Any, name: str, told: dict[str, str], code: str, message: str) -> None:
    async with Client(build(), mode=era) as client:
        with pytest.raises(MCPError, match=message) as refused:
            await client.get_prompt(name, told)
    assert refused.value.error.code == types.INVALID_PARAMS
    assert refused.value.error.data["error"]["code"] == code


async def test_braces_of_the_asker_are_words(era: Any) -> None:
    async with Client(build(), mode=era) as client:
        [message] = (await client.get_prompt("check_claim", {"claim": "{claim} {0.__class__} {{"})).messages
    assert isinstance(message.content, types.TextContent)
    assert message.content.text.startswith("Check this claim: {claim} {0.__class__} {{\n")


@pytest.mark.parametrize(
    ("prompt", "argument", "typed", "first"),
    [
        ("task_footprint", "task", "image g", "image generation"),
        ("task_footprint", "region", "fran", "France"),
        ("task_footprint", "region", "us-west-2", "us-west-2"),
        ("model_footprint", "model", "gpt 4o", "GPT-4o"),
        ("training_footprint", "model", "gpt3", "GPT-3"),
        ("own_training_footprint", "accelerator", "h100", "NVIDIA H100 NVL"),
    ],
)
async def test_an_argument_is_completed_with_known_names(era: Any, prompt: str, argument: str, typed: str, first: str) -> None:
    async with Client(build(), mode=era) as client:
        ref = types.PromptReference(type="ref/prompt", name=prompt)
        completion = (await client.complete(ref, {"name": argument, "value": typed})).completion
        everything = (await client.complete(ref, {"name": argument, "value": ""})).completion
    assert completion.values[0] == first
    assert 0 < len(everything.values) <= 100
    assert (everything.total or 0) >= len(everything.values)
    assert bool(everything.has_more) == ((everything.total or 0) > 100)


async def test_what_is_free_has_no_completions_and_what_is_not_there_is_refused(era: Any) -> None:
    async with Client(build(), mode=era) as client:
        ref = types.PromptReference(type="ref/prompt", name="task_footprint")
        assert (await client.complete(ref, {"name": "count", "value": "1"})).completion.values == []
        with pytest.raises(MCPError, match="no argument 'colour'"):
            await client.complete(ref, {"name": "colour", "value": ""})
        with pytest.raises(MCPError, match="no prompt 'nothing'"):
            await client.complete(types.PromptReference(type="ref/prompt", name="nothing"), {"name": "x", "value": ""})
        for uri in ("kilowhat://fact/{name}", "kilowhat://fact/", "file:///{id}"):
            with pytest.raises(MCPError, match="no template"):
                await client.complete(types.ResourceTemplateReference(type="ref/resource", uri=uri), {"name": "id", "value": ""})


# Without the package


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from kilowhat.plugin import mcp

    monkeypatch.setattr(mcp, "find_spec", lambda _: None)
    assert not mcp.available()
    for start in (mcp.http_app, mcp.serve_stdio):
        with pytest.raises(MissingInput, match=r"pip install 'kilowhat\[mcp\]'"):
            start()


async def test_the_output_schema_holds_for_what_is_given() -> None:
    async with Client(build()) as client:
        for tool in (await client.list_tools()).tools:
            assert tool.output_schema is not None
            result = await client.call_tool(tool.name, dict(TOOLS[tool.name].example))
            Draft202012Validator(tool.output_schema, registry=Registry()).validate(result.structured_content)
