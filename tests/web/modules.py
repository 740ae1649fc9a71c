"""What the desk's own scripts say of themselves."""

from __future__ import annotations

import re

from deskhand.web import assets

MODULES = {path.name: path.read_text() for path in sorted(assets.FOLDER.glob("*.js"))}
BEHAVIOURS = [
    (one or other, name)
    for name, text in MODULES.items()
    for one, other in re.findall(r"""^behave\((?:"([^"]+)"|'([^']+)'), """, text, re.MULTILINE)
]
"""Which elements get their behaviour from which module."""
