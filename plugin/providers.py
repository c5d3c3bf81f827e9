"""Chat models by name, and what can go wrong with those who run them.

A name is ``provider:model``, set up by LangChain's ``init_chat_model``; an address of one's own, of anything that speaks the
OpenAI protocol, stands behind an ``@``: ``openai:qwen3@http://localhost:8000/v1``.

    KilowhatError
    └── ModelFailed           model_failed        the provider answered with an error of its own
        ├── ModelUnauthorised model_unauthorised  it refused the key, or what the key may use
        ├── ModelNotFound     model_not_found     it has no model of that name
        ├── ModelRateLimited  model_rate_limited  too many requests, or no credit left
        ├── ModelUnreachable  model_unreachable   nobody answers at the address
        └── ModelTimeout      model_timeout       it did not answer in time

No message repeats what a provider said: that may hold parts of a key, a question or an address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kilowhat.tools import KilowhatError
from kilowhat.tools.core.errors import InvalidArguments, MissingInput

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

REQUEST_SECONDS = 60
"""How long one request to a provider may take."""

ANSWER_TOKENS = 8192
"""How much one message of a model may hold, hidden reasoning included."""

OWN_KEY = "KILOWHAT_MODEL_KEY"
"""The key for an address behind ``@``. That of OpenAI goes to OpenAI, or where OPENAI_BASE_URL says, and nowhere else."""


class ModelFailed(KilowhatError):
    """The provider answered with an error of its own."""

    code = "model_failed"


class ModelUnauthorised(ModelFailed):
    """The provider refused the key, or what the key may use."""

    code = "model_unauthorised"


class ModelNotFound(ModelFailed):
    """The provider has no model of that name."""

    code = "model_not_found"


class ModelRateLimited(ModelFailed):
    """Too many requests, or no credit left."""

    code = "model_rate_limited"


class ModelUnreachable(ModelFailed):
    """Nobody answers at the address."""

    code = "model_unreachable"


class ModelTimeout(ModelFailed):
    """The provider did not answer in time."""

    code = "model_timeout"


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider needs: its package, and the variables of which one holds its key."""

    package: str
    keys: tuple[str, ...] = ()


PROVIDERS = {
    "openai": Provider("langchain-openai", ("OPENAI_API_KEY",)),
    "anthropic": Provider("langchain-anthropic", ("ANTHROPIC_API_KEY",)),
    "google_genai": Provider("langchain-google-genai", ("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    "ollama": Provider("langchain-ollama"),
}
"""Those whose needs are told before they are asked; any other that LangChain knows works by the same form."""

_NAME = re.compile(r"(?P<provider>[a-z][a-z0-9_]*):(?P<model>\S+?)(?:@(?P<address>https?://\S+))?")
_PACKAGE = re.compile(r"pip install ([a-z][a-z0-9-]*)")
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:API_KEY|KEY|TOKEN|ENDPOINT|REGION|PROJECT)\b")
_FORM = "Write provider:model, such as openai:gpt-5, anthropic:claude-sonnet-4-5, google_genai:gemini-2.5-flash, ollama:qwen3 or openai:NAME@http://localhost:8000/v1."


def load_model(name: str) -> BaseChatModel:
    """Return the chat model that ``provider:model`` or ``openai:model@address`` names.

    Raises:
        InvalidArguments: where the name has another form, or there is no such provider (``invalid_arguments``).
        MissingInput: where a package or a key is missing; the message says which (``missing_input``).
    """
    match = _NAME.fullmatch(name.strip())
    if match is None:
        raise InvalidArguments(f"{_shown(name)!r} names no chat model. {_FORM}", field="model", nearest=sorted(PROVIDERS))
    provider, model, address = match["provider"], match["model"], match["address"]
    if address and provider != "openai":
        raise InvalidArguments(f"An address goes with openai, whose protocol others speak: openai:{_shown(model)}@…, not {provider}.", field="model", nearest=["openai"])
    options = _address(address) if address else _needs(provider)
    try:
        loaded: BaseChatModel = import_module("langchain.chat_models").init_chat_model(f"{provider}:{model}", **options)
    except ImportError as error:
        package = PROVIDERS[provider].package if provider in PROVIDERS else next(iter(_PACKAGE.findall(str(error))), "")
        if find_spec("langchain") is None or not package:
            package = f"langchain {package}".strip()
        raise MissingInput(f"{provider}:{_shown(model)} needs a package that is not installed: pip install {package}", field="model") from None
    except Exception as error:  # noqa: BLE001  (every provider has its own errors for what it lacks)
        raise _unsettled(provider, model, str(error)) from None
    return loaded


def _shown(text: str) -> str:
    """Return a name as an error may repeat it: short, and without an address, which could hold a password."""
    return text.partition("@")[0][:60]


def _address(address: str) -> dict[str, Any]:
    """Return the options for an address of one's own.

    Raises:
        InvalidArguments: where it is no address, or holds a password (``invalid_arguments``).
        MissingInput: where langchain-openai is not installed (``missing_input``).
    """
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named or parts.username or parts.password:
        raise InvalidArguments(f"The address behind @ is http://host:port/v1 or https://…, without a name or password in it; a key goes into {OWN_KEY}.", field="model")
    _installed("openai")
    return {"base_url": address, "api_key": os.environ.get(OWN_KEY) or "none", **_bounds("openai")}


def _needs(provider: str) -> dict[str, Any]:
    """Return the options for a provider, once it is sure that its package and its key are there.

    Raises:
        MissingInput: where one is missing (``missing_input``).
    """
    if provider not in PROVIDERS:
        return {}
    _installed(provider)
    options = _bounds(provider)
    keys = PROVIDERS[provider].keys
    if provider == "openai" and (base := os.environ.get("OPENAI_BASE_URL")):
        return {"base_url": base, "api_key": os.environ.get("OPENAI_API_KEY") or "none", **options}
    if keys and not any(os.environ.get(key) for key in keys):
        beside = " (or OPENAI_BASE_URL, for a server of your own)" if provider == "openai" else ""
        raise MissingInput(f"{provider} needs a key: set {' or '.join(keys)}{beside}. Without a model, kilowhat answers by itself.", field="model")
    return options


def _installed(provider: str) -> None:
    """Refuse a provider whose packages are missing, naming all of them at once.

    Raises:
        MissingInput: with the command that installs them (``missing_input``).
    """
    package = PROVIDERS[provider].package
    missing = [name for name in ("langchain", package) if find_spec(name.replace("-", "_")) is None]
    if missing:
        raise MissingInput(f"{provider} needs packages that are not installed: pip install {' '.join(missing)}", field="model")


def _bounds(provider: str) -> dict[str, Any]:
    """Return the bounds on time and output in the words of a provider's class."""
    if provider == "ollama":
        return {"client_kwargs": {"timeout": REQUEST_SECONDS}, "num_predict": ANSWER_TOKENS}
    return {"timeout": REQUEST_SECONDS, "max_retries": 1, "max_tokens": ANSWER_TOKENS}


def _unsettled(provider: str, model: str, told: str) -> KilowhatError:
    """Return the error for a model that could not be set up: what to set, where the provider names it."""
    if variables := list(dict.fromkeys(_VARIABLE.findall(told))):
        return MissingInput(f"{provider}:{_shown(model)} lacks a setting: {' or '.join(variables[:4])}.", field="model")
    if provider not in PROVIDERS and ("infer model provider" in told or "Unsupported provider" in told):
        return InvalidArguments(f"{provider!r} is no provider that LangChain knows. {_FORM}", field="model", nearest=sorted(PROVIDERS))
    return InvalidArguments(f"{provider}:{_shown(model)} can't be set up with the settings at hand; see the page of its package on docs.langchain.com.", field="model")


_BY_NAME = (
    ("AuthenticationError", ModelUnauthorised),
    ("PermissionDenied", ModelUnauthorised),
    ("RateLimit", ModelRateLimited),
    ("NotFound", ModelNotFound),
    ("Timeout", ModelTimeout),
    ("Connect", ModelUnreachable),
)
"""What the classes of LangChain (``ModelError``), of the vendors' SDKs and of httpx are called."""

_BY_STATUS = {401: ModelUnauthorised, 403: ModelUnauthorised, 404: ModelNotFound, 408: ModelTimeout, 429: ModelRateLimited, 504: ModelTimeout}


def explain(error: Exception, name: str | None) -> ModelFailed:
    """Return what a provider's error means, in our words alone.

    Args:
        error: As the model raised it.
        name: The model as it was named, or None where it was handed over ready made.
    """
    provider = (name or "").partition(":")[0]
    kind = next((kind for one in _chain(error) if (kind := _kind(one)) is not None), ModelFailed)
    keys = " or ".join((OWN_KEY,) if "@" in (name or "") else PROVIDERS[provider].keys if provider in PROVIDERS else ())
    status = next((status for one in _chain(error) if (status := _status(one)) is not None), None)
    who = f"The provider of {_shown(name)}" if name else "The provider of the model"
    said = {
        ModelUnauthorised: f"refused the key, or what it may use. {f'Check {keys}.' if keys else 'Check its key.'}",
        ModelNotFound: f"has no such model, or no such address. {'Load it first: ollama pull NAME.' if provider == 'ollama' else 'Check the name.'}",
        ModelRateLimited: "takes no more requests for now: too many, or no credit left. Wait, or check the account.",
        ModelUnreachable: f"can't be reached. {'Is Ollama running (ollama serve)?' if provider == 'ollama' else 'Check the network and the address.'}",
        ModelTimeout: "did not answer in time. Try again, or take a faster model.",
        ModelFailed: f"answered with an error{f' ({status})' if status else ''}. A model has to know tool calls to serve here.",
    }
    return kind(f"{who} {said[kind]} Without a model, kilowhat answers by itself.", field="model")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it, the outermost first; no more than eight."""
    for _ in range(8):
        yield error
        inner = error.__cause__ or error.__context__
        if inner is None:
            return
        error = inner


def _kind(error: BaseException) -> type[ModelFailed] | None:
    if (status := _status(error)) in _BY_STATUS:
        return _BY_STATUS[status]
    if isinstance(error, TimeoutError):
        return ModelTimeout
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((kind for part, kind in _BY_NAME if any(part in name for name in names)), ModelUnreachable if isinstance(error, ConnectionError) else None)


def _status(error: BaseException) -> int | None:
    told = getattr(error, "status_code", None) or getattr(error, "code", None)
    return told if isinstance(told, int) and 400 <= told < 600 else None
