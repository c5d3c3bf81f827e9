"""The lifespan of a mounted app: what it starts before the first request, and ends after the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Message


@asynccontextmanager
async def lifespan_of(app: ASGIApp) -> AsyncIterator[None]:
    """Run an ASGI app's lifespan around a block, in one task of its own; an app that has none is left alone.

    Raises:
        RuntimeError: where the app says that it can't start, or can't end.
    """
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}, to_app.get, from_app.put))

    async def say(event: str) -> bool:
        """Tell the app an event, and return whether it went along with it."""
        await to_app.put({"type": f"lifespan.{event}"})
        answer = asyncio.ensure_future(from_app.get())
        await asyncio.wait({answer, life}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            return False
        if answer.result()["type"] == f"lifespan.{event}.failed":
            raise RuntimeError(f"A mounted app failed at {event}: {str(answer.result().get('message', ''))[:200]}")
        return True

    if not await say("startup"):
        life.exception()
        yield
        return
    try:
        yield
    finally:
        await say("shutdown")
        await life
