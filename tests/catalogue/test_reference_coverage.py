"""docs/coverage.md says what the catalogue says, and the lists it is measured against are whole."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from deskhand.catalogue.coverage import Coverage, coverage
from deskhand.catalogue.documented import ADDITIONS, AREAS, GUIDE, NOT_YET
from deskhand.catalogue.notes import NOTES
from deskhand.catalogue.operations import BY_NAME, OPERATIONS

DOCUMENT = Path(__file__).parents[2] / "docs" / "coverage.md"
ROWS = [pair for area in AREAS.values() for pair in area]


def test_the_document_is_fresh() -> None:
    assert DOCUMENT.read_text() == coverage(OPERATIONS), (
        "run: .venv/bin/python -m deskhand.catalogue.coverage > docs/coverage.md"
    )


def test_all_145_documented_rows_are_listed() -> None:
    # Source: the navigation of the public documentation, counted by method.
    assert len(set(ROWS)) == len(ROWS) == 145
    assert Counter(method for method, _ in ROWS) == {"GET": 79, "POST": 21, "PUT": 20, "DELETE": 19, "PATCH": 6}
    assert set(NOT_YET) <= set(AREAS)


def test_the_guide_has_29_operations_in_nine_groups() -> None:
    names = [name for rows in GUIDE.values() for name, _, _ in rows]
    assert (len(GUIDE), len(names), len(set(names))) == (9, 29, 29)
    assert {(method, path) for rows in GUIDE.values() for _, method, path in rows} <= set(ROWS)


def test_an_operation_of_the_guide_has_the_promised_name() -> None:
    covered = Coverage(OPERATIONS)
    for rows in GUIDE.values():
        for name, method, path in rows:
            found = covered.operation((method, path))
            assert found is None or found.name == name


def test_the_additions_stand_on_documented_rows() -> None:
    assert {pair for _, _, pairs in ADDITIONS for pair in pairs} <= set(ROWS)
    dates = [date for date, _, _ in ADDITIONS]
    assert dates == sorted(dates)


def test_a_row_works_only_if_its_parameter_and_form_are_there() -> None:
    listed = BY_NAME["list_customers"]
    covered = Coverage([listed, replace(BY_NAME["get_customer"], path="/v2/things/{thing_id}")])
    assert covered.operation(("GET", "/v2/customers")) is listed
    assert covered.operation(("GET", "/v2/customers?page=1")) is listed
    assert covered.operation(("GET", "/v2/customers?async=true")) is None
    assert covered.operation(("GET", "/v2/things/{} (JSON)")) is not None
    assert covered.operation(("GET", "/v2/things/{} (RFC 822)")) is None
    assert covered.operation(("DELETE", "/v2/customers")) is None
    assert [one.path for one in covered.beyond()] == ["/v2/things/{thing_id}"]


def test_what_does_not_work_is_said_so() -> None:
    text = coverage([BY_NAME["list_customers"]])
    assert "**1 of the 145" in text
    assert "| `GET /v2/customers` | `list_customers` | works |" in text
    assert "| `POST /v2/customers` |  | not yet |" in text
    assert len(re.findall(r"\| works \|", text)) == 2, "in the guide and among the rows"


def test_notes_are_about_operations_that_exist() -> None:
    assert set(NOTES) <= set(BY_NAME)
    for name, notes in NOTES.items():
        assert notes and all(note.endswith(".") for note in notes), name
