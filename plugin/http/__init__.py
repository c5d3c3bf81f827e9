"""The tools, the question and the references over HTTP, for programs on this machine."""

from kilowhat.plugin.http.app import create_app, serve

__all__ = ["create_app", "serve"]
