"""Scripts and stylesheets as they are served."""

from __future__ import annotations

import re

from deskhand.web import assets
from tests.web.modules import BEHAVIOURS, MODULES

TEMPLATES = assets.FOLDER.parent / "templates"
CALLED = re.compile(r"parts\.modules\(([^)]*)\)")


def test_every_module_is_loaded_by_some_page() -> None:
    assert len(BEHAVIOURS) > 25
    named = [
        name
        for path in TEMPLATES.rglob("*.html")
        for names in CALLED.findall(path.read_text())
        for name in re.findall(r'"(\w+)"', names)
    ]
    waiting, loaded = ["app.js", "reference.js", *(f"{name}.js" for name in named)], set[str]()
    while waiting:
        if (name := waiting.pop()) not in loaded:
            loaded.add(name)
            waiting += re.findall(r"""^import .*?"\./([^"]+)";$""", MODULES[name], re.MULTILINE)
    assert loaded == set(MODULES)


def test_comments_and_indents_do_not_travel_and_nothing_else_is_lost() -> None:
    for name, text in MODULES.items():
        lines = [line.strip() for line in text.splitlines()]
        kept = [line for line in lines if line and not line.startswith("//")]
        assert assets.served(name).plain.decode().strip().splitlines() == kept
    styles = assets.served(assets.STYLESHEET).plain.decode()
    assert "/*" not in styles
    assert styles.count("{") == styles.count("}") > 500
