"""English: greetings, thanks, complaints and chats that fit every reason to write."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Chat, Scenario, Tongue
from deskhand.sandbox.texts_en_orders import ORDERS
from deskhand.sandbox.texts_en_products import PRODUCTS
from deskhand.sandbox.texts_en_wholesale import WHOLESALE

_HEADS_UP = Scenario(
    key="heads-up",
    inbox=0,
    tags=("heads-up",),
    subjects=(
        "Your order {order} will be a little late",
        "The {product} is back",
        "About your {product}",
    ),
    opening=(
        "I am writing before you have to: your {product} (order {order}) is not going to leave us on {weekday} as "
        "promised. The {part} we had waiting for it did not pass our check, and a new one takes some days.\nThe new "
        "date is {later}. If that is too late for you, tell me, and I will [find another way|refund you at once].",
        "You asked us to tell you when the {product} is back. It is back. One is lying on my desk with your name on "
        "it, until {later}.",
        "A lamp of your order {order} comes from a batch in which the {part} may be loose. Yours is probably fine. "
        '[We are fond of "certainly".|] Would you look at the number under the foot? If it starts with BW-7, we send '
        "you a new {part} at no cost.",
    ),
    ask=(),
    info=(
        "Thank you for telling me [before I had to ask|in time]. {later} is fine.",
        "Yes please, I take it. [Do not let it out of your sight.|The money is on its way.]",
        "It is {serial}. Is that one of them?",
    ),
    fix=(
        "Thank you for your patience, it is noted. You will hear from us when the parcel leaves, and from {carrier} "
        "when it gets interesting.",
        "Then it is yours. It leaves us on {weekday}, and my desk will be darker for it.",
        "Thank you for looking. A new {part} is in the mail, just in case, and because it weighs nothing.",
    ),
    notes=("{other}, I wrote to this customer before they could write to us. It felt good.",),
)

_CHATS = (
    Chat(
        0,
        ("late parcel",),
        "Chat: where is my parcel?",
        (
            "C Hi, is anybody there?",
            "S Hello {first}, {staff} here. Yes, a person, with tea.",
            "C [Lovely|Good]. My parcel {tracking} has not moved since {date}.",
            "S Let me look, one moment please.",
            "S It is at the depot and was put on hold because of the house number. Is it still {street}?",
            "C Yes it is. [The 7 looks like a 1, I know.|The number is behind the ivy.]",
            "S I have told them about it. It goes out again on {weekday}.",
            "C Perfect. Enjoy the tea!",
        ),
    ),
    Chat(
        1,
        ("bulbs",),
        "Chat: bulb for the {product}",
        (
            "C Quick one: E27 or E14 for the {product}?",
            "S E27, 8 watts at most.",
            "C That was quick.",
            "S You said quick.",
            "C Ha. And does it dim?",
            "S With an LED dimmer, yes. With one from the last century it flickers.",
            "C Ours is from the last century. [As am I.|] Thanks!",
        ),
    ),
    Chat(
        0,
        ("stock",),
        "Chat: {product} in copper",
        (
            "C Do you have the {product} in copper?",
            "S Two left in the workshop, none in the shop. I can put one aside for you.",
            "C Until when?",
            "S Until {later}. After that it goes to a man who rings every day.",
            "C I will order tonight. He shall not have it.",
        ),
    ),
    Chat(
        1,
        ("assembly",),
        "Chat: step 4",
        (
            "C I am at step 4 of the {product}.",
            "S My condolences. Two holes or three?",
            "C Three.",
            "S Then left side first, whatever the picture says.",
            "C ...",
            "C It fits. It FITS.",
            "S Congratulations. Step 5 is the plug.",
        ),
    ),
    Chat(
        2,
        ("wholesale",),
        "Chat: resellers",
        (
            "C Hello, do you also sell to shops?",
            "S We do, from six lamps. What kind of shop is it?",
            "C Books mostly. We need lamps to read them by, and then people ask what the lamp costs.",
            "S That is how most of our stockists began. May I send you the list by mail?",
            "C Please do, to this address.",
        ),
    ),
)

ENGLISH = Tongue(
    code="en",
    tag="",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    date="{day} {month}",
    money="€{whole}.{cents}",
    parts=("switch", "shade ring", "joint", "cable clamp", "socket", "collar", "swivel"),
    dear="[Hi|Hello|Dear] {first},",
    dear_nobody="Hello,",
    hello=(
        "Hello,",
        "Hi,",
        "Hi there,",
        "Good [morning|evening],",
        "Dear lamp people,",
        "Dear Brindlewick,",
        "Hello team,",
    ),
    bye=(
        "Best wishes",
        "Kind regards",
        "Yours",
        "Cheers",
        "Best",
        "All the best",
        "With friendly greetings from {city}",
        "Many greetings",
        "[Thanks in advance|Thank you|Many thanks]",
    ),
    regards=("Kind regards", "Best wishes", "All the best", "Many greetings from the workshop", "Warm regards"),
    wrote="On {date}, {staff} wrote:",
    phone_line="Sent from a phone. Typos are the thumb's.",
    thanks=(
        "[Perfect|Wonderful|Brilliant], thank you for the quick help!",
        "Many thanks, that was [easier|friendlier] than I expected. [I shall tell my neighbour.|]",
        "That settles it. [You may close the case, as they say on television.|Thank you, {staff}.]",
        "Thank you, {staff}. [Good service is rarer than good lamps.|I did not think anybody would read that mail.]",
        "That was quick. I had hardly [sat down|put the kettle on]. Thank you!",
    ),
    delighted=(
        "It has worked. I am writing this in excellent light.",
        "Arrived safely, works, looks splendid. [The cat has approved it.|My husband says it was there all along.|]",
        "It shines! [The whole street has been informed.|We have spent the evening switching it on and off.|] Thank "
        "you, {staff}.",
    ),
    grumble=(
        "Thank you for the answer, but [I had hoped for more|that is what I heard last time], and nothing has "
        "happened since. Could somebody please look at this properly?",
        "To be honest I am [a little disappointed|not amused]. I have now written twice about {order} and am exactly "
        "as wise as before.",
    ),
    failed=(
        "I am sorry to come back to you: it did not work. [I have tried it three times, once in daylight.|And it is "
        "not for want of trying.] This is becoming a [hobby|correspondence], and I have one already.",
        "It helped for a day. Then the {product} [remembered|fell back into its old ways]. Is there anything else I "
        "can try?",
    ),
    soothe=(
        "You are right, and I am sorry. This stays on my desk from now on: I will write to you by {weekday}, either "
        "with a result or with an honest reason why there is none. I have credited {credit} to your account, for the "
        "nerves.",
        "That was not good, and there is nothing to argue about. I have spoken to {other} in person: this is now at "
        "the top of the list, and it no longer depends on anybody's holiday. You will hear from me by {weekday}.",
        "I am sorry that you had to write twice. I went through it again from the beginning and found the mistake, "
        "which was ours: your mail had been filed under another order. It is corrected, and you will have the result "
        "by {weekday}.",
    ),
    nudge=(
        "Just a gentle reminder of my mail of {asked}. [I know you are busy, lamps do not make themselves.|Has it "
        "reached you?]",
        "Is there any news? [I do not want to be a nuisance. I merely want light.|No hurry. Well, a little.]",
        "I am adding to my mail of {asked}: [it would be good to know by {weekday}|the series number is {serial}, in "
        "case you need it].",
        "One thing I forgot to say: [mornings are best for the phone|the parcel may go to the neighbour with the blue "
        "door|I will be away on {weekday}]. Otherwise all as in my mail of {asked}.",
    ),
    again=(
        "It is me again, about order {order}. All was well until [yesterday|this week]: now the {part} [has developed "
        "opinions|only works when one holds it]. Is that something you can help with?",
        "One more question about the same order: could I have [another|a second] {product}, in exactly the same "
        "colour? [The first one looks lonely.|]",
        "Hello again after a while. My [sister|neighbour|mother-in-law] has now seen the lamp and [wants|needs] one "
        "too. Can you match the colour of mine, order {order}?",
        "You helped me so well last time that I am trying it again: the {product} of order {order} [clicks|hums] when "
        "it gets warm. Is that normal, or is it [singing|asking for something]?",
        "A quick follow-up on order {order}: I have lost [the little key|the card with the guarantee]. Could you send "
        "me another?",
        "We have moved, and the {product} with us. The new sockets are all [on the wrong side|behind the piano]. Is "
        "there a longer cable for it?",
        "My order {order} has a small sequel: the {part} has gone missing [in a tidy-up|since the children built "
        "something]. Can I buy one on its own?",
        "Could you please send me the invoice for order {order} once more? Our accountant [has changed, and so have "
        "the wishes|wants it in landscape].",
        "You asked me back then to tell you how it went. Well: the {product} has fallen off the shelf, [twice|from "
        "some height], and still works. The shade looks its age. Is there a new one?",
        "I should like {days} more {product}, as presents. Is there a chance to have them before the holidays? [My "
        "family is easily pleased and badly lit.|]",
        "A neighbour says that your lamps can be registered for a longer guarantee. Is that so, and is it too late "
        "for order {order}?",
        "A small thing about order {order}: the {product} and our new dimmer [do not speak to each other|disagree]. "
        "Which dimmer would you take?",
        "I am writing about order {order} again, this time with [praise|good news] and a question. The {product} is "
        "lovely. Does it also come in [a darker green|brass], for the other side of the bed?",
    ),
    back=(
        "Good to hear from you again. I have order {order} open in front of me, so there is no need to explain "
        "anything twice. To do this properly I need one thing: a photo of the small plate under the foot, with the "
        "series number. Then I can prepare everything the same day.",
        "Welcome back. Yes, we can help with that. Which colour was yours exactly? There is a letter after the series "
        "number under the foot; that letter is all I need.",
        "Good to hear from you again. Give me until {weekday}, please: I want to see what we have in the workshop "
        "before I promise anything. Is {street}, {city} still your address?",
    ),
    great=(
        "Fast and friendly.",
        "Solved before my tea was cold.",
        "{staff} was wonderful.",
        "A real person with a sense of humour!",
        "",
        "Best lamp people I know.",
    ),
    okay=("Fine in the end, took a while.", "Correct, if a bit long.", ""),
    not_good=("Had to ask twice.", "Still waiting for the lamp.", "I did not understand step 4."),
    heads_up=_HEADS_UP,
    scenarios=(*ORDERS, *PRODUCTS, *WHOLESALE),
    chats=_CHATS,
)
