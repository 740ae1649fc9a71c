"""What customers write to the Orders inbox in English, and what they are told."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Scenario

ORDERS = (
    Scenario(
        key="late parcel",
        inbox=0,
        tags=("late parcel",),
        subjects=(
            "[Where is|Any news of] order {order}?",
            "Order {order} has not arrived",
            "Which neighbour has my parcel?",
            "Parcel {tracking}: unknown to {carrier}",
            "My {product} is still travelling",
            "Order {order}: delivery was promised for {weekday}",
        ),
        opening=(
            "I ordered a {lamp} on {date} (order {order}) and it was due [last week|on {weekday}|some days ago]. The "
            'tracking page has said ["in transit"|"being sorted"|"on its way"] ever since, which is '
            "[technically|probably] true but not very helpful.\nCould you find out where it is?",
            "[Just a short question|A quick one]: has order {order} left your warehouse? I got the confirmation on "
            "{date} and nothing since. [The lamp is a birthday present, and the birthday is on {weekday}.|I am not in "
            "a hurry, but the evenings are.|We have been reading by the light of the fridge.]",
            'According to {carrier} my parcel {tracking} was "left with a neighbour". I have asked [both|all four] '
            "neighbours and [none of them owns|none of them admits to owning] a new {product}.\nWhat do we do now?",
            "Order {order}, placed on {date}, one {lamp}, address {street}, {city}. Your shop says "
            "[shipped|dispatched], {carrier} says it [knows nothing of|has never heard of] the number {tracking}. One "
            "of you is mistaken and I have no favourite. [Please let me know.|Could you ask them?]",
        ),
        ask=(
            "Thank you for writing, and I am sorry about the wait. Before I open a search with {carrier}, may I check "
            "two things:\n- Is the address still {street}, {city}?\n- Has a card been left in your letterbox, even [a "
            "soggy|an unreadable] one?\nAs soon as I know, I will [start the search|get them moving].",
            "I am sorry, that is not the delivery we promised. {carrier} tells me a driver tried on {weekday} and "
            "found nobody in. Is there [a neighbour you trust|a safe place, a shed or a porch,] where the parcel may "
            "be left next time?",
        ),
        info=(
            "[Yes, {street} is right. No card, no note, no parcel.|No card, and I was at home all day, waiting for "
            "precisely this. {street} is still where I live.|The address is right, and the bell works: I have just "
            "walked down to try it.]",
            "[A safe place would be the shed behind the house; the door sticks, one has to mean it.|Please leave it "
            "with the bakery next door, they take everything.|My neighbour on the ground floor is always in. She is "
            "ninety-one and signs for the whole street.]",
        ),
        fix=(
            "Good news: {carrier} has found your parcel [in the wrong van|at the depot of the next town|behind a "
            "pallet of cat litter]. It goes out again on {weekday}; the new number is {tracking}.\nI have taken the "
            "delivery charge off your order, because you paid for a delivery and were given [suspense|a story] "
            "instead.",
            "The search came back empty, so we treat the parcel as lost. A new {lamp} leaves us today by express, "
            "number {tracking}. If the first one should turn up after all, simply refuse it at the door and it will "
            "find its own way home.",
            "I have spoken to the depot. The address label had come off; the parcel has a new one now and they "
            "promise {weekday}. I will look at the tracking myself that morning and write to you if it moves in the "
            "wrong direction.",
        ),
        notes=(
            "Depot says the last scan was on {date}. [Third one on this route within two weeks.|Claim opened, "
            "reference to follow.|I am collecting these for the next meeting with {carrier}.]",
            "Replacement is booked, the claim with {carrier} is not filed yet. {other}, could you do that today?",
        ),
        calls=(
            '{full} called about order {order}. Tracking has not moved since {date}. Friendly, but the word "again" '
            "came up twice. I promised an answer by {weekday}.",
        ),
    ),
    Scenario(
        key="wrong item",
        inbox=0,
        tags=("wrong item", "return"),
        subjects=(
            "Wrong lamp in the parcel (order {order})",
            "Wrong colour delivered",
            "One lamp ordered, {days} received",
            "[I ordered a {product} and received a {product2}|Order {order}: nice lamp, not mine]",
        ),
        opening=(
            "The parcel of order {order} came today, thank you. Inside was a {lamp2}. It is [a fine lamp|very "
            "pretty], but I ordered a {lamp}, and [the two will not be confused in my living room|somebody else is "
            "surely looking for it by now].\nHow do we swap them?",
            "I ordered the {product} in [moss green|oxblood|chalk white] and you sent [mustard|black|something "
            "between beige and regret]. The delivery note in the box [even says the right colour|has somebody else's "
            "name on it].\nOrder number {order}. [A photo is attached.|]",
            "[Short version|In brief]: one {lamp} ordered, {days} {product2} received. I feel rich, but I have only "
            "one table. Order {order}, delivered on {date}.",
        ),
        ask=(
            "Thank you for telling us, and for taking it so well. Two lamps were packed on the same bench that "
            "morning and evidently changed places.\nSo that we send the right one this time:\n- What is the number on "
            "the [small sticker|label] at the bottom of the box?\n- Is {street}, {city} a good address for the "
            "collection?",
            "Oh dear. I am sorry. Could you send me a photo of the label on the box? Then I know who received yours, "
            "and can make two people happy with one van.",
        ),
        info=(
            "The sticker says {serial}. Collection at {street} is fine, [mornings are best|any day but {weekday}].",
            "Number {serial}, photo attached. I have put the lamp back into its box, [it went in at the fourth "
            "attempt|which is a puzzle of its own].",
        ),
        fix=(
            "The right {lamp} leaves us today, tracking number {tracking}. {carrier} collects the other one at your "
            "door on {weekday}; you need neither print nor pay anything. Hand it over in any box that closes.",
            "Your {product} is on its way (number {tracking}). Please keep the stranger until the driver comes on "
            "{weekday}. Should you have grown fond of it by then, tell me: you may keep it at half the price.",
        ),
        notes=(
            "Swapped with the order packed just before it. [Other customer told us as well, both vans are booked.|The "
            "other customer has not noticed yet; I have written to them.]",
            "{other}: the green and the moss sleeves are still next to each other on shelf 4. Can we please part them?",
        ),
        calls=(
            "{full} rang: a {product2} came instead of a {product} (order {order}). Wants the right one before "
            "{weekday}, there are guests. Collection at {street}, {city}.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="refund",
        inbox=0,
        tags=("refund",),
        subjects=(
            "Sending the {product} back",
            "When does my money arrive?",
            "Return of my {product}",
            "Return of order {order}",
            "Refund of {amount} for order {order}",
        ),
        opening=(
            "I would like to send the {product} from order {order} back. There is nothing wrong with it. It is "
            "[simply too tall for the niche it was meant for|exactly the colour of the wall and now invisible|a "
            "little too bright for a person of my age].\nHow do I return it, and how long does the refund take?",
            "You received my return of order {order} on {date}, at least that is what {carrier} says. The {amount} "
            "have not reached my account yet. [Could you have a look?|I am sure it is only stuck somewhere.]",
            "My [partner|sister|flatmate] and I each ordered a {product}, in secret, for each other. Romantic, but "
            "now we own two. May I return one of them? It is order {order}, unopened.",
        ),
        ask=(
            "Of course. Returns are free for 60 days. Tell me only how you paid, [by card or by transfer|card or bank "
            "transfer], and whether you still have the box, and I will send the right label.",
            "I have looked it up: the parcel arrived with us, but the return form inside was [blank|empty, apart from "
            "a very nice drawing of a snail]. Was it order {order}, and should the money go back to the card you used?",
        ),
        info=(
            "Paid by card. The box exists, [the cat has moved in|minus one flap].",
            "Yes, order {order}, and to the same card, please. [The snail was my daughter's.|]",
        ),
        fix=(
            "Here is how it goes:\n- Put the lamp into any box of the right size.\n- Stick on the label that we have "
            "just mailed you.\n- Leave it at any {carrier} counter before {later}.\nThe {amount} follow on the day it "
            "is scanned, not on the day it reaches us.",
            "Your refund of {amount} went out this morning. Banks take two to five working days to believe it. [The "
            "return label is no longer needed.|You will get a separate mail with the receipt.]",
            "Of course you may, one of each is enough for anybody. The label is in a separate mail; leave the box at "
            "any {carrier} counter before {later}, and {amount} come back to you, delivery included. Whose lamp stays "
            "is for you two to settle.",
        ),
        notes=(
            "Refund of {amount} released. {payer}, first return, no reason to dig.",
            "Return arrived without paperwork, shelf R2. Checked: lamp complete, bulb missing, not worth a letter.",
        ),
        calls=("{full} asked when the {amount} for order {order} will arrive. Told them: by {weekday} at the latest.",),
    ),
    Scenario(
        key="change of address",
        inbox=0,
        tags=("address change",),
        subjects=(
            "We are moving: new address",
            "Change of address for order {order}",
            "Please deliver {order} somewhere else",
        ),
        opening=(
            "We move house on {weekday}, and order {order} has of course picked the same day. Could it go to the new "
            "address?\n{full}\n+ {street}\n+ {city}\nThe old flat has [no floor|no letterbox] any more, so a driver "
            "would be lonely there.",
            "I have [typed my old address out of habit|let the browser fill in an address from two flats ago]. Please "
            "send order {order} to {street}, {city}. Everything else stays as it is, [including my "
            "absent-mindedness|I hope].",
            "Is it still possible to have order {order} ([one|a] {lamp}) delivered to my office? At home nobody is in "
            "until seven, and the neighbour and I are [not speaking at the moment|in a dispute about a hedge].\nThe "
            "office: {street}, {city}.",
        ),
        ask=(
            "Happily. The parcel has not been packed yet. Shall I change the billing address as well, or only where "
            "the lamp goes?",
            "Almost too late, but not quite: it leaves tonight. Is there a floor or a name on the bell that the "
            "driver should look for?",
        ),
        info=(
            "Only the delivery, please. The invoice may stay where it was.",
            "Second floor, the bell says [{last}|nothing at all yet, please knock].",
        ),
        fix=(
            "It is changed: order {order} goes to {street}, {city}, and should be there on {weekday}. The number is "
            "{tracking}. [I hope there are enough sockets.|]",
            "The new address is on the parcel and in your account, so the next lamp will know it too.",
        ),
        notes=("Address corrected in the shop as well as on the label. Old one is archived, not deleted.",),
        calls=(
            "{full} is moving, order {order} should go to {street}, {city}. Changed while we were still on the line.",
        ),
    ),
    Scenario(
        key="invoice copy",
        inbox=0,
        tags=("invoice",),
        subjects=(
            "Copy of invoice {invoice}",
            "Our accounts department would like a word (invoice)",
            "Invoices of this year",
            "Invoice for order {order}",
        ),
        opening=(
            "Could I have a copy of the invoice for order {order}, {amount}? Mine has [disappeared into a tidy-up|met "
            "a cup of tea], and the tax office does not accept memories.",
            "We need invoice {invoice} once more, made out to {organization}, with the VAT number on it. [Our "
            "accountant is strict but fair.|A PDF is enough.]",
            "I am doing my taxes, which is why I am [writing to a lamp shop at this hour|in this mood]. Please send "
            "me all invoices of this year. I believe there are two, {invoice} and one from [spring|March].",
        ),
        ask=(
            "I can see two orders under your address. Do you need the one over {amount} only, or both?",
            "With pleasure. Which name and VAT number should be on it? At the moment it is made out to you personally.",
        ),
        info=(
            "Both, if it is no trouble. [Better one too many than one call too many.|]",
            "To {payer}, please, {street}, {city}. The rest can stay as it is.",
        ),
        fix=(
            "Here is invoice {invoice} as a PDF, with everything the tax office likes to see. You will also find it "
            "in your account, under Orders.",
            "Attached is the corrected invoice {invoice} over {amount}. The first one is cancelled; please file it "
            "under [history|kindling].",
        ),
        notes=(
            "{other}, the VAT number was missing on the original, I have issued {invoice} anew. Please tick it off.",
        ),
        calls=("{full} needs invoice {invoice} again, by mail. Spelling of the name checked twice.",),
        sent="invoice",
    ),
    Scenario(
        key="damaged parcel",
        inbox=0,
        tags=("damaged", "replacement"),
        subjects=(
            "Order {order} arrived broken",
            "The {product} did not survive the journey",
            "Dented box, dented lamp",
        ),
        opening=(
            "The {lamp} of order {order} arrived [today|this morning] in two pieces. I had ordered it in one. The box "
            "[looks as if somebody had sat on it, with time to spare|rattled before I opened it]. Photos are attached.",
            "[Glass everywhere|So much glass]. Nobody is hurt, the dog was quick. Order {order}, {product}, delivered "
            "on {date}. I have kept all the pieces in case you collect them.",
            "Sadly the shade of my {product} has a dent the size of a [thumb|plum]. The packaging was whole, so I "
            "think it [left you like that|happened on your side]. Order {order}. What would you suggest?",
        ),
        ask=(
            "I am sorry, that must have been a sad unboxing. Could you send me a photo of the box from outside as "
            "well? {carrier} wants to see it before they believe us.",
            "What a pity, and I am glad nobody is hurt. May I know whether only [the glass|the shade] is broken, or "
            "the frame too? If it is only the glass, a new one is with you much sooner.",
        ),
        info=(
            "Here is the box. The footprint in the corner is not mine, I take a smaller size.",
            "Only the shade. The frame is as straight as on your photos.",
        ),
        fix=(
            "I have ordered a complete new {lamp} for you, it should be there on {weekday}. The broken one may go to "
            "the recycling yard. The claim is our business, not yours.",
            "A new glass for your {product} leaves us today, well padded, number {tracking}. Please recycle what is "
            "left of the old one; we need nothing back. And thank the dog from us.",
            "A new shade for your {product} leaves today, wrapped in more paper than is reasonable (number "
            "{tracking}). The dented one is yours; some people grow basil in theirs.",
        ),
        notes=(
            "Photos are good enough for the claim. Box had no corner pads: {other}, please ask packing about that "
            "batch.",
        ),
        calls=(
            "{full} called, the {product} of order {order} came broken. Calm and very precise about it. Photos will "
            "follow by mail.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="cancellation",
        inbox=0,
        tags=("cancellation",),
        subjects=(
            "Ordered twice by mistake",
            "Please cancel order {order}",
            "Order {order} and its twin",
            "Stop order {order}!",
        ),
        opening=(
            "Please cancel order {order}. [The page seemed to hang, so I pressed the button again, and now there are "
            "two.|I was told the first one had failed, so I ordered again, and now both have succeeded.]",
            "Is there still time to stop {order}? My [husband|mother|colleague] has just come home with a {product} "
            "under the arm.",
        ),
        ask=(
            "I have both orders in front of me. Which of them may go, the one of {date} or the later one?",
            "There is still time, just. Shall the {amount} go back the way you paid, or stay in your account as a "
            "credit?",
        ),
        info=(
            "The later one, please. The first may come.",
            "The way I paid, please. [We are out of tables.|Nobody here needs a third.]",
        ),
        fix=(
            "Order {order} is cancelled and {amount} are on their way back. The other one is untouched and leaves us "
            "on {weekday}.",
            "[Order {order} is cancelled and {amount} are on their way back. Two of them would have been company.|It "
            "had already left, I am sorry. Please refuse the parcel at the door; it turns round by itself, and I "
            "refund the {amount} as soon as it is scanned.]",
        ),
        notes=("Cancelled before packing. [Payment released.|The shop should really grey out that button, {other}.]",),
        calls=("{full} wants order {order} cancelled, ordered twice. Done on the spot.",),
    ),
    Scenario(
        key="stock question",
        inbox=0,
        tags=("stock",),
        subjects=(
            "When is the {product} back?",
            "Gift wrapping?",
            "{product} in [the old copper|sea blue]?",
        ),
        opening=(
            "The {lamp} has been sold out since {date}. Is it coming back, or has it [retired|flown south]?",
            "Two questions before I order a {product}: can it be gift-wrapped, and would it be in {city} by "
            "{weekday}? [It is for somebody who guesses presents by shaking them.|]",
            "Do you still make the {product} in [the old copper finish|sea blue]? I have one and it is lonely.",
        ),
        ask=(
            "Which colour are you after? Two of them come in next week, the third only in the new year.",
            "Two answers in one: yes, and probably. Which side of {city} is it? One gets its parcels in the morning, "
            "the other when the van gets there.",
            "Which size of shade has yours, the narrow or the wide one? The old finish was made in both, and they do "
            "not match across a room.",
        ),
        info=(
            "The [darkest|plainest] one, whatever you call it these days.",
            "The morning side, I am glad to say.",
            "The wide one, I have just measured it with a loaf of bread.",
        ),
        fix=(
            "The next {product} lamps leave the workshop on {later}. I have put one aside with your name on it, for "
            "ten days and without obligation.",
            "Yes on both counts: we wrap it in [plain paper and string|the blue paper], and if you order before noon "
            "tomorrow it will be in {city} on {weekday}. It does rattle a little, to keep things fair.",
            "The old finish is no longer in the shop, but I went down to the workshop and found {days} of them under "
            "a blanket. One now has your name on it, for ten days. It will be company for yours.",
        ),
        notes=("Put one {product} aside on the shelf by the door. Goes back into stock after ten days.",),
        calls=("{full} asked when the {product} is back in stock. Reserved one until {later}.",),
    ),
)
