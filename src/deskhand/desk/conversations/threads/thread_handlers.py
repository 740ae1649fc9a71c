"""What is done to threads that are there already, and to their attachments; snoozing. As the API's operations."""

from __future__ import annotations

from deskhand.catalogue import attachments as attachment_operations
from deskhand.catalogue import conversations as operations
from deskhand.catalogue import threads as thread_operations
from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.conversations import SnoozeConversation
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.threads import OriginalSource, ScheduleThread, ThreadStep
from deskhand.desk.call import Call, Created, Raw, implements
from deskhand.desk.conversations.threads import attaching, editing, sources
from deskhand.desk.conversations.timing import scheduling, snoozing
from deskhand.desk.conversations.writing import check_file


@implements(thread_operations.update_thread)
def update_thread(call: Call[NoQuery, ThreadStep]) -> None:
    editing.edit(call.tx, call.actor, call.path[0], call.path[1], call.body, call.now)


@implements(thread_operations.schedule_thread)
def schedule_thread(call: Call[NoQuery, ScheduleThread]) -> None:
    scheduling.schedule(call.tx, call.actor, call.path[0], call.path[1], call.body, call.now)


@implements(thread_operations.send_scheduled_thread)
def send_scheduled_thread(call: Call[NoQuery, ThreadStep]) -> None:
    scheduling.send_now(call.tx, call.actor, call.path[0], call.path[1], call.body, call.now)


@implements(thread_operations.unschedule_thread)
def unschedule_thread(call: Call[NoQuery, NoBody]) -> None:
    scheduling.unschedule(call.tx, call.actor, call.path[0], call.path[1], call.now)


@implements(thread_operations.get_original_source, slow=lambda query: True)
def get_original_source(call: Call[NoQuery, NoBody]) -> OriginalSource | Raw:
    mail = sources.original(call.tx, call.actor, call.blobs, call.path[0], call.path[1])
    return Raw(mail) if call.raw else OriginalSource(sources.as_text(mail))


def _file(body: NewAttachment) -> list[bytes]:
    check_file(body)
    return [body.data]


@implements(attachment_operations.add_attachment, files=_file)
def add_attachment(call: Call[NoQuery, NewAttachment]) -> Created:
    conversation_id, thread_id = call.path
    (blob,) = call.stored
    made = attaching.attach_file(call.tx, call.actor, conversation_id, thread_id, call.body, blob, call.now)
    return Created(made, f"/v2/conversations/{conversation_id}/attachments/{made}")


@implements(attachment_operations.delete_attachment)
def delete_attachment(call: Call[NoQuery, NoBody]) -> None:
    attaching.remove_file(call.tx, call.actor, call.path[0], call.path[1], call.now)


@implements(operations.snooze_conversation)
def snooze_conversation(call: Call[NoQuery, SnoozeConversation]) -> None:
    snoozing.snooze(call.tx, call.actor, call.path[0], call.body, call.now)


@implements(operations.unsnooze_conversation)
def unsnooze_conversation(call: Call[NoQuery, NoBody]) -> None:
    snoozing.unsnooze(call.tx, call.actor, call.path[0], call.now)
