"""Values of libraries in closures: equal contents have one form, other contents another, objects none."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import identify

TEXT = """
    import collections, inspect, re
    import dagster as dg, numpy as np, pandas as pd, polars as pl, pyarrow as pa
    from pydantic import BaseModel, PrivateAttr

    class Model(BaseModel):
        n: int = 1
        _hidden: int = PrivateAttr(default=0)

    class Options(dg.Config):
        n: int = 1

    class Handle(BaseModel, arbitrary_types_allowed=True):
        held: object = None

    def hidden(n):
        model = Model()
        model._hidden = n
        return model

    def attrs(n):
        frame = pd.DataFrame({"a": [1]})
        frame.attrs["n"] = n
        return frame

    def make(value):
        def f(): return value
        return f
    """

# Two values that differ.
PAIRS = [
    ("Model(n=1)", "Model(n=2)"),
    ("hidden(1)", "hidden(2)"),
    ("Options(n=1)", "Options(n=2)"),
    ("re.compile('a')", "re.compile('a', re.I)"),
    ("re.compile('a')", "re.compile(b'a')"),
    ("np.arange(3)", "np.arange(3).astype('float64')"),
    ("np.arange(4)", "np.arange(4).reshape(2, 2)"),
    ("np.float64(1)", "np.float32(1)"),
    ("np.dtype('int8')", "np.dtype('int16')"),
    ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [2]})"),
    ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [1.0]})"),
    ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [1]}, index=[5])"),
    ("pd.DataFrame({'a': [1]})", "attrs(1)"),
    ("pd.Series([1], name='a')", "pd.Series([1], name='b')"),
    ("pd.Timestamp('2020-01-01')", "pd.Timestamp('2020-01-01', tz='UTC')"),
    ("pl.DataFrame({'a': [1]})", "pl.DataFrame({'a': [2]})"),
    ("pl.Series('a', [1])", "pl.Series('b', [1])"),
    ("pl.col('a') + 1", "pl.col('a') + 2"),
    ("pl.LazyFrame({'a': [1]})", "pl.LazyFrame({'a': [2]})"),
    ("pl.LazyFrame({'a': [1]}).filter(pl.col('a') > 1)", "pl.LazyFrame({'a': [1]}).filter(pl.col('a') > 2)"),
    ("pl.List(pl.String)", "pl.List(pl.Int64)"),
    ("pl.Enum(['a'])", "pl.Enum(['b'])"),
    ("pl.Schema({'a': pl.Int64})", "pl.Schema({'b': pl.Int64})"),
    ("pa.schema([('a', pa.int8())])", "pa.schema([('a', pa.int16())])"),
    ("pa.table({'a': [1]})", "pa.table({'a': [2]})"),
    ("dg.AssetSpec('a')", "dg.AssetSpec('b')"),
    ("dg.AssetSpec('a', metadata={'n': 1})", "dg.AssetSpec('a', metadata={'n': 2})"),
    ("dg.AssetKey(['a'])", "dg.AssetKey(['b'])"),
    ("collections.OrderedDict(a=1)", "collections.OrderedDict(a=2)"),
    ("collections.deque([1], 3)", "collections.deque([1], 4)"),
    ("inspect.signature(lambda a: a)", "inspect.signature(lambda b: b)"),
    ("inspect.signature(lambda a=1: a)", "inspect.signature(lambda a=2: a)"),
    ("inspect.signature(lambda a: a)", "inspect.signature(lambda *, a: a)"),
    ("inspect.signature(make)", "inspect.signature(hidden)"),
    ("collections.defaultdict(list, a=1)", "collections.defaultdict(dict, a=1)"),
]
NO_FORM = [
    "np.array([object()], dtype=object)",
    "pd.DataFrame({'a': [object()]})",
    "pl.col('a').map_batches(lambda x: x)",
    "Handle(held=open('/dev/null'))",
    "pl.scan_csv(__file__)",
    "pl.LazyFrame({'a': [1]}).join(pl.scan_csv(__file__, new_columns=['a'], has_header=False), on='a')",
    "pl.LazyFrame({'a': [1]}).map_batches(lambda x: x)",
    "re.compile('a').match('a')",
    "inspect.signature(lambda a=open('/dev/null'): a)",
    "collections.defaultdict(iter([1]).__next__)",
]


def described(project: Project, value: str) -> tuple[str, tuple[str, ...]]:
    found = identify(eval(f"make({value})", vars(project.write({"made.py": TEXT}).load("made"))))
    return found.digest, found.unresolved


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_contents_are_the_identity_of_a_value(project: Project, one: str, other: str) -> None:
    """A value made twice has one digest, and another value another one."""
    first, again, second = (described(project, value) for value in (one, one, other))
    assert first == again
    assert first[0] != second[0]
    assert (first[1], second[1]) == ((), ())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("value", NO_FORM)
def test_a_value_that_may_hold_more_is_unresolved(project: Project, value: str) -> None:
    """Objects, functions in expressions, plans and open files have no form."""
    assert described(project, value)[1]
