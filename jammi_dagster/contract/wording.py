"""Words for people: durations, sizes, numbers with their noun, and texts of one line."""

from __future__ import annotations


def one_line(text: object) -> str:
    """Return a text in which nothing can move a cursor or break a line."""
    shown = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)


class Amount(str):
    """The text of a number with its unit: set flush right in a column."""

    __slots__ = ()


def is_amount(cell: object) -> bool:
    """Tell if a cell may stand in a column of numbers: a number, an amount, or nothing.

    >>> is_amount(3), is_amount(size(3)), is_amount(""), is_amount("3")
    (True, True, True, False)
    """
    return cell == "" or isinstance(cell, int | Amount)


def seconds(value: float | None) -> Amount:
    """Show a duration; a damaged one as it is.

    >>> seconds(0.25), seconds(75), seconds(None)
    ('0.25 s', '1 min 15 s', '')
    """
    if not isinstance(value, int | float):
        return Amount("" if value is None else one_line(value))
    if value < 60:
        return Amount(f"{value:.2f} s")
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return Amount(f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s")


def size(value: int | None) -> Amount:
    """Show a number of bytes; a damaged one as it is.

    >>> size(999), size(1_200_000), size(None)
    ('999 B', '1.2 MB', '')
    """
    if not isinstance(value, int | float):
        return Amount("" if value is None else one_line(value))
    shown, units = float(value), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    for larger in units:
        if shown < 1000:
            break
        shown, unit = shown / 1000, larger
    return Amount(f"{shown:.0f} {unit}" if unit == "B" else f"{shown:.1f} {unit}")


def with_reason(text: str, reason: str | None) -> str:
    """Append the reason that somebody gave, if any.

    >>> with_reason("by ada", "wrong units"), with_reason("by ada", None)
    ('by ada: wrong units', 'by ada')
    """
    return f"{text}: {reason}" if reason else text


def counted(number: int, noun: str) -> str:
    """Show a number with its noun.

    >>> counted(1, "table"), counted(2_000, "table")
    ('1 table', '2,000 tables')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
