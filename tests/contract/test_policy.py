"""Policy and outcome: asked for, and reported."""

import pytest

from jammi_dagster.contract import CacheOutcome, CachePolicy


def test_policies_are_the_engines_words() -> None:
    """A policy is its word, so that config and tags can hold it."""
    assert [CachePolicy("use"), CachePolicy("bypass")] == [CachePolicy.USE, CachePolicy.BYPASS]
    with pytest.raises(ValueError, match="never"):
        CachePolicy("never")


def test_an_outcome_says_which_path_was_taken() -> None:
    """`computed` names no table, `reused` names the reused one."""
    assert CacheOutcome.computed().to_dict() == {"cache_outcome": "computed"}
    assert CacheOutcome.reused("t").to_dict() == {"cache_outcome": "reused", "table": "t"}
    assert not CacheOutcome.computed().is_reused
    assert CacheOutcome.reused("t").is_reused
    assert CacheOutcome.reused("") != CacheOutcome.computed()
