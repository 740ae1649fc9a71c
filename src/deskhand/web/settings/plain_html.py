"""HTML that people may write as plain text: they see tags only where there is more to it than paragraphs."""

from __future__ import annotations

import html
import re

from deskhand.lib.html_text import readable


def as_html(text: str) -> str:
    """Text as HTML: empty lines part paragraphs."""
    pieces = (piece.strip("\n") for piece in re.split(r"\n\s*\n", text))
    return "".join(f"<p>{'<br>'.join(html.escape(piece, quote=False).split(chr(10)))}</p>" for piece in pieces if piece)


def as_text(written: str) -> tuple[str, bool]:
    """What somebody edits, and whether that is HTML: text, where nothing gets lost by it."""
    text = readable(written)
    return (text, False) if as_html(text) == written else (written, True)
