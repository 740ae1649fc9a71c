"""The query language: what each text means, where a bad one is wrong, and that no text can hurt."""

from __future__ import annotations

import inspect
import string
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deskhand.desk.search.language import (
    ANY,
    DEEPEST_NESTING,
    LONGEST_TEXT,
    MOST_TERMS,
    And,
    Match,
    Node,
    Not,
    Or,
    Phrase,
    Range,
    SyntaxProblem,
    Value,
    Word,
    fields,
    interval,
    parse,
    period,
)

NOW = datetime(2026, 3, 31, 15, 20, 45, 678901, tzinfo=UTC)


def word(field: str | None, text: str) -> Match:
    return Match(field, Word(text))


def phrase(field: str | None, text: str) -> Match:
    return Match(field, Phrase(text))


def span(field: str, low: str | None, high: str | None) -> Match:
    return Match(field, Range(low, high))


def both(*parts: Node) -> And:
    return And(parts)


def either(*parts: Node) -> Or:
    return Or(parts)


def utc(year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


EVERYTHING = And(())

DOCUMENTED = [
    ('(subject:"refund" OR subject:"cancel")', either(phrase("subject", "refund"), phrase("subject", "cancel"))),
    ('(subject:"coffee tea")', phrase("subject", "coffee tea")),
    ('(body:"what a day")', phrase("body", "what a day")),
    (
        '(body:"what a day" OR body:"how about tomorrow")',
        either(phrase("body", "what a day"), phrase("body", "how about tomorrow")),
    ),
    ('(email:"paul@buyer.example")', phrase("email", "paul@buyer.example")),
    ("(email:(a@x.example OR b@y.example))", either(word("email", "a@x.example"), word("email", "b@y.example"))),
    ('(tag:"needs review")', phrase("tag", "needs review")),
    ("tag:fire", word("tag", "fire")),
    ('(NOT tag:"spam")', Not(phrase("tag", "spam"))),
    ('(mailbox:"Orders")', phrase("mailbox", "Orders")),
    ("(mailboxid:501)", word("mailboxid", "501")),
    ('(assigned:"Unassigned")', phrase("assigned", "Unassigned")),
    ('(status:"pending")', phrase("status", "pending")),
    ("(customerIds:88012)", word("customerIds", "88012")),
    ("(customerIds: 1 OR customerIds: 2)", either(word("customerIds", "1"), word("customerIds", "2"))),
    (
        '(assigned:"spock" AND (customerIds: 123 OR customerIds: 567))',
        both(phrase("assigned", "spock"), either(word("customerIds", "123"), word("customerIds", "567"))),
    ),
    ("(number:1874)", word("number", "1874")),
    ("(attachments:true)", word("attachments", "true")),
    ("(modifiedAt:[NOW-1HOUR TO *])", span("modifiedAt", "NOW-1HOUR", None)),
    (
        "(createdAt:[2026-01-01T00:00:00Z TO 2026-01-31T23:59:59Z])",
        span("createdAt", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z"),
    ),
    (
        "(createdAt:[2013-01-01T00:00:00Z/YEAR TO 2014-01-01T00:00:00Z/YEAR])",
        span("createdAt", "2013-01-01T00:00:00Z/YEAR", "2014-01-01T00:00:00Z/YEAR"),
    ),
    ("(modifiedAt:[2014 TO 2014-12-01])", span("modifiedAt", "2014", "2014-12-01")),
    ("(modifiedAt:2000-11)", word("modifiedAt", "2000-11")),
    ("(createdAt:2026-01)", word("createdAt", "2026-01")),
    ("(replyUserIds:(41 OR 42))", either(word("replyUserIds", "41"), word("replyUserIds", "42"))),
    ("(replyUserIds:(23 OR 45)", either(word("replyUserIds", "23"), word("replyUserIds", "45"))),
    ('(NOT email:"spam@x.example")', Not(phrase("email", "spam@x.example"))),
    (
        '(subject:"order" AND NOT assigned:"Unassigned")',
        both(phrase("subject", "order"), Not(phrase("assigned", "Unassigned"))),
    ),
    ('(firstName:"John")', phrase("firstName", "John")),
    (
        '(firstName:"John" AND lastName:"Doe" OR lastName:"Roe")',
        either(both(phrase("firstName", "John"), phrase("lastName", "Doe")), phrase("lastName", "Roe")),
    ),
    ('(email:("a@b" OR "c@d"))', either(phrase("email", "a@b"), phrase("email", "c@d"))),
    ("modifiedAt:[2013-11-20T00:00:00Z TO *]", span("modifiedAt", "2013-11-20T00:00:00Z", None)),
    ('organization:"X"', phrase("organization", "X")),
]

COMBINING = [
    ("", EVERYTHING),
    (" \t\n", EVERYTHING),
    ("()", EVERYTHING),
    ("(( ) ( ", EVERYTHING),
    ("*", EVERYTHING),
    ("*:*", EVERYTHING),
    ("*:* AND tag:a", word("tag", "a")),
    ("tag:a OR *", either(word("tag", "a"), EVERYTHING)),
    ("((((tag:a", word("tag", "a")),
    ("refund status:active", both(word(None, "refund"), word("status", "active"))),
    ("a b OR c d", either(both(word(None, "a"), word(None, "b")), both(word(None, "c"), word(None, "d")))),
    ("a AND (b OR c)", both(word(None, "a"), either(word(None, "b"), word(None, "c")))),
    ("a AND (b AND c)", both(word(None, "a"), word(None, "b"), word(None, "c"))),
    ("a NOT b", both(word(None, "a"), Not(word(None, "b")))),
    ("a OR NOT b", either(word(None, "a"), Not(word(None, "b")))),
    ("NOT(a b)", Not(both(word(None, "a"), word(None, "b")))),
    ("NOT NOT a", Not(Not(word(None, "a")))),
    ("cats and dogs or not", both(*(word(None, text) for text in ("cats", "and", "dogs", "or", "not")))),
    ('"AND"', phrase(None, "AND")),
    (r"\AND", word(None, r"\AND")),
    ('tag:"a"OR tag:"b"', either(phrase("tag", "a"), phrase("tag", "b"))),
    ("tag:(NOT a)", Not(word("tag", "a"))),
    ("tag:(a b OR NOT (c))", either(both(word("tag", "a"), word("tag", "b")), Not(word("tag", "c")))),
    ("tag:(a OR status:b OR c)", either(word("tag", "a"), word("status", "b"), word("tag", "c"))),
    ("createdAt:([2014 TO 2015] OR 2017)", either(span("createdAt", "2014", "2015"), word("createdAt", "2017"))),
    ("-tag:spam", Not(word("tag", "spam"))),
    ('-"no reply" -(a OR b)', both(Not(phrase(None, "no reply")), Not(either(word(None, "a"), word(None, "b"))))),
    ('+tag:a +"b c" +(d)', both(word("tag", "a"), phrase(None, "b c"), word(None, "d"))),
    ("tag:(a -b)", both(word("tag", "a"), Not(word("tag", "b")))),
]

VALUES = [
    ("email:o'brien+help.desk-1@my-shop.example", word("email", "o'brien+help.desk-1@my-shop.example")),
    ("o'brien+x@my-shop.example", word(None, "o'brien+x@my-shop.example")),
    ("e-mail", word(None, "e-mail")),
    ("+4411349", word(None, "+4411349")),
    ("number:-5", word("number", "-5")),
    ("number: -5", word("number", "-5")),
    ("--force - x", both(word(None, "--force"), word(None, "-"), word(None, "x"))),
    ("https://shop.example/a?b=c", word(None, "https://shop.example/a?b=c")),
    ("subject:https://shop.example", word("subject", "https://shop.example")),
    ("10:30", word(None, "10:30")),
    ("createdAt:2014-02-27T00:00:00Z", word("createdAt", "2014-02-27T00:00:00Z")),
    (r"createdAt:2014\-02\-27T00\:00\:00Z", word("createdAt", "2014-02-27T00:00:00Z")),
    ("ärger:größe", word("ärger", "größe")),
    ("refun*", Match(None, Word("refun", prefix=True))),
    ("tag:(refun* OR x)", either(Match("tag", Word("refun", prefix=True)), word("tag", "x"))),
    (r"refun\*", word(None, "refun*")),
    (r"refun\\*", Match(None, Word("refun\\", prefix=True))),
    ('"refun*"', phrase(None, "refun*")),
    ("assigned:*", Match("assigned", ANY)),
    ("assigned:[* TO *]", Match("assigned", ANY)),
    ("NOT assigned:*", Not(Match("assigned", ANY))),
    (r"tag:needs\ review", word("tag", "needs review")),
    (r'subject:"say \"hi\" \\ C:\temp"', phrase("subject", r'say "hi" \ C:\temp')),
    (r"tag:\(a\)", word("tag", "(a)")),
    ("ends\\", word(None, "ends\\")),
    ("(subject:“what a day” OR tag:„x“)", either(phrase("subject", "what a day"), phrase("tag", "x"))),
    ('lastName:"O\u2019Brien"', phrase("lastName", "O\u2019Brien")),
    ('subject:""', phrase("subject", "")),
    ('subject:"two\nlines"', phrase("subject", "two\nlines")),
    ("[JIRA-12]", word(None, "[JIRA-12]")),
    ("number:{1 TO 9]", Match("number", Range("1", "9", low_included=False))),
    ("number:[1 to 9}", Match("number", Range("1", "9", high_included=False))),
    ("number: [ 1  TO  9 ]", span("number", "1", "9")),
    (r'createdAt:["2014-02-27 10:00" TO 2014\-03]', span("createdAt", "2014-02-27 10:00", "2014-03")),
    ('subject:["*" TO *]', span("subject", "*", None)),
]


@pytest.mark.parametrize(("text", "tree"), DOCUMENTED + COMBINING + VALUES)
def test_a_query_means(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("tag:", 1, "The field tag has no value after its colon."),
        ("a AND (b OR tag: )", 13, "The field tag has no value after its colon."),
        ("tag: AND b", 1, "The field tag has no value after its colon."),
        ("a AND", 3, "AND has nothing after it."),
        ("(a OR )", 4, "OR has nothing after it."),
        ("a AND OR b", 3, "AND has nothing after it."),
        ("a NOT", 3, "NOT has nothing after it."),
        ("  OR b", 3, "OR has nothing before it."),
        ("(AND b)", 2, "AND has nothing before it."),
        ("(a))", 4, "This parenthesis closes nothing."),
        (") a", 1, "This parenthesis closes nothing."),
        ("email:()", 7, "Nothing stands between these parentheses."),
        ("a OR ()", 6, "Nothing stands between these parentheses."),
        ("a (", 3, "Nothing stands between these parentheses."),
        ('tag:a "open', 7, 'This quotation mark is never closed; write \\" for the character itself.'),
        ('27" screen', 3, 'This quotation mark is never closed; write \\" for the character itself.'),
        ("number:[1 9]", 8, "A range is written [A TO B], and * stands for an open end."),
        ("number: {1 TO", 9, "A range is written [A TO B], and * stands for an open end."),
        ("a [1 TO 9]", 3, "A range needs a field before it."),
        ("email:*@x.example", 7, "A * may stand only at the end of a word; write \\* for the character itself."),
        ("a\x00b", 2, "This character cannot be searched for."),
        ("a\ud800", 2, "This character cannot be searched for."),
    ],
)
def test_a_bad_query_says_where_and_why(text: str, position: int, message: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse(text)
    assert (caught.value.position, caught.value.message) == (position, message)
    assert str(caught.value) == f"{message} (position {position})"


def test_conditions_come_in_order_with_the_position_of_their_field() -> None:
    found = [(match.field, match.position) for match in fields(parse("(a OR -tag:b) +email:(c d) NOT “e”"))]
    assert found == [(None, 2), ("tag", 8), ("email", 16), ("email", 16), (None, 32)]


def test_limits_hold_exactly() -> None:
    assert parse("a" * LONGEST_TEXT) == word(None, "a" * LONGEST_TEXT)
    assert len(list(fields(parse("a " * MOST_TERMS)))) == MOST_TERMS
    assert parse("(" * DEEPEST_NESTING + "a") == word(None, "a")
    for text, position in [
        ("a" * (LONGEST_TEXT + 1), LONGEST_TEXT + 1),
        ("a " * (MOST_TERMS + 1), 2 * MOST_TERMS + 1),
        ("(" * (DEEPEST_NESTING + 1) + "a", DEEPEST_NESTING + 2),
        ("NOT " * (DEEPEST_NESTING + 1) + "a", 4 * DEEPEST_NESTING + 5),
        ("tag:(" * (DEEPEST_NESTING + 1) + "a", 5 * DEEPEST_NESTING + 6),
    ]:
        with pytest.raises(SyntaxProblem) as caught:
            parse(text)
        assert caught.value.position == position


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        ")",
        "-",
        "-(",
        "NOT ",
        "[",
        "[a ",
        "[ ",
        "x:",
        "x:[a TO ",
        '"',
        '\\"',
        "\\",
        '["',
        "*",
        " ",
        "a:b(",
        "+(",
        "[(",
        "x:([\\-a",
    ],
)
def test_hostile_repetition_is_read_in_no_time(piece: str) -> None:
    text = (piece * LONGEST_TEXT)[:LONGEST_TEXT]
    began = time.thread_time()
    answer(text)
    answer("tag:a" + text[5:])
    assert time.thread_time() - began < 1


def test_the_deepest_query_needs_few_stack_frames() -> None:
    text = "a OR b AND NOT (" * (DEEPEST_NESTING // 2) + "c"
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth_of_stack() + 350)
    try:
        assert len(list(fields(parse(text)))) == DEEPEST_NESTING + 1
    finally:
        sys.setrecursionlimit(before)


@given(st.text() | st.text(alphabet='ab:()"“[]{}*\\+- \t\nANDORTO.,/0', max_size=40))
@example("-" * 100)
def test_any_text_is_a_tree_or_a_problem_inside_it(text: str) -> None:
    found = answer(text)
    if isinstance(found, SyntaxProblem):
        assert 1 <= found.position <= len(text) + 1
        assert found.message.endswith(".")
    else:
        assert all(1 <= match.position <= len(text) for match in fields(found))


@given(st.data())
@settings(max_examples=200)
def test_a_tree_written_out_is_read_back(data: st.DataObject) -> None:
    tree = data.draw(trees)
    assert parse(written(tree)) == tree


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2014", utc(2014), utc(2015)),
        ("2000-11", utc(2000, 11), utc(2000, 12)),
        ("2000-12", utc(2000, 12), utc(2001)),
        ("2024-02-29", utc(2024, 2, 29), utc(2024, 3, 1)),
        ("2000-11-03T13", utc(2000, 11, 3, 13), utc(2000, 11, 3, 14)),
        ("2000-11-03 13:59", utc(2000, 11, 3, 13, 59), utc(2000, 11, 3, 14)),
        ("2014-02-27T23:59:59Z", utc(2014, 2, 27, 23, 59, 59), utc(2014, 2, 28)),
        ("2014-02-27T23:59:59.999Z", utc(2014, 2, 27, 23, 59, 59), utc(2014, 2, 28)),
        ("2014-02-27T23:59:59", utc(2014, 2, 27, 23, 59, 59), utc(2014, 2, 28)),
        ("2014-02-27T00:30:00+01:00", utc(2014, 2, 26, 23, 30), utc(2014, 2, 26, 23, 30, 1)),
        ("2014-02-27T00:30:00-0130", utc(2014, 2, 27, 2), utc(2014, 2, 27, 2, 0, 1)),
        ("NOW", utc(2026, 3, 31, 15, 20, 45), utc(2026, 3, 31, 15, 20, 46)),
        ("now-1hour", utc(2026, 3, 31, 14, 20, 45), utc(2026, 3, 31, 14, 20, 46)),
        ("NOW-7DAY", utc(2026, 3, 24, 15, 20, 45), utc(2026, 3, 24, 15, 20, 46)),
        ("NOW+1HOURS", utc(2026, 3, 31, 16, 20, 45), utc(2026, 3, 31, 16, 20, 46)),
        ("NOW-30MINUTES+15SECOND", utc(2026, 3, 31, 14, 51), utc(2026, 3, 31, 14, 51, 1)),
        ("NOW-1MONTH", utc(2026, 2, 28, 15, 20, 45), utc(2026, 2, 28, 15, 20, 46)),
        ("NOW/YEAR", utc(2026), utc(2027)),
        ("NOW/DAY", utc(2026, 3, 31), utc(2026, 4, 1)),
        ("NOW/DAY-1DAY", utc(2026, 3, 30), utc(2026, 3, 31)),
        ("NOW/DAY+9HOURS", utc(2026, 3, 31, 9), utc(2026, 3, 31, 10)),
        ("NOW-1MONTH/DAY", utc(2026, 2, 28), utc(2026, 3, 1)),
        ("NOW-1YEAR/MONTHS", utc(2025, 3), utc(2025, 4)),
        ("2026-01-01T00:00:00Z+1DAY", utc(2026, 1, 2), utc(2026, 1, 2, 0, 0, 1)),
        ("2026-01-01T00:00:00-1000DAYS", utc(2023, 4, 7), utc(2023, 4, 7, 0, 0, 1)),
        ("2024-02-29+1YEAR", utc(2025, 2, 28), utc(2025, 3, 1)),
        ("2014-12+1MONTH", utc(2015), utc(2015, 2)),
        ("9999", utc(9999), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_date_names_the_period(text: str, start: datetime, end: datetime) -> None:
    assert period(text, NOW) == (start, end)
    assert period(text, NOW.astimezone(timezone(timedelta(hours=9)))) == (start, end)


@pytest.mark.parametrize(
    "text",
    [
        *("", "tomorrow", "2014-1", "14-01-01", "2014-13", "2014-02-30", "2014-02-27T25:00:00Z", "0000", "٢٠١٤"),
        *("NOW-1", "NOW-DAY", "NOW-1WEEK", "NOW /DAY", "NOW-9999YEARS", "NOW+999999999DAYS", "0001-01-01T00:00+01:00"),
    ],
)
def test_what_is_no_date_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is (no date; .*|not in the calendar)\.$"):
        period(text, NOW)


@pytest.mark.parametrize(
    ("query", "start", "end"),
    [
        ("t:[2014 TO 2014-12-01]", utc(2014), utc(2014, 12, 2)),
        ("t:{2014 TO 2016}", utc(2015), utc(2016)),
        ("t:[NOW-1HOUR TO *]", utc(2026, 3, 31, 14, 20, 45), None),
        ("t:[* TO 2014-02-27T23:59:59Z]", None, utc(2014, 2, 28)),
        ("t:{* TO NOW/DAY}", None, utc(2026, 3, 31)),
        ("t:[2013-01-01T00:00:00Z/YEAR TO 2014-01-01T00:00:00Z/YEAR]", utc(2013), utc(2014, 1, 1, 0, 0, 1)),
        ("t:{NOW/DAY TO *]", utc(2026, 3, 31, 0, 0, 1), None),
        ("t:2000-11", utc(2000, 11), utc(2000, 12)),
        ('t:"2014-02-27 10:00"', utc(2014, 2, 27, 10), utc(2014, 2, 27, 10, 1)),
        ("t:NOW/DAY", utc(2026, 3, 31), utc(2026, 4, 1)),
        ("t:*", None, None),
        ("t:[* TO *]", None, None),
    ],
)
def test_a_condition_on_a_date_spans(query: str, start: datetime | None, end: datetime | None) -> None:
    match = parse(query)
    assert isinstance(match, Match)
    assert interval(match, NOW) == (start, end)


@pytest.mark.parametrize("value", ["soon", "2014*", '""', "[2014 TO soon]", "[2014-02-30 TO *]"])
def test_a_condition_that_is_no_date_is_a_problem_at_its_field(value: str) -> None:
    (match,) = fields(parse(f"(createdAt:{value}"))
    with pytest.raises(SyntaxProblem) as caught:
        interval(match, NOW)
    assert caught.value.position == 2


@given(st.text(max_size=30) | st.text(alphabet="NOW+-/0123456789DAYMONTHSYER:.TZ", max_size=30), st.datetimes())
def test_any_text_is_a_period_of_whole_seconds_or_a_plain_refusal(text: str, now: datetime) -> None:
    try:
        start, end = period(text, now.replace(tzinfo=UTC))
    except ValueError as error:
        assert str(error).endswith(".")
    else:
        assert start.tzinfo == end.tzinfo == UTC
        assert start.microsecond == end.microsecond == 0
        assert start <= end


def answer(text: str) -> Node | SyntaxProblem:
    try:
        return parse(text)
    except SyntaxProblem as problem:
        return problem


def depth_of_stack() -> int:
    return len(inspect.stack(context=0))


names = st.none() | st.text(string.ascii_letters, min_size=1)
texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\x7f“”„‟"), max_size=9)
filled = texts.filter(lambda text: text not in ("", "AND", "OR", "NOT"))
ranges = st.builds(Range, filled | st.none(), filled, st.booleans(), st.booleans())
values = st.builds(Phrase, texts) | st.builds(Word, filled, st.booleans())
conditions = st.builds(Match, names, values) | st.builds(Match, st.text(string.ascii_letters, min_size=1), ranges)


def several(kind: type[And | Or], parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    other = parts.filter(lambda part: not isinstance(part, kind))
    return st.lists(other, min_size=2, max_size=4).map(lambda found: kind(tuple(found)))


trees: st.SearchStrategy[Node] = st.recursive(
    conditions, lambda parts: st.builds(Not, parts) | several(And, parts) | several(Or, parts), max_leaves=12
)


def written(node: Node) -> str:
    match node:
        case Match(field, value):
            return (f"{field}:" if field else "") + written_value(value)
        case Not(part):
            return f"NOT ({written(part)})"
        case And(parts):
            return " AND ".join(f"({written(part)})" for part in parts)
        case Or(parts):
            return " OR ".join(f"({written(part)})" for part in parts)


def written_value(value: Value) -> str:
    match value:
        case Word(text, prefix):
            return escaped(text) + "*" * prefix
        case Phrase(text):
            return f'"{escaped(text)}"'
        case Range(low, high, low_included, high_included):
            ends = " TO ".join("*" if end is None else f'"{escaped(end)}"' for end in (low, high))
            return "{["[low_included] + ends + "}]"[high_included]


def escaped(text: str) -> str:
    return "".join(char if char.isalnum() else f"\\{char}" for char in text)
