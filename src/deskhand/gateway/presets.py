"""Presets: grants that fit the usual kinds of agent, to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, Literal

from deskhand.catalogue.operation import Resource
from deskhand.catalogue.problems import invalid, shown
from deskhand.gateway.policy import WITHOUT_INBOXES

Inboxes = Literal["all"] | Sequence[int]

_READ = {
    one.key: "read" for one in Resource if one not in (Resource.ATTACHMENTS, Resource.WEBHOOKS)
}  # fmt: skip
_STATUS_AND_OWNER = {"setting": "allow", "limits": {"patch_paths": ["/assignTo", "/status"]}}
_REWRITING = {"update_thread": "hold"}  # of what customers and colleagues said
_TRIAGE = {
    "reply_to_conversation": "off",
    "set_conversation_tags": "allow",
    "update_conversation": _STATUS_AND_OWNER,
    **_REWRITING,
}

PRESETS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "reader": (_READ, {}),
    "drafter": (
        _READ | {"threads": "write"},
        {"reply_to_conversation": "draft", "set_conversation_tags": "hold", **_REWRITING},
    ),
    "triage": (_READ | {"threads": "write"}, _TRIAGE),
    "closer": (_READ | {"threads": "write"}, _TRIAGE | {"reply_to_conversation": "allow"}),
    # The report of single ratings repeats what customers wrote.
    "analyst": ({"reports": "read", "tags": "read"}, {"get_happiness_ratings_report": "off"}),
}
"""Levels and settings of each preset, by its name."""


def preset(name: str, inboxes: Inboxes = "all") -> dict[str, Any]:
    """A preset as grants in JSON, on some inboxes or on all; raises BadRequest for a name that there is not."""
    if name not in PRESETS:
        near = get_close_matches(name[:100], PRESETS, 1)
        text = f"Expected one of these: {', '.join(PRESETS)}{f'; did you mean {near[0]}?' if near else ''}"
        raise invalid("preset", text, "EnumValue", shown(name))
    levels, actions = PRESETS[name]
    scope = inboxes if inboxes == "all" else list(inboxes)
    everywhere = {one.key for one in WITHOUT_INBOXES}
    resources = {
        key: {"level": level, "inboxes": "all" if key in everywhere else scope} for key, level in levels.items()
    }
    return {"resources": resources, "actions": deepcopy(actions), "limits": {}, "expires_at": None}


def all_presets() -> dict[str, dict[str, Any]]:
    """All presets as grants in JSON, by their names."""
    return {name: preset(name) for name in PRESETS}
