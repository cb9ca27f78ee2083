"""What returned goods take back of what their lines earned. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def clawed_back_points(line_points: int, amount_minor: int, returned_minor: int) -> int:
    """What has to be taken back in all once `returned_minor` of a line of `amount_minor` has come back.

    Proportional, rounded down; the whole amount takes exactly the whole points. A line without value takes none.
    """
    return 0 if amount_minor == 0 else line_points * returned_minor // amount_minor


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line as it was sold, with the points it earned and what has come back of it so far."""

    line_no: int
    amount_minor: int
    points: int
    returned_minor: int = 0


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """A line of one refund: what is paid back and what is taken back, and what has come back of the line in all."""

    line_no: int
    amount_minor: int
    points: int
    returned_minor: int


class LineNotSold(Exception):
    """The refund names a line that the sale does not have, or names one twice."""

    def __init__(self, line_no: int) -> None:
        super().__init__(line_no)
        self.line_no = line_no


class ReturnTooLarge(Exception):
    """More comes back than is left of a line."""

    def __init__(self, line_no: int, left_minor: int, refund_minor: int) -> None:
        super().__init__(line_no)
        self.line_no, self.left_minor, self.refund_minor = line_no, left_minor, refund_minor


def returned_lines(sold: Sequence[SoldLine], asked: Sequence[tuple[int, int]]) -> list[ReturnedLine]:
    """The lines of a refund. `asked` is (line_no, amount_minor); empty means all that is left.

    Raises LineNotSold, and ReturnTooLarge also when nothing is left at all.
    """
    by_no = {line.line_no: line for line in sold}
    wanted = list(asked) or [
        (line.line_no, line.amount_minor - line.returned_minor)
        for line in sold
        if line.amount_minor > line.returned_minor
    ]
    if not wanted:
        raise ReturnTooLarge(0, 0, 0)
    result = []
    for line_no, refund_minor in wanted:
        line = by_no.pop(line_no, None)
        if line is None:
            raise LineNotSold(line_no)
        returned_minor = line.returned_minor + refund_minor
        if returned_minor > line.amount_minor:
            raise ReturnTooLarge(line_no, line.amount_minor - line.returned_minor, refund_minor)
        before = clawed_back_points(line.points, line.amount_minor, line.returned_minor)
        after = clawed_back_points(line.points, line.amount_minor, returned_minor)
        result.append(ReturnedLine(line_no, refund_minor, after - before, returned_minor))
    return result
