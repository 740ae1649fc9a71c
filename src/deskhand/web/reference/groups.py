"""The groups that operations fall into, one per resource: what people call them and what they are for."""

from __future__ import annotations

from dataclasses import dataclass

from deskhand.catalogue.operation import Resource


@dataclass(frozen=True)
class Group:
    """A resource as the pages show it; `key` stands in addresses."""

    key: str
    title: str
    note: str
    care: str = ""


_NOTES: dict[str, tuple[str, str]] = {
    "conversations": (
        "List, read, start, change and delete conversations; tags, custom fields, snoozing.",
        "Deleting one removes what the customer wrote, for good.",
    ),
    "threads": (
        "Everything said in a conversation: replies, notes, chats, phone calls, drafts.",
        "A published reply leaves as an e-mail to the customer.",
    ),
    "attachments": ("Files that came with a thread, or that you add to one.", ""),
    "customers": (
        "The people who write in, and every way to reach them.",
        "They are real people: deleting one takes their conversations along.",
    ),
    "organizations": ("Whom customers belong to, with properties of your own.", ""),
    "inboxes": ("The shared addresses people write to, with their fields, folders and routing.", ""),
    "saved replies": ("Texts the team answers with again and again.", ""),
    "users": ("The people of the support team, who is here and who is away.", ""),
    "teams": ("Groups of users that conversations can be assigned to.", ""),
    "tags": ("The words conversations are marked with; they are made by tagging.", ""),
    "workflows": (
        "What the team does with conversations again and again.",
        "Running one applies its actions to every conversation you name.",
    ),
    "ratings": ("What customers thought of a reply.", ""),
    "reports": ("Numbers about a span of time, compared with the one before.", ""),
    "webhooks": (
        "Addresses that are told when something happens.",
        "A new one starts sending the account's data to its address at once.",
    ),
}


def group(resource: Resource) -> Group:
    """How a resource is presented."""
    note, care = _NOTES.get(resource.value, ("", ""))
    return Group(resource.value.replace(" ", "-"), resource.value[0].upper() + resource.value[1:], note, care)
