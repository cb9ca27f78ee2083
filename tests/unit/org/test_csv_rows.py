"""What a row of an import means, and what is said about a bad one."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.org import errors, rules
from services.org.rules import Row

HEADER = "kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor\n"
UNIT = "unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,\n"


def faults_of(*lines: str) -> list[tuple[int, str, str]]:
    _, faults = rules.read_rows(HEADER + "".join(lines))
    return [(fault.line, fault.column, fault.problem.reason) for fault in faults]


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        # what kind of thing it is
        ("shop,S1,Shop,,,,,,\n", "kind", "KIND_UNKNOWN"),
        (",S1,Shop,,,,,,\n", "kind", "KIND_UNKNOWN"),
        # codes end up in ids and addresses
        ("store,,Shop,M1,,,,,\n", "code", "CODE_INVALID"),
        ("store,a b,Shop,M1,,,,,\n", "code", "CODE_INVALID"),
        ("store,-a,Shop,M1,,,,,\n", "code", "CODE_INVALID"),
        ("store,店,Shop,M1,,,,,\n", "code", "CODE_INVALID"),
        (f"store,{'a' * 65},Shop,M1,,,,,\n", "code", "CODE_INVALID"),
        # names
        ("store,S1,,M1,,,,,\n", "name", "NAME_INVALID"),
        (f"store,S1,{'x' * 101},M1,,,,,\n", "name", "NAME_INVALID"),
        ("store,S1,a\x00b,M1,,,,,\n", "name", "NAME_INVALID"),
        (f"terminal,T1,{'x' * 101},S1,,,,,\n", "name", "NAME_INVALID"),
        ("terminal,T1,a\x00b,S1,,,,,\n", "name", "NAME_INVALID"),
        # what a unit needs
        ("unit,U1,Unit,MALL,mall,Asia/Shanghai,CNY,,\n", "parent_code", "PARENT_NOT_EMPTY"),
        ("unit,U1,Unit,,castle,Asia/Shanghai,CNY,,\n", "unit_kind", "UNIT_KIND_UNKNOWN"),
        ("unit,U1,Unit,,mall,Asia/Atlantis,CNY,,\n", "time_zone", "TIME_ZONE_UNKNOWN"),
        ("unit,U1,Unit,,mall,../etc/passwd,CNY,,\n", "time_zone", "TIME_ZONE_UNKNOWN"),
        ("unit,U1,Unit,,mall,,CNY,,\n", "time_zone", "TIME_ZONE_UNKNOWN"),
        ("unit,U1,Unit,,mall,Asia/Shanghai,RMB¥,,\n", "currency_code", "CURRENCY_INVALID"),
        # too long
        (f"merchant,M1,M,MALL,,,,{'c' * 65},\n", "category", "CATEGORY_INVALID"),
        (f"store,S1,S,M1,,,,,{'f' * 17}\n", "floor", "FLOOR_INVALID"),
        # not a row of this file
        ("store,S1,S,M1\n", "", "CELL_COUNT_WRONG"),
        ("store,S1,S,M1,,,,,,more\n", "", "CELL_COUNT_WRONG"),
        ('store,S1,"S"x,M1,,,,,\n', "", "ROW_UNREADABLE"),
        ('store,S1,"never closed,M1,,,,,\n', "", "ROW_UNREADABLE"),
    ],
)
def test_bad_row_is_reported_with_line_column_and_reason(line: str, column: str, reason: str) -> None:
    rows, faults = rules.read_rows(HEADER + UNIT + line)
    assert [row.code for row in rows] == ["MALL"]
    (fault,) = faults
    assert (fault.line, fault.column, fault.problem.reason) == (3, column, reason)


def test_a_merchant_s_legal_name_is_one_line_of_at_most_200_characters() -> None:
    header = "kind,code,name,parent_code,legal_name\n"
    good = f"merchant,M1,Shop,MALL,{'司' * 200}\n"
    rows, faults = rules.read_rows(
        header + good + f"merchant,M2,Shop,MALL,{'司' * 201}\nmerchant,M3,Shop,MALL,a\x00b\n"
    )
    assert [(row.code, row.legal_name) for row in rows] == [("M1", "司" * 200)]
    told = [(fault.line, fault.column, fault.problem.reason) for fault in faults]
    assert told == [(3, "legal_name", "LEGAL_NAME_INVALID"), (4, "legal_name", "LEGAL_NAME_INVALID")]


def test_every_row_error_speaks_both_languages() -> None:
    problems = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.RowProblem)]
    reasons = [one.reason for one in problems if one is not errors.RowProblem]
    assert len(set(reasons)) == len(reasons)
    for problem in problems:
        if problem is not errors.RowProblem:
            assert problem.__doc__
            assert any("一" <= character <= "鿿" for character in problem.zh)


def test_all_wrong_cells_of_a_row_are_reported() -> None:
    assert faults_of("unit,-,,X,castle,Mars,?,,\n") == [
        (2, "code", "CODE_INVALID"),
        (2, "name", "NAME_INVALID"),
        (2, "parent_code", "PARENT_NOT_EMPTY"),
        (2, "unit_kind", "UNIT_KIND_UNKNOWN"),
        (2, "time_zone", "TIME_ZONE_UNKNOWN"),
        (2, "currency_code", "CURRENCY_INVALID"),
    ]


def test_lines_are_counted_over_quoted_line_breaks_and_blank_lines() -> None:
    text = "\ufeff" + HEADER + 'merchant,M1,"Big\r\nShop",MALL,,,,,\n\n , ,,,,,,,\nstore,?,S,M1,,,,,\n'
    rows, faults = rules.read_rows(text)
    assert [(row.line, row.name) for row in rows] == [(2, "Big Shop")]
    assert [fault.line for fault in faults] == [6]


def test_repeated_code_counts_once_per_kind() -> None:
    text = HEADER + "merchant,A,A,MALL,,,,,\nstore,A,A,A,,,,,\nstore,A,B,A,,,,,\n"
    rows, faults = rules.read_rows(text)
    assert [(row.kind, row.name) for row in rows] == [("merchant", "A"), ("store", "A")]
    assert [(fault.line, fault.problem.reason) for fault in faults] == [(4, "CODE_REPEATED")]


def test_columns_may_be_left_out_and_come_in_any_order() -> None:
    rows, faults = rules.read_rows("Parent_Code,code, KIND\nS1,T1,terminal\n")
    assert (rows, faults) == ([Row(line=2, kind="terminal", code="T1", parent_code="S1")], [])


@pytest.mark.parametrize(
    "text",
    [
        "",  # nothing at all
        "\n\n",  # blank lines only
        "kind,code,colour\n",  # a column that nobody knows
        "kind,code,code\n",  # one that comes twice
        "code,name\n",  # without a kind
        HEADER + "terminal,T,,S,,,,,\n" * 5001,  # too long
        '"kind,code\n',  # a header that never ends
    ],
)
def test_file_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(errors.CsvUnreadable):
        rules.read_rows(text)


@given(st.text(max_size=300))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        rows, faults = rules.read_rows(HEADER + text)
    except errors.CsvUnreadable:
        return
    assert not {row.line for row in rows} & {fault.line for fault in faults}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(rules.KINDS),
            st.from_regex(rules.CODE, fullmatch=True),
            st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60),
        ),
        max_size=20,
        unique_by=lambda row: row[:2],
    )
)
def test_well_formed_rows_are_read_as_written(rows: list[tuple[str, str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(rules.COLUMNS)
    for kind, code, name in rows:
        unit = ["mall", "Asia/Shanghai", "CNY"] if kind == "unit" else ["", "", ""]
        writer.writerow([kind, code, name, "" if kind == "unit" else "P", *unit, "", "", ""])
    read, faults = rules.read_rows(file.getvalue())
    named = [row for row in rows if row[0] == "terminal" or row[2].split()]
    assert [(row.kind, row.code, row.name) for row in read] == [(k, c, " ".join(n.split())) for k, c, n in named]
    assert {fault.problem.reason for fault in faults} <= {"NAME_INVALID"}
