"""The long conversations: a hotel is fitted out, room by room, by e-mail. `{room}` changes with each pair of mails."""

from __future__ import annotations

SUBJECT = "Lamps for {organization}: the whole house"

FIRST = (
    "As discussed, we would like to fit out the whole of {organization} with your lamps, room by room. I will write "
    "one mail per question, and always in this conversation, so that nothing gets lost. [It may become a long one.|My "
    "apologies in advance.]\nWe start with room {room}: {qty} {product}, please, in chalk white."
)

ASKS = (
    "Room {room}: the architect now wants {qty} {product} instead of the {product2}. [He says it is final.|I have "
    "asked whether it is final. He smiled.] Can that still be changed?",
    "In room {room} the socket is [behind the wardrobe|where the bed is going to be|in the next room]. Is there a "
    "longer cable for the {product}?",
    "The lamps for room {room} have arrived, all {qty} of them, and all in one piece. [The porter took one to his "
    "lodge and calls it a test.|]",
    "Which bulb belongs into the {product} of room {room}? The electrician has put in something that [can be seen "
    "from the ferry|browns toast].",
    "Could room {room} be delivered on {weekday}? The carpet comes first, and the carpet is late.",
    "In room {room} one {part} is missing. [The carpenter denies everything.|It may be under the new floor.]",
    "May we have a price for {qty} more {product}, for the corridor by room {room}?",
    "Room {room} has a sloping ceiling, which nobody mentioned. Does the {lamp} come in shorter?",
    "The inspector was in room {room} and asks for the test certificate of the {product}. He has a moustache and "
    "means it.",
    "Guests in room {room} have asked whether one can buy the {product} at the reception. Can one?",
    "In room {room} the {product} and the wallpaper are the same green. The lamp has vanished. Another colour, "
    "perhaps?",
    "Room {room} is finished. [It looks like the drawing, only warmer.|Photo attached, the feet in it are mine.]",
)

ANSWERS = (
    "Noted: room {room} gets {qty} {product}. I have changed the list and sent it to the workshop; the delivery date "
    "stays.",
    "There is a cable of four metres for the {product}. I am adding one for room {room}, at no cost, since it is not "
    "the lamp's fault.",
    "I am glad about room {room}. Please tell the porter that tests longer than a week need a form.",
    "For room {room}: E27, 6 watts, 2700 kelvin, please. I am sending {qty} of them, so that nobody has to improvise.",
    "{weekday} works for room {room}. The driver will ring half an hour before; the {qty} boxes fit into the lift two "
    "at a time.",
    "A new {part} for room {room} goes out today as a letter. No need to lift the floor.",
    "For {qty} more {product} I can offer {amount} net. They would come with the delivery for room {room}.",
    "The {product} can be shortened by a hand's breadth, we do that here. Could you measure room {room} at its lowest "
    "point?",
    "The certificate for room {room} is on its way by separate mail, signed, stamped, and in duplicate.",
    "Yes: I am putting five {product} into the next delivery, on commission. Reception keeps a fifth of the price.",
    "We would take oxblood for room {room}, against that green. Shall I send a shade for trying it out?",
    "Splendid. Room {room} is ticked off on our wall. There is a wall.",
)

NOTES = (
    "Running list, room {room}: {qty} {product} ordered, all on the big sheet. {other} has the sheet.",
    "This conversation is getting long enough for chapter headings. Please keep writing here all the same, they like "
    "it.",
    "Workshop asks whether room {room} comes before or after the theatre. After.",
)
