"""What customers ask the Product help inbox in English, and what the workshop answers."""

from __future__ import annotations

from deskhand.sandbox.phrasing import Scenario

PRODUCTS = (
    Scenario(
        key="broken part",
        inbox=1,
        tags=("broken part", "spare part"),
        subjects=(
            "Spare part for my {product}",
            "{product}: {part} broken",
            "{lamp} no longer stands up straight",
            "The {part} of the {product} has given up",
        ),
        opening=(
            "My {lamp} is [two|three|almost four] years old and has never complained. Since [yesterday|{weekday}] the "
            "{part} [is loose|has a crack|makes a noise like a small duck]. Can I order that part on its own?\nThe "
            "series number under the foot is {serial}.",
            "The {part} of our {product} broke when [I moved the sofa|the cat and I disagreed about the shelf|the "
            "removal men were being careful]. The rest is fine. Do you sell it separately, and can a person with "
            "[average|no] talent fit it?",
            "Our {product} is older than [our son|our marriage] and has begun to lower its head, slowly, while one "
            "reads. At first I took it for [politeness|sympathy], but I think it is the {part}. [See the photo.|] Is "
            "there still such a thing?",
        ),
        ask=(
            "We do sell single parts, and most of them are easy to fit. Could you send me a photo of the {part} and "
            "the series number from under the foot? There were two versions, and they are not on speaking terms.",
            "Thank you for keeping your lamp instead of replacing it. Two questions so that I send the right piece:\n"
            "- Is the cable of your {product} [textile or plain|black or grey]?\n- Does the screw at the joint have a "
            "[slot or a hexagon|cross or a slot]?",
        ),
        info=(
            "Here is the photo. The number is {serial}, I had to lie on the floor for it, [where I also found an "
            "earring|nice view].",
            "Textile, and a hexagon. [I had to look up hexagon.|] The series number is {serial}.",
        ),
        fix=(
            "The {part} for your {product} ({serial}) is on its way, free of charge: the lamp is under guarantee. A "
            "small key is in the bag. Loosen the screw two turns, not three; at three [a spring says hello|a washer "
            "leaves home].",
            "I have put a new {part} into the mail, it costs {credit} including postage and should arrive on "
            "{weekday}. The fitting takes five minutes:\n- Pull the plug.\n- Undo the collar under the shade.\n- Swap "
            "the part and turn the collar until it clicks.\nIf it does not click, write to me and we will click it "
            "together.",
            "That part is no longer made for a lamp of this age, so we have made one. It is on its way to {city} and "
            "we would love to see a photo of the old lady back at work.",
        ),
        notes=(
            "{serial} is from the batch with the soft {part}. Free replacement, no questions. {other} keeps the list.",
            "Workshop says: send the newer version, it fits both. We have [eleven|six|two] left.",
        ),
        calls=(
            "{full} called about a {product}, the {part} has come loose. Read out the series number {serial} like a "
            "lottery result. Sending the part.",
        ),
        enclosed="photo",
    ),
    Scenario(
        key="assembly",
        inbox=1,
        tags=("assembly",),
        subjects=(
            "One screw left over",
            "Assembling the {product}: step 4",
            "Instructions for the {product}",
            "{product}: something round is left",
            "How does the {part} go onto the {product}?",
        ),
        opening=(
            "I have put the {product} together and have [one screw|one washer|something round] left. The lamp works, "
            "but I [sleep badly|look at it differently now]. Where does it belong?",
            "In step 4 of the instructions the {part} goes on from the left, in the picture from the right. I have "
            "tried both, and also [from above|loudly]. Which is it?",
            "The parcel with my {lamp} had everything in it but the instructions. [I got as far as what may be the "
            "foot.|My son says he does not need them. It leans.] Could you send them to me?",
        ),
        ask=(
            "That is quickly solved. Could you send a photo of what is left over, next to a coin? I can see from it "
            "which version you have.",
            "Step 4 is our least popular page, and rightly so. How many holes does the {part} have in your box, two "
            "or three?",
            "Gladly. Which version is it, the one with a round foot or the one with a square foot? The instructions "
            "differ, and so do the people who wrote them.",
        ),
        info=(
            "Photo attached. The coin is for scale, not for you.",
            "Three holes. [I have counted them with a witness.|Counted twice, by two people.]",
            "Round, [as far as I can tell|and heavy].",
        ),
        fix=(
            "You have done everything right: the spare [screw|washer] is in every bag, for the carpet. I have "
            "attached the instructions all the same, page 3 says so in very small letters.",
            "It goes on from the left, and the picture is wrong; we have been apologising for it since spring. The "
            "corrected sheet is attached.\n- Left side first, hand-tight.\n- Then the washer.\n- Then the {part}, "
            "until the mark points at you.",
            "Here are the instructions as a PDF. It takes about [ten|fifteen] minutes and one hexagon key, which is "
            "taped to the lid of the box. Everybody overlooks it.",
        ),
        notes=("{other}, step 4 again. That makes [nine|fourteen|twenty-one]. May I please redraw that page?",),
        calls=(
            "Went through the assembly of the {product} with {full} on the phone, step by step. It stands. We both "
            "cheered a bit.",
        ),
        sent="sheet",
        enclosed="photo",
    ),
    Scenario(
        key="flicker",
        inbox=1,
        tags=("dimmer",),
        subjects=(
            "My {product} flickers",
            "Which dimmer for the {product}?",
            "The {product} hums",
            "Flickering at low light",
        ),
        opening=(
            "Turned up, the {lamp} is perfect. Dimmed below a third it flickers like [a candle in a ghost story|an "
            "old film]. The bulb is the one from your box, the dimmer is [in the wall, from the last owner|new]. Do "
            "the two not get along?",
            "Can the {product} be dimmed at all? The page says yes, [my wall says otherwise|the electrician says "
            "maybe, and charged for it].",
            "Since we have the new dimmer our {product} hums. One note, a little below A. [My wife plays the viola "
            "and suffers.|It is a musical household, but still.]",
        ),
        ask=(
            "Most likely it is the dimmer: older ones expect a bulb of at least 40 watts and get 4. Could you tell me "
            "what is printed on it? It is usually on the metal frame, behind the plate.",
            "May I ask which bulb is in it, and what the type plate of the dimmer says? With these two numbers our "
            "workshop can tell in a minute.",
        ),
        info=(
            "The dimmer says 60 to 400 W, type R. The bulb is yours, 4 W.",
            "It says [RL 20-300|R 60-400] and a word that has been painted over. Bulb: 6 W, E27.",
        ),
        fix=(
            "The usual story: most old dimmers start at 60 watts and the bulb needs 4, so it is being [whispered at "
            "by a giant|asked to do fractions]. Any dimmer for LED from 3 watts will do. Our electrician likes those "
            "with a small wheel for the lower limit: turn it until the flicker stops.",
            "It can be dimmed, and so can the bulb from your box; only the dimmer has to agree. It should say LED and "
            "start at 3 watts. Yours, I fear, was made for bulbs that doubled as heating.",
            "I am sending you a bulb of our other make; it copes with old dimmers far better. If it misbehaves too, "
            "the dimmer has to go, and the bulb is yours anyway.",
        ),
        notes=("Same dimmer as in the three cases of last month. We should put the list of tested ones online.",),
        calls=(
            "{full}: flicker below 30 %, old dimmer in the wall. I explained the minimum load. Sending a test bulb.",
        ),
    ),
    Scenario(
        key="bulb question",
        inbox=1,
        tags=("bulbs",),
        subjects=(
            "Which bulb for the {product}?",
            "Warmer light",
            "How bright may the {product} be?",
            "Bulb for {lamp}",
        ),
        opening=(
            "The bulb of my {product} has gone after [four years|a long life]. Which one do I need? The print on the "
            'old one [has burnt off|says only "made with care", which is true but no use].',
            "The light of our new {lamp} is a bit [cold|surgical]. Is there a warmer bulb for it? We would like less "
            "[dentist|airport] and more [library|Sunday].",
            "How bright may a bulb in the {product} be? I have one of 15 watts at home and do not want to set "
            "anything on fire, least of all {city}.",
        ),
        ask=("Gladly. Is the socket about as wide as a thumb (E27) or as a little finger (E14)? There are both.",),
        info=("[Thumb.|Thumb, and I have small hands.|About a thumb, yes.]",),
        fix=(
            "It is an E27 with at most 8 watts; 2700 kelvin is the warm one. Any make will do. Ours costs {credit} "
            "and comes with your next parcel, if you wish.",
            "For a warmer light take 2200 kelvin, 4 to 6 watts, E27. That is as close to a candle as one gets without "
            "a fire brigade.",
            "8 watts are the limit. Above that the shade gets too warm and the {product} [begins to sulk|loses its "
            "colour]. So please leave the 15 watts in the drawer, where they can do no harm.",
        ),
        notes=(
            "Bulb advice given. {other}: the print on the batch from spring really does burn off, please tell them.",
        ),
        calls=("{full} asked about a bulb for the {product}. E27, 8 W at most, 2700 K.",),
    ),
    Scenario(
        key="missing parts",
        inbox=1,
        tags=("missing part", "spare part"),
        subjects=(
            "Missing from the box: {part}",
            "Where are the screws?",
            "{product} incomplete (order {order})",
        ),
        opening=(
            "My {lamp} came on {date}, and the {part} is not in the box. I have looked under the cardboard, under the "
            "table and [under the dog|in the recycling, twice]. Order {order}.",
            "The bag with the screws was open, and empty. [There are now some in my carpet, I think four.|I can hear "
            "them in the box but not find them.] Could you send me a new bag for the {product}?",
        ),
        ask=(
            "I am sorry! Is the [grey|brown] inner tray still in the box? There is a small drawer under it that looks "
            "like packaging. We did think that was clever at the time.",
            "That bag has form, I am sorry. Is it the one with six screws or the one with eight? It is printed on it, "
            "in grey.",
        ),
        info=(
            "[There was a drawer. It contained a second set of instructions.|No drawer, just a tray. The {part} must "
            "have stayed with you.]",
            "Eight, in very grey grey.",
        ),
        fix=(
            "It really is missing, and I am sorry. The {part} goes into today's mail as a letter and should be with "
            "you on {weekday}. I have added a spare one.",
            "A complete bag of small parts for the {product} is on its way. Please check it over a plate.",
        ),
        notes=("Missing {part}, tray from the second packing bench again. Sent as a letter with a spare.",),
        calls=("{full} is missing the {part} of a {product}. Sent by letter.",),
    ),
    Scenario(
        key="safety question",
        inbox=1,
        tags=("safety",),
        subjects=("{product} and children", "Can the {product} stay outside?", "The {product} gets warm"),
        opening=(
            "The {lamp} is to go into [a child's room|the nursery]. How warm does the shade get, and does it forgive "
            "[being hugged|a flying teddy]?",
            "May the {product} stay on the terrace over the winter? It [is under a roof, more or less|rains sideways "
            "here].",
            "After an hour the {part} of my {product} is quite warm. Not hot, more like [a cup of tea|a sleeping "
            "cat]. Is that as it should be?",
        ),
        ask=(
            "Which bulb is in it, please, and how many watts does it say? The answer depends on that alone.",
            "Is the socket out there covered, and does the rain come from above or from the side?",
            "Which bulb is in it, please, and how many watts does it say? The answer depends on that alone.",
        ),
        info=(
            "4 watts, the one that came with it.",
            "Covered, and from the side. It is the coast.",
            "It says 11 W. That may be the point, may it not?",
        ),
        fix=(
            "With the bulb from the box (4 watts) the shade stays below 40 degrees, that is a warm hand. It falls "
            "well, too: the workshop throws one off the table every month, officially for quality control.",
            "The lamp itself does not mind rain (IP44), but its plug does. If the socket is covered, it may stay out "
            "all winter. Below minus 15 it is allowed to be a little dim, as are we.",
            "8 watts are the limit for this shade, and with more it does get warm. A bulb of 4 watts gives the same "
            "light; I am putting one in the mail for you. A cup of tea may then be had separately.",
        ),
        notes=("Safety question: answered from the data sheet. {other}, please read it over before the next one.",),
        calls=("{full} asked whether the {product} may stay outside. IP44, plug must stay dry.",),
    ),
)
