"""The tools for LangChain agents.

A model reads the text of an estimate; the program beside it takes the ``Estimate`` from
``ToolMessage.artifact``. A refusal is a message with status ``error`` and the same JSON as on every surface.

>>> from kilowhat.plugin import Toolkit
>>> sorted(tool.name for tool in Toolkit().get_tools())[0]
'calculate'
"""

from __future__ import annotations

import json
from typing import Any, Literal

from langchain_core.tools import BaseTool, BaseToolkit, ToolException

from kilowhat.plugin.failures import call_safely
from kilowhat.tools import TOOLS, Estimate, KilowhatError


class EstimationTool(BaseTool):
    """One tool. ``args_schema`` tells a model what it takes; ``kilowhat.tools.call`` validates, so that errors read the same everywhere."""

    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: Any = True

    def _parse_input(self, tool_input: Any, tool_call_id: str | None) -> dict[str, Any]:  # noqa: ARG002  (LangChain's signature)
        return {"arguments": tool_input}

    def _run(self, arguments: Any) -> tuple[str, Estimate]:
        try:
            estimate = call_safely(self.name, arguments)
        except KilowhatError as error:
            raise ToolException(as_json(error)) from None
        return estimate.text, estimate


class Toolkit(BaseToolkit):
    """All tools, for ``create_agent``, ``bind_tools`` or a loop of one's own."""

    def get_tools(self) -> list[BaseTool]:
        """Return one LangChain tool per entry of ``TOOLS``, in that order."""
        return [EstimationTool(name=tool.name, description=tool.description, args_schema=tool.arguments) for tool in TOOLS.values()]


def as_json(error: KilowhatError) -> str:
    """Return an error as the content of a tool message."""
    return json.dumps(error.as_dict(), ensure_ascii=False)
