"""Verdicts: each reads back equal, and is the engine's JSON."""

import json
from typing import Any

import pytest
from core_kit import VECTORS
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.contract import (
    AnchorKind,
    CacheOutcome,
    CurrentAnchor,
    DerivesFromEdge,
    MatchVerdict,
    Staleness,
    StaleReason,
)
from jammi_dagster.errors import InvalidField

_S = st.text(max_size=8)
_REASON = st.one_of(
    st.builds(StaleReason.definition_changed, _S, _S),
    st.builds(StaleReason.input_advanced, _S, _S, _S),
    st.builds(StaleReason.input_vanished, _S),
)
_VALUE = st.one_of(
    _REASON,
    st.builds(Staleness.fresh),
    st.builds(Staleness.missing_manifest),
    st.builds(Staleness.stale, st.lists(_REASON, max_size=3)),
    st.builds(Staleness.undecidable, st.lists(_S, max_size=3), st.lists(_REASON, max_size=3)),
    st.builds(CurrentAnchor.result_digest, _S),
    st.builds(CurrentAnchor.version, _S),
    st.builds(CurrentAnchor.undecidable),
    st.builds(CurrentAnchor.vanished),
    st.builds(DerivesFromEdge, input=_S, derived=_S, kind=st.sampled_from(AnchorKind)),
    st.builds(MatchVerdict.match),
    st.builds(MatchVerdict.missing_manifest),
    st.builds(MatchVerdict.match_with_unpinned_inputs, st.lists(_S, max_size=3)),
    st.builds(MatchVerdict.mismatch, _S, _S),
    st.builds(CacheOutcome.computed),
    st.builds(CacheOutcome.reused, _S),
)


def _answers() -> list[Any]:
    """Every answer of the engine, with the value that reads it."""
    kinds = {"staleness": Staleness, "verify_materialization": MatchVerdict, "derives_from": DerivesFromEdge}
    found = []
    for file in sorted(VECTORS.glob("catalogs/*/verdicts.json")):
        for at, question in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            answer = question.get("ok")
            if question["op"] in kinds and answer is not None:
                name = f"{file.parent.name}-{at}-{question['op']}"
                found.append(pytest.param(kinds[question["op"]], answer, id=name))
    return found


@given(_VALUE)
def test_every_value_reads_back_equal(value: Any) -> None:
    """`from_dict(to_dict(x)) == x`, also through JSON text."""
    assert type(value).from_dict(value.to_dict()) == value
    assert type(value).from_dict(json.loads(json.dumps(value.to_dict()))) == value


@pytest.mark.parametrize(("kind", "answer"), _answers())
def test_the_engines_answers_read_and_write_as_they_are(kind: Any, answer: Any) -> None:
    """An answer of the real engine, read and written again, is the same JSON, with the keys in the same order."""
    for one in answer if isinstance(answer, list) else [answer]:
        written = kind.from_dict(one).to_dict()
        assert json.dumps(written) == json.dumps(one)


def test_the_engines_answers_cover_every_variant() -> None:
    """The vectors hold each verdict, so that the test above proves each shape."""
    seen = {answer["staleness"] for kind, answer in map(_values, _answers()) if kind is Staleness}
    seen |= {answer["verdict"] for kind, answer in map(_values, _answers()) if kind is MatchVerdict}
    assert seen == {
        "fresh",
        "stale",
        "undecidable",
        "missing_manifest",
        "match",
        "match_with_unpinned_inputs",
        "mismatch",
    }


def _values(param: Any) -> Any:
    return param.values


def test_only_fresh_is_fresh() -> None:
    """No verdict but `fresh` says that reuse is safe."""
    others = [Staleness.stale([]), Staleness.undecidable([]), Staleness.missing_manifest()]
    assert Staleness.fresh().is_fresh
    assert not any(verdict.is_fresh for verdict in others)


def test_shapes_of_which_the_engine_recorded_none() -> None:
    """The tags of the reference's enums, for the values that no vector holds."""
    assert StaleReason.input_vanished("a").to_dict() == {"reason": "input_vanished", "source": "a"}
    assert CurrentAnchor.result_digest("d").to_dict() == {"current_anchor": "result_digest", "value": "d"}
    assert CurrentAnchor.version("7").to_dict() == {"current_anchor": "version", "value": "7"}
    assert CurrentAnchor.undecidable().to_dict() == {"current_anchor": "undecidable"}
    assert CurrentAnchor.vanished().to_dict() == {"current_anchor": "vanished"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (StaleReason, {"reason": "other"}),
        (StaleReason, {"reason": "input_advanced", "source": "a", "recorded": "1"}),
        (StaleReason, {"reason": "definition_changed", "recorded": 1, "current": "2"}),
        (Staleness, {"staleness": "rotten"}),
        (Staleness, {"staleness": "stale"}),
        (Staleness, {"staleness": "stale", "reasons": [1]}),
        (Staleness, {"staleness": "undecidable", "unpinned": [1], "decided_reasons": []}),
        (Staleness, {"staleness": "undecidable", "unpinned": "docs", "decided_reasons": []}),
        (CurrentAnchor, {"current_anchor": "result_digest"}),
        (CurrentAnchor, {"current_anchor": None}),
        (DerivesFromEdge, {"input": "a", "derived": "b", "kind": "other"}),
        (DerivesFromEdge, {"input": "a", "kind": "result_digest"}),
        (MatchVerdict, {"verdict": "match_with_unpinned_inputs", "unpinned": [1]}),
        (MatchVerdict, {"verdict": "mismatch", "expected": "a"}),
        (MatchVerdict, {"verdict": 1}),
        (CacheOutcome, {"cache_outcome": "maybe"}),
        (CacheOutcome, {"cache_outcome": "reused"}),
    ],
)
def test_what_is_no_verdict_is_refused(kind: Any, value: Any) -> None:
    """An unknown tag, a missing field or one of another type is a typed error."""
    with pytest.raises(InvalidField):
        kind.from_dict(value)


@pytest.mark.parametrize(
    "kind", [StaleReason, Staleness, CurrentAnchor, DerivesFromEdge, MatchVerdict, CacheOutcome]
)
@pytest.mark.parametrize("value", [None, [], "fresh", 1, {1: 2}, {}])
def test_what_is_no_object_is_refused(kind: Any, value: Any) -> None:
    """Anything but a JSON object with a tag is a typed error."""
    with pytest.raises(InvalidField):
        kind.from_dict(value)
