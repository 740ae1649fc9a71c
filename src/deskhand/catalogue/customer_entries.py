"""The ways to reach a customer: e-mail addresses, phones, chats, social profiles, websites and the postal address."""

from __future__ import annotations

from typing import TypeVar

from deskhand.catalogue import events
from deskhand.catalogue.customers import (
    IN_USE,
    LOCKED,
    PATH,
    LinkedAddress,
    LinkedEntry,
    LinkedWebsite,
    NewAddress,
    NewChat,
    NewEmail,
    NewPhone,
    NewSocialProfile,
    NewWebsite,
    SocialProfiles,
)
from deskhand.catalogue.needs import by_customer
from deskhand.catalogue.operation import HS, Action, Created, ListOf, NoContent, NoQuery, One, Operation, Resource
from deskhand.catalogue.values import Shape

B = TypeVar("B", bound=Shape)

_PAGES = {"chats": "chat_handles", "social-profiles": "social_profiles"}
"""The names of collections in the addresses of public pages, where they differ from paths."""

list_customer_emails = Operation(
    name="list_customer_emails", method="GET", path=PATH + "/emails",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer,
    returns=ListOf("emails", LinkedEntry, paged=False),
    phrase="list the e-mail addresses of customer {customer_id}",
    summary="A customer's e-mail addresses.",
    source=HS + "customers/emails/list",
)  # fmt: skip

list_customer_phones = Operation(
    name="list_customer_phones", method="GET", path=PATH + "/phones",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer,
    returns=ListOf("phones", LinkedEntry, paged=False),
    phrase="list the phones of customer {customer_id}",
    summary="A customer's phone numbers.",
    source=HS + "customers/phones/list",
)  # fmt: skip

list_customer_chats = Operation(
    name="list_customer_chats", method="GET", path=PATH + "/chats",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer,
    returns=ListOf("chats", LinkedEntry, paged=False),
    phrase="list the chat handles of customer {customer_id}",
    summary="A customer's chat handles.",
    source=HS + "customers/chat_handles/list",
)  # fmt: skip

list_customer_social_profiles = Operation(
    name="list_customer_social_profiles", method="GET", path=PATH + "/social-profiles",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer, returns=One(SocialProfiles),
    phrase="list the social profiles of customer {customer_id}",
    summary="A customer's social profiles.",
    source=HS + "customers/social_profiles/list",
)  # fmt: skip

list_customer_websites = Operation(
    name="list_customer_websites", method="GET", path=PATH + "/websites",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer,
    returns=ListOf("websites", LinkedWebsite, paged=False),
    phrase="list the websites of customer {customer_id}",
    summary="A customer's websites.",
    source=HS + "customers/websites/list",
)  # fmt: skip

get_customer_address = Operation(
    name="get_customer_address", method="GET", path=PATH + "/address",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer, returns=One(LinkedAddress),
    phrase="read the address of customer {customer_id}",
    summary="A customer's postal address.",
    source=HS + "customers/address/get", errors=((404, "the customer has no address"),),
)  # fmt: skip


def _page(collection: str, verb: str) -> str:
    """The public page about an operation on entries."""
    return f"{HS}customers/{_PAGES.get(collection, collection)}/{verb}"


def _a(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def _get_entry(kind: str, collection: str, words: str, shape: type[Shape]) -> Operation:
    """Reading one entry, which the original has no call for: the `self` links of the lists lead here."""
    return Operation(
        name=f"get_customer_{kind}", method="GET", path=f"{PATH}/{collection}/{{entry_id}}",
        resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer, returns=One(shape),
        phrase=f"read {words} {{entry_id}} of customer {{customer_id}}",
        summary=f"A single {words} of a customer.",
        source=_page(collection, "list"),
    )  # fmt: skip


get_customer_email = _get_entry("email", "emails", "e-mail address", LinkedEntry)
get_customer_phone = _get_entry("phone", "phones", "phone number", LinkedEntry)
get_customer_chat = _get_entry("chat", "chats", "chat handle", LinkedEntry)
get_customer_social_profile = _get_entry("social_profile", "social-profiles", "social profile", LinkedEntry)
get_customer_website = _get_entry("website", "websites", "website", LinkedWebsite)


def _add_entry(kind: str, collection: str, words: str, body: type[B]) -> Operation[NoQuery, B]:
    return Operation(
        name=f"add_customer_{kind}", method="POST", path=f"{PATH}/{collection}",
        resource=Resource.CUSTOMERS, action=Action.WRITE, needs=by_customer, body=body, returns=Created(),
        phrase=f"add {_a(words)} to customer {{customer_id}}",
        summary=f"Add {_a(words)} to a customer.",
        source=_page(collection, "create"), errors=_conflicts(kind), emits=(events.CUSTOMER_UPDATED,),
    )  # fmt: skip


def _update_entry(kind: str, collection: str, words: str, body: type[B]) -> Operation[NoQuery, B]:
    return Operation(
        name=f"update_customer_{kind}", method="PUT", path=f"{PATH}/{collection}/{{entry_id}}",
        resource=Resource.CUSTOMERS, action=Action.WRITE, needs=by_customer, body=body, returns=NoContent(),
        phrase=f"change {words} {{entry_id}} of customer {{customer_id}}",
        summary=f"Change {_a(words)} of a customer.",
        source=_page(collection, "update"), errors=_conflicts(kind), emits=(events.CUSTOMER_UPDATED,),
    )  # fmt: skip


def _delete_entry(kind: str, collection: str, words: str) -> Operation:
    return Operation(
        name=f"delete_customer_{kind}", method="DELETE", path=f"{PATH}/{collection}/{{entry_id}}",
        resource=Resource.CUSTOMERS, action=Action.DELETE, needs=by_customer, returns=NoContent(),
        phrase=f"delete {words} {{entry_id}} of customer {{customer_id}}",
        summary=f"Remove {_a(words)} from a customer.",
        source=_page(collection, "delete"), errors=(LOCKED,), emits=(events.CUSTOMER_UPDATED,),
    )  # fmt: skip


def _conflicts(kind: str) -> tuple[tuple[int, str], ...]:
    return (IN_USE, LOCKED) if kind == "email" else (LOCKED,)


add_customer_email = _add_entry("email", "emails", "e-mail address", NewEmail)
add_customer_phone = _add_entry("phone", "phones", "phone number", NewPhone)
add_customer_chat = _add_entry("chat", "chats", "chat handle", NewChat)
add_customer_social_profile = _add_entry("social_profile", "social-profiles", "social profile", NewSocialProfile)
add_customer_website = _add_entry("website", "websites", "website", NewWebsite)

update_customer_email = _update_entry("email", "emails", "e-mail address", NewEmail)
update_customer_phone = _update_entry("phone", "phones", "phone number", NewPhone)
update_customer_chat = _update_entry("chat", "chats", "chat handle", NewChat)
update_customer_social_profile = _update_entry("social_profile", "social-profiles", "social profile", NewSocialProfile)
update_customer_website = _update_entry("website", "websites", "website", NewWebsite)

delete_customer_email = _delete_entry("email", "emails", "e-mail address")
delete_customer_phone = _delete_entry("phone", "phones", "phone number")
delete_customer_chat = _delete_entry("chat", "chats", "chat handle")
delete_customer_social_profile = _delete_entry("social_profile", "social-profiles", "social profile")
delete_customer_website = _delete_entry("website", "websites", "website")

create_customer_address = Operation(
    name="create_customer_address", method="POST", path=PATH + "/address",
    resource=Resource.CUSTOMERS, action=Action.WRITE, needs=by_customer, body=NewAddress, returns=Created(),
    phrase="set the address of customer {customer_id}",
    summary="Give a customer a postal address; one that there is gives way.",
    source=HS + "customers/address/create", errors=(LOCKED,), emits=(events.CUSTOMER_UPDATED,),
)  # fmt: skip

update_customer_address = Operation(
    name="update_customer_address", method="PUT", path=PATH + "/address",
    resource=Resource.CUSTOMERS, action=Action.WRITE, needs=by_customer, body=NewAddress, returns=NoContent(),
    phrase="change the address of customer {customer_id}",
    summary="Replace a customer's postal address.",
    source=HS + "customers/address/update", errors=(LOCKED,), emits=(events.CUSTOMER_UPDATED,),
)  # fmt: skip

delete_customer_address = Operation(
    name="delete_customer_address", method="DELETE", path=PATH + "/address",
    resource=Resource.CUSTOMERS, action=Action.DELETE, needs=by_customer, returns=NoContent(),
    phrase="delete the address of customer {customer_id}",
    summary="Remove a customer's postal address.",
    source=HS + "customers/address/delete", errors=(LOCKED,), emits=(events.CUSTOMER_UPDATED,),
)  # fmt: skip

OPERATIONS = (
    list_customer_emails, add_customer_email, get_customer_email, update_customer_email, delete_customer_email,
    list_customer_phones, add_customer_phone, get_customer_phone, update_customer_phone, delete_customer_phone,
    list_customer_chats, add_customer_chat, get_customer_chat, update_customer_chat, delete_customer_chat,
    list_customer_social_profiles, add_customer_social_profile, get_customer_social_profile,
    update_customer_social_profile, delete_customer_social_profile,
    list_customer_websites, add_customer_website, get_customer_website, update_customer_website,
    delete_customer_website,
    get_customer_address, create_customer_address, update_customer_address, delete_customer_address,
)  # fmt: skip
