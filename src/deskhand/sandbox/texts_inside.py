"""What stays inside or goes to the carrier: the AI helper's notes, forwarded mails, answers of the claims desk."""

from __future__ import annotations

HELPER_NOTES = (
    (
        "Summary: order {order}, {product}. Written on {asked}. [Tone: patient.|Tone: still friendly.|Tone: polite, "
        "with a draught.] Nothing has been promised so far.",
        "Detected: order number {order}, product {product}. [Language: clear.|Language: clear, with one joke.] "
        "Confidence: high, except for the joke.",
        "Earlier conversations about order {order}: none. I have not answered; [two answers are possible and I cannot "
        "tell which is kinder|a person should decide about the money].",
    ),
    (
        "Summary: question about the {product}, series {serial}. [Similar conversations were solved by sending a "
        "part.|I found no earlier conversation about it.] I have not answered; a person should look first.",
        "Series {serial} is on the list of the workshop, page {days}. The list says to ask before sending anything. I "
        "am not allowed to ask the workshop, they say.",
        "I compared this with the instructions, step 4 included. I now understand the customer.",
    ),
    (
        "Summary: {organization}, {city}, interested in {qty} {product}. First mail on {asked}. [Budget not "
        "mentioned.|Deadline mentioned twice.]",
        "Suggested tier for {qty} lamps: A or B. I would say A. I always say A, so please check.",
    ),
)
"""By inbox."""

FORWARDED = (
    "For the claims desk: our parcel {tracking} (order {order}) to {city} is overdue. Please trace it and tell us by "
    "{weekday}. The customer's mail is below.",
)

CARRIER_ANSWERS = (
    "Reference {serial}. Parcel {tracking} was located at the sorting centre, where it had been sorted very "
    "thoroughly. It will be delivered on {weekday}.",
    "Regarding {tracking}: the parcel could not be found. We regret this. A form is attached; please return it in "
    "three copies, one of them legible.",
)

TRIED = (
    "Bulb changed.\nOther socket tried.\nSwitched off and on again, twice, with feeling.",
    "Screw tightened.\nLamp still bows.",
    "Read the instructions.\nRead them again, upside down.",
    "Nothing yet.",
)
