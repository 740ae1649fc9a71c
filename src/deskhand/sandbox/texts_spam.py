"""What every inbox gets and nobody asked for. All senders and offers are invented."""

from __future__ import annotations

SPAM = (
    (
        "Quick question about your website",
        "I was on your website and noticed that it [could be|is not yet] on the first page. We put [lamp "
        "shops|dentists|lamp shops and also dentists] on the first page. Guaranteed. May I call you on {weekday}?",
    ),
    (
        "RE: RE: Your outstanding invoice {invoice}",
        "Please find the outstanding invoice enclosed (it is not enclosed, but please pay it). The amount is "
        "{amount}. Our bank has moved to another country in the night and asks you to use the new account.",
    ),
    (
        "Guest article for your blog",
        "We loved your article about [lamps|the other thing]! May we write one as well? Our topics: lamps, cranes, "
        "insurance for cranes. It needs only [two|eleven] links.",
    ),
    (
        "Inheritance of a lighthouse",
        "I represent the late owner of a lighthouse in good condition, who has the same last name as you. For the "
        "transfer I need only {amount} and a copy of your curtains.",
    ),
    (
        "10,000 followers by {weekday}",
        "Real people (not real people) will follow your shop. Package Small: 10,000. Package Sincere: 50. Answer STOP "
        "to receive more.",
    ),
    (
        "Industrial cable reels, best price",
        "Dear Purchase Manager of {organization}, we are leading manufacturer of cable reel since {days} weeks. "
        "Kindly send your target price, your real price, and your size.",
    ),
    (
        "Your mailbox is almost full",
        "Your mailbox is 99.8 % full. To keep your mail, confirm your password on our page, which looks exactly like "
        "the page you know, apart from the [address|spelling].",
    ),
    (
        "Last chance: webinar on warehouse mindfulness",
        "Only {days} seats are left in a room without walls. Breathe in, pick, pack, breathe out. Early birds pay "
        "{credit}.",
    ),
)
