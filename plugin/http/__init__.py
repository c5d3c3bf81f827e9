"""The tools, the question and the references over HTTP, for programs on this machine."""

from kilowhat.plugin.http.app import create_app
from kilowhat.plugin.http.server import serve

__all__ = ["create_app", "serve"]
