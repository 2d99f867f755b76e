"""The reference of the command line is the help of its commands."""

from tools.cli_reference import PAGE, page


def test_the_reference_of_the_command_line_is_up_to_date() -> None:
    """After a change to a command or an option, run `python -m tools.cli_reference`."""
    assert PAGE.read_text(encoding="utf-8") == page()
