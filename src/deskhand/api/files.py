"""Files in answers: a stored file as a base64 text in JSON, without holding it in memory."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

_PIECE = 3 * 64 * 1024  # a multiple of three, so that the pieces' base64 joins without padding


async def base64_json(file: Path) -> AsyncIterator[bytes]:
    """`{"data": "<base64>"}`, piece by piece."""
    handle = await asyncio.to_thread(file.open, "rb")
    try:
        yield b'{"data":"'
        while piece := await asyncio.to_thread(handle.read, _PIECE):
            yield base64.b64encode(piece)
        yield b'"}'
    finally:
        handle.close()
