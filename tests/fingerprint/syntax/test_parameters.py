"""The parameters of a function, in every way that Python lets them be written."""

import pytest
from fingerprint_kit import Project


@pytest.mark.parametrize(
    "parameters",
    ["a, /", "a, b, /", "a, b, c, /", "a, b=2, /", "a, b, /, c", "a, b, /, *, c", "a, b, /, *c, d=4, **e"],
)
def test_parameters_by_position_alone_are_read(project: Project, parameters: str) -> None:
    """A function is read whatever its parameters are, and a helper that it calls counts."""
    text = "def helper({}):\n    return {}\n\ndef f(x):\n    return helper(1, 2, 3)\n"
    one, other = (project.of_source(text.format(parameters, value)) for value in (1, 2))
    assert not one.unresolved
    assert not other.unresolved
    assert one.digest != other.digest
