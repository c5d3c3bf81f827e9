"""The LangChain toolkit gives what ``kilowhat.tools.call`` gives: the same estimate, the same refusal."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver

from kilowhat.plugin import Toolkit, ask
from kilowhat.plugin.offline_model import OfflineModel
from kilowhat.tools import TOOLS, Estimate, KilowhatError, Library, Tool, call
from kilowhat.tools.core.registry import CATALOG
from kilowhat.tools.core.tool import Arguments

REFUSED = [
    pytest.param("estimate_task", {"task": "image-generation", "count": -1}, id="negative"),
    pytest.param("estimate_task", {"task": "image-generation", "count": math.nan}, id="nan"),
    pytest.param("estimate_task", {"task": "image-generation", "count": math.inf}, id="infinite"),
    pytest.param("estimate_task", {"task": "image-generation", "count": True}, id="a truth is no number"),
    pytest.param("estimate_task", {"task": "image-generation", "count": "1000"}, id="a text is no number"),
    pytest.param("estimate_task", {"task": "imge-generation", "count": 1}, id="unknown task"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 1, "region": "Atlantis"}, id="unknown place"),
    pytest.param("estimate_task", {"task": "image-generation"}, id="missing"),
    pytest.param("estimate_task", {"task": None, "count": 1}, id="null where it is needed"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 1, "config": {}, "func": 1, "self": 2, "run_manager": 3}, id="names that LangChain uses itself"),
    pytest.param("convert_energy_to_emissions", {"energy": "3 litres"}, id="wrong dimension"),
    pytest.param("convert_energy_to_emissions", {"energy": "much"}, id="no quantity"),
    *(pytest.param(tool.name, {**tool.example, "no_such_argument": 1}, id=f"{tool.name}: extra argument") for tool in TOOLS.values()),
]


def lang_chain_tool(name: str) -> BaseTool:
    return next(tool for tool in Toolkit().get_tools() if tool.name == name)


def request(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "tool_call", "name": name, "args": dict(arguments), "id": "call_1"}


def refusal(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    with pytest.raises(KilowhatError) as refused:
        call(name, arguments)
    return refused.value.as_dict()


def test_there_is_one_tool_for_each_of_ours_in_the_same_order() -> None:
    assert [(tool.name, tool.description) for tool in Toolkit().get_tools()] == [(tool.name, tool.description) for tool in TOOLS.values()]


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_model_is_told_every_argument(tool: Tool) -> None:
    function = convert_to_openai_tool(lang_chain_tool(tool.name))["function"]
    assert function["description"] == tool.description
    assert function["parameters"]["properties"].keys() == tool.arguments.model_fields.keys()
    assert all(told["description"] for told in function["parameters"]["properties"].values())


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
async def test_a_call_gives_the_text_to_the_model_and_the_estimate_to_the_program(tool: Tool) -> None:
    expected = call(tool.name, tool.example)
    bound = lang_chain_tool(tool.name)
    for message in (bound.invoke(request(tool.name, tool.example)), await bound.ainvoke(request(tool.name, tool.example))):
        assert isinstance(message, ToolMessage)
        assert isinstance(message.artifact, Estimate)
        assert message.status == "success"
        assert message.content == expected.text
        assert message.artifact.model_dump(mode="json") == expected.model_dump(mode="json")


@pytest.mark.parametrize(("name", "arguments"), REFUSED)
async def test_a_refusal_has_the_code_and_the_words_of_the_call(name: str, arguments: dict[str, Any]) -> None:
    expected = refusal(name, arguments)
    tool = lang_chain_tool(name)
    for message in (tool.invoke(request(name, arguments)), await tool.ainvoke(request(name, arguments))):
        assert message.status == "error"
        assert message.artifact is None
        assert json.loads(message.content) == expected


def test_null_means_not_told() -> None:
    message = lang_chain_tool("estimate_task").invoke(request("estimate_task", {"task": "image-generation", "count": 1, "region": None, "model": None}))
    assert message.artifact == call("estimate_task", {"task": "image-generation", "count": 1})


def test_arguments_without_a_tool_call_give_the_text() -> None:
    assert lang_chain_tool("estimate_task").invoke({"task": "image-generation", "count": 1000}) == call("estimate_task", {"task": "image-generation", "count": 1000}).text


def test_a_text_in_place_of_arguments_is_refused() -> None:
    assert json.loads(lang_chain_tool("estimate_task").invoke("1000 images"))["error"]["code"] == "invalid_arguments"


class Told(Arguments):
    secret: str


def fails(arguments: Told, library: Library) -> Estimate:
    raise ZeroDivisionError(f"{arguments.secret} at {library!r}")


async def test_a_fault_of_ours_is_told_and_logged_without_internals_and_arguments(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    faulty = Tool(name="faulty", title="", description="Fails.", arguments=Told, run=fails, example={})
    monkeypatch.setattr(CATALOG, "_loaded", {**CATALOG, "faulty": faulty})
    monkeypatch.setattr(CATALOG, "_names", (*CATALOG, "faulty"))
    asked = request("faulty", {"secret": "Rumpelstiltskin"})
    with caplog.at_level(logging.DEBUG):
        for message in (lang_chain_tool("faulty").invoke(asked), await lang_chain_tool("faulty").ainvoke(asked)):
            assert message.status == "error"
            assert json.loads(message.content)["error"]["code"] == "internal_error"
            assert "Rumpelstiltskin" not in message.content
            assert "ZeroDivisionError" not in message.content
    assert "ZeroDivisionError in fails" in caplog.text
    assert "Rumpelstiltskin" not in caplog.text


class Speaking(GenericFakeChatModel):
    """A model of LangChain's own that says what it was given to say."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(**kwargs)


QUESTIONS = [
    "How much energy do 1000 image generations use?",
    "生成1000张图片要用多少电？",
    "Carbon of 500 image generations in France",
    "How much energy did training GPT-3 take?",
    "What is the capital of Peru?",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_create_agent_of_langchain_answers_with_our_tools_and_our_model(question: str) -> None:
    told = create_agent(OfflineModel(), Toolkit().get_tools()).invoke({"messages": [("user", question)]})["messages"]
    expected = ask(question)
    assert told[-1].text == expected.text
    ran = [message.artifact for message in told if isinstance(message, ToolMessage)]
    assert ran == [made.estimate for made in expected.tool_calls]


async def test_an_agent_of_langchain_streams_and_goes_on_after_a_refusal() -> None:
    wrong = AIMessage("", tool_calls=[request("estimate_task", {"task": "imge-generation", "count": 1}), {**request("estimate_task", {"task": "image-generation", "count": -1}), "id": "call_2"}])
    right = AIMessage("", tool_calls=[request("estimate_task", {"task": "image-generation", "count": 1000})])
    model = Speaking(messages=iter([wrong, right, AIMessage("2.9 kWh.")]))
    steps = [step async for step in create_agent(model, Toolkit().get_tools()).astream({"messages": [("user", QUESTIONS[0])]}, stream_mode="updates")]
    told = [message for step in steps for update in step.values() for message in update["messages"]]
    answers = [message for message in told if isinstance(message, ToolMessage)]
    assert sorted(message.status for message in answers) == ["error", "error", "success"]
    assert {json.loads(str(message.content))["error"]["code"] for message in answers if message.status == "error"} == {"unknown_name", "invalid_arguments"}
    assert answers[-1].artifact == call("estimate_task", {"task": "image-generation", "count": 1000})
    assert told[-1].text == "2.9 kWh."


async def test_an_agent_of_langchain_keeps_a_conversation() -> None:
    agent = create_agent(OfflineModel(), Toolkit().get_tools(), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "one"}}
    await agent.ainvoke({"messages": [("user", QUESTIONS[0])]}, thread)
    told = (await agent.ainvoke({"messages": [("user", "And in France?")]}, thread))["messages"]
    assert told[-1].text == ask("How much energy do 1000 image generations use in France?").text
