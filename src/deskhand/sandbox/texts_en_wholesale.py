"""What shops, cafés and hotels write to the Wholesale inbox in English, and what they are offered."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Scenario

_AGAIN = (
    "[Hello from us|It is us] again. The {product} lamps of our last order are [selling faster than we can hang "
    "them|the only thing our guests ever photograph]. Could we have {qty} more, at the same conditions?",
    "A follow-up to order {order}: the tax people have asked for the delivery notes of all {qty} lamps. Do you still "
    "have them? [We had them. We also had a leak.|]",
    "One more thing about our last order: one of the {qty} {product} lamps came with {days} scratches. [We have "
    "counted.|] We would keep it for a small discount.",
)

WHOLESALE = (
    Scenario(
        key="price list",
        inbox=2,
        tags=("wholesale", "price list"),
        subjects=(
            "Wholesale price list, please",
            "{organization}: prices for the {product}",
            "Prices for [shops|resellers]",
        ),
        opening=(
            "We are {organization} in {city} and would like to sell your lamps. Could you send us your current price "
            "list for resellers, and tell us how small a first order may be? [Our shop is small, our window is "
            "large.|]",
            "For the new season we are looking for lamps that do not look like [cutlery|drones]. The {product} has "
            "been voted in by [the whole team|everybody but the boss]. What does it cost from {qty} pieces?",
            "A customer of ours came in with a photo of a {lamp} and a very determined look. We do not stock it, but "
            "would like to. Please send conditions to {organization}, {street}, {city}.",
        ),
        ask=(
            "Thank you for asking, we would be glad to be in your window. To send the right list I need to know:\n- "
            "your VAT number,\n- whether you sell in a shop, online or both,\n- roughly how many lamps a month you "
            "have in mind.",
            "How nice. May I ask how you found us, and whether you are after the floor lamps only or the whole "
            "family? The lists differ.",
        ),
        info=(
            "Shop only, about {qty} lamps a month, more in autumn. The VAT number follows [in the next line of this "
            "mail, as soon as I find it|separately; it is in the other drawer].",
            "The whole family, please. We found you in the window of a competitor, if that is not rude.",
        ),
        fix=(
            "Here is our price list, valid until {later}. In short: 30 % from 10 lamps, 38 % from 40, and delivery is "
            "free from {amount}. A first order may be as small as six; [we were small once|six is company].",
            "The list is attached. For {qty} {product} lamps I can offer {amount} net, payable in 30 days. The offer "
            "stands until {later}.",
        ),
        notes=(
            "Looks serious: real shop, nice window, found the photos on their page. Tier B to start with.",
            "{other}, they are eleven streets from another stockist in {city}. Fine with you?",
        ),
        calls=("{full} from {organization} asked for the wholesale list. Sent. Wants to start with {qty} {product}.",),
        again=_AGAIN,
        sent="prices",
    ),
    Scenario(
        key="bulk quote",
        inbox=2,
        tags=("wholesale", "quote"),
        subjects=(
            "{qty} lamps for {organization}",
            "Quote: {qty} x {product}",
            "{organization}: new reading lamps",
            "Lamps for a new [café|house]",
        ),
        opening=(
            "We are opening a second [café|house] in {city} and need {qty} {product} lamps, all in the same colour, "
            "by {later}. [The architect says the date is fixed. So did the last architect.|] Can you do that, and at "
            "what price?",
            "Please quote for {qty} {lamp}s and {days} {lamp2}s, delivered to {street}, {city}. [We have a goods "
            "lift, it works on most days.|There are stairs, and a very strong nephew.]",
            "{organization} would like to replace all reading lamps. That makes {qty} of the {product}. The old ones "
            "date from a time when [brown|everything brown] was optimistic.",
        ),
        ask=(
            "That is a lovely order. Before I calculate: which colour, which plug, and may we deliver in two lots? "
            "The first {days} could be with you three weeks earlier.",
            "We can do that. Could you let me know whether there are sockets in the floor? If not, the cables need to "
            "be longer, and we cut them before, not after.",
        ),
        info=(
            "All in chalk white, two lots are fine, plugs as in {city}. [The architect has measured it twice, with "
            "two results.|]",
            "No sockets in the floor, one behind each column. Moss green, in one lot if you can. We have a dry cellar.",
        ),
        fix=(
            "Here is the quote: {qty} {product}, {amount} net in all, delivered to {city} by {later}. One more on top "
            "as a spare, because the last lamp always meets a ladder.",
            "I can offer {amount} for the lot, half with the order and half on delivery. If you confirm by {weekday}, "
            "the workshop starts the morning after, and you are ahead of a theatre.",
        ),
        notes=(
            "Workshop can do {qty} by {later} if nobody falls ill. I promised it with a week to spare.",
            "Margin is thin with two lots. Fine for a first order, {other}?",
        ),
        calls=(
            "{full}, {organization}: {qty} {product} for a new room. Wants a quote by {weekday}. Budget not mentioned.",
        ),
        again=_AGAIN,
        sent="prices",
    ),
    Scenario(
        key="samples",
        inbox=2,
        tags=("wholesale", "samples"),
        subjects=(
            "[Sample of the {product}?|May we borrow a lamp?]",
            "Colour samples",
        ),
        opening=(
            "Before we order {qty} of them, could we have one {product} as a sample? We would return it, "
            "[reluctantly|in the state in which we received it].",
            "Do you have colour samples of your shades? On our three screens the green is [three greens|grey, teal "
            "and a matter of opinion].",
        ),
        ask=("Of course. To which address may it go, and is there somebody in on {weekday}?",),
        info=("To {organization}, {street}, {city}. There is always somebody, we sell bread.",),
        fix=(
            "A {lamp} is on its way, number {tracking}. Keep it for three weeks, show it around, hang it over the "
            "till. If you order, it becomes the first of the {qty}.",
            "The colour fan is in the mail. Please look at it in the evening: that is when our lamps are on duty.",
        ),
        notes=("Sample {product} out to {organization}, back by {later}. On the list next to the door.",),
        again=_AGAIN,
    ),
    Scenario(
        key="payment terms",
        inbox=2,
        tags=("wholesale", "invoice"),
        subjects=(
            "Reminder received, money sent",
            "30 days or 45?",
            "Invoice {invoice}: payment",
        ),
        opening=(
            "We have received a reminder for invoice {invoice}, {amount}. According to our bank it was paid on "
            "{date}. [The two amounts differ by a cent, perhaps that is the riddle.|Could you check on your side?]",
            "Our usual terms are 45 days, your invoice {invoice} says 30. Would you meet us at [37 and a half|45, "
            "from the next order on]?",
        ),
        ask=(
            'Let me look. Which reference did you put on the transfer? I find {amount} from somebody called "lamps".',
            "45 days is what our bank calls brave. Would it be for all orders, or only for those above {amount}?",
        ),
        info=(
            "That was us. Our system allows one word, and somebody chose that one.",
            "For all of them. [We are brave, too.|It is simpler that way.]",
        ),
        fix=(
            'Found it, thank you. Invoice {invoice} is settled, the reminder is void, and "lamps" is now on our list '
            "of known customers.",
            "45 days it is, from the next order on. I have noted it in your account so that nobody has to negotiate "
            "twice.",
        ),
        notes=("{other} in accounts: {amount} of {date} belongs to {invoice}. Please move it.",),
        calls=("{full} called about the reminder for {invoice}. Paid on {date}, wrong reference. Matched.",),
        again=_AGAIN,
        sent="invoice",
    ),
)
