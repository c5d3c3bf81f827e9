"""A LangChain chat model that needs no key and no network: the grammar of ``ask``, spoken as a model.

Where tools are bound, it asks for them and answers from their messages, as any model does in any agent; alone, it runs
them itself. It reads the last question of the user and nothing else: no text in a tool's result moves it.

>>> from kilowhat.plugin.offline_model import OfflineModel
>>> "kWh" in OfflineModel().invoke("How much energy do 1000 image generations use?").text
True
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from kilowhat.plugin.answer import compose
from kilowhat.plugin.asking import plan_for, run
from kilowhat.plugin.reply import ToolCall
from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.tools import Estimate

NAME = "kilowhat-offline"


class OfflineModel(BaseChatModel):
    """The offline model. ``region`` is the place to take where a question names none; other parameters are those that every chat model takes."""

    model: str = NAME
    region: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    timeout: float | None = None
    max_retries: int | None = None
    stop: list[str] | None = None

    @property
    def _llm_type(self) -> str:
        return NAME

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "region": self.region}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = LangSmithParams(ls_provider="kilowhat", ls_model_name=str(kwargs.get("model", self.model)), ls_model_type="chat")
        if self.temperature is not None:
            params["ls_temperature"] = self.temperature
        if self.max_tokens is not None:
            params["ls_max_tokens"] = self.max_tokens
        if told := stop or self.stop:
            params["ls_stop"] = told
        return params

    def bind_tools(self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], *, tool_choice: str | None = None, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools that it may ask for; ``tool_choice="none"`` keeps it from asking."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any) -> ChatResult:  # noqa: ARG002
        bound = [] if kwargs.get("tool_choice") == "none" else [tool["function"]["name"] for tool in kwargs.get("tools") or ()]
        message = self._answer(messages, bound)
        for end in stop or self.stop or ():
            message.content = str(message.content).partition(end)[0]
        told, written = count_tokens_approximately(messages), count_tokens_approximately([message])
        message.usage_metadata = UsageMetadata(input_tokens=told, output_tokens=written, total_tokens=told + written)
        message.response_metadata = {"model_name": NAME, "finish_reason": "tool_calls" if message.tool_calls else "stop"}
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        message = self._generate(messages, stop, None, **kwargs).generations[0].message
        assert isinstance(message, AIMessage)
        for chunk in _chunks(message):
            generation = ChatGenerationChunk(message=chunk)
            if run_manager is not None:
                run_manager.on_llm_new_token(str(chunk.content), chunk=generation)
            yield generation

    def _answer(self, messages: Sequence[BaseMessage], bound: Sequence[str]) -> AIMessage:
        asked = max((index for index, message in enumerate(messages) if isinstance(message, HumanMessage)), default=None)
        if asked is None:
            raise ValueError("There is no question: no message is from a person.")
        plan = plan_for(_turns(messages[: asked + 1]), region=self.region)
        answered = _calls(messages[asked + 1 :])
        if not answered and plan.calls and all(call.tool in bound for call in plan.all_calls):
            return AIMessage(content="", tool_calls=[{"name": call.tool, "args": call.arguments, "id": f"call_{asked}_{index}"} for index, call in enumerate(plan.all_calls)])
        return AIMessage(content=compose(plan, answered or run(plan)).text)


def _turns(messages: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    roles = {"human": "user", "ai": "assistant"}
    return [(roles[message.type], str(message.text)) for message in messages if message.type in roles and message.text]


def _calls(messages: Sequence[BaseMessage]) -> list[ToolCall]:
    """Return the calls that were asked for since the question, with what the tools said."""
    told = {message.tool_call_id: message.artifact for message in messages if isinstance(message, ToolMessage)}
    asked = [call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls]
    return [_call(call["name"], call["args"], told[str(call["id"])]) for call in asked if call["id"] in told]


def _call(name: str, arguments: dict[str, Any], artifact: Any) -> ToolCall:
    """Return a call with its estimate: the artifact, or the tool run again, for tools are pure."""
    if isinstance(artifact, Estimate):
        return ToolCall(name=name, arguments=arguments, estimate=artifact)
    return run(Plan(outcome="answered", language="en", calls=(Call(name, arguments),)))[0]


def _chunks(message: AIMessage) -> Iterator[AIMessageChunk]:
    """Yield a message word by word, then its tool calls, then what it cost."""
    for word in re.findall(r"\s*\S+\s*", str(message.content)):
        yield AIMessageChunk(content=word)
    for index, call in enumerate(message.tool_calls):
        yield AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)])
    yield AIMessageChunk(content="", usage_metadata=message.usage_metadata, response_metadata=message.response_metadata, chunk_position="last")
