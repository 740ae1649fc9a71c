"""Our own small set of icons, in the colour of the text around them: the files in `icons`, on a grid of 20 units."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from markupsafe import Markup

_FOLDER = Path(__file__).parent / "icons"
_SHAPE = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@lru_cache(maxsize=2048)
def icon(name: str, label: str = "", *, little: bool = False) -> Markup:
    """An icon by the name of its file; without a label it is only there for the eye."""
    spoken = Markup(' role="img" aria-label="{}"').format(label) if label else Markup(' aria-hidden="true"')
    return Markup('<svg class="icon{}" viewBox="0 0 20 20"{}>{}</svg>').format(
        " little" if little else "", spoken, _shapes()[name]
    )


@cache
def _shapes() -> dict[str, Markup]:
    found = ((path.stem, _SHAPE.search(path.read_text("utf-8"))) for path in sorted(_FOLDER.glob("*.svg")))
    return {name: Markup(shape[1]) for name, shape in found if shape}
