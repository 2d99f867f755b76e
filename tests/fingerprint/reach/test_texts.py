"""Names that a library looks up from a text count as uses; a computed text hides them."""

import pytest
from fingerprint_kit import Project

LOOKED_UP = [
    "df.query('x > @LIMIT')",
    "df.query('x > @LIMIT and y < 3', engine='python')",
    "df.query(expr='x > @LIMIT')",
    "df.query(f'x > {LIMIT}') if 0 else df.query(TEXT)",
    "df.eval('y = x * @LIMIT')",
    "df.loc[df.eval('x > @LIMIT')]",
    "pd.eval('LIMIT + 1')",
    "pd.eval(TEXT)",
    "numexpr.evaluate('LIMIT * 2')",
    "duckdb.sql('select * from LIMIT')",
    "duckdb.query(query='select * from LIMIT')",
    "duckdb.from_df(x).filter('y in (select y from LIMIT)')",
    "duckdb.from_df(x).project('y + (select z from LIMIT)').pl()",
    "con.sql('select a, b from LIMIT where a > 1')",
    "con.execute('select * from LIMIT join b using (c)')",
    "con.query('select * from LIMIT')",
    "pl.sql('select * from LIMIT')",
    "smf.ols('y ~ x + LIMIT', df)",
    "patsy.dmatrix('x + LIMIT')",
    "sm.formula.ols('y ~ x + LIMIT', df)",
    "patsy.incr_dbuilder('x + LIMIT', list)",
    "formulaic.Formula.from_spec('x + LIMIT')",
    "formulaic.ModelSpec(formula='x + LIMIT')",
    "bambi.Model('y ~ LIMIT', df)",
    "lifelines.CoxPHFitter().fit(df, formula='x + LIMIT')",
    "pyfixest.feols('y ~ LIMIT', df)",
    "plotnine.aes('a', y='LIMIT')",
    "pl.SQLContext.execute_global('select * from LIMIT')",
    "fugue.api.fugue_sql('select * from LIMIT')",
    "instantiate({'_target_': 'limits.LIMIT'})",
    "pydoc.locate('limits.LIMIT')",
    "pkgutil.resolve_name('limits:LIMIT')",
    "load('limits.LIMIT')",
    "load(path='limits:LIMIT')",
    "['limits.LIMIT']",
    "getattr(limits, 'LIMIT')",
    "getattr(df, 'query')('x > @LIMIT')",
    "(ask := df.query) and ask('x > @LIMIT')",
    "functools.partial(df.query, 'x > @LIMIT')()",
    "pd.DataFrame.query(df, 'x > @LIMIT')",
    "importlib.import_module('limits').LIMIT",
]
HEAD = """
import dagster as dg, duckdb, functools, importlib, limits, numexpr, pandas as pd, patsy, pkgutil, polars as pl, pydoc
import bambi, formulaic, fugue.api, lifelines, mako.template, patsy.highlevel, plotnine, pyfixest
import statsmodels.api as sm, statsmodels.formula.api as smf
from hydra.utils import instantiate
from limits import LIMIT
TEXT = "x > @LIMIT"
def f(df, con, load, x):
    return {}
"""
HIDING = [
    "df.query(f'x > {x}')",
    "df.query('x > ' + x)",
    "df.eval(x)",
    "pd.eval(expr=x)",
    "duckdb.sql(x)",
    "duckdb.connect().execute(x)",
    "pl.sql(x)",
    "pydoc.locate(x)",
    "smf.ols(x, df)",
    "map(pydoc.locate, x)",
    "list(map(df.query, x))",
    "df.pipe(pd.DataFrame.query, x)",
    "df.query(' and '.join(x))",
    "df.query(' and '.join(['x > @LIMIT', 'y < 2']))",
    "df.query('x > @%s' % 'LIMIT')",
    "df.query(f'x > @LIMIT and y < {3}')",
    "df.query('x > %s' % x)",
    "mako.template.Template(x)",
    "mako.template.Template('<% import os %>${os.environ}')",
]
SEPARATE = [
    "df['limits.LIMIT']",
    "{'limits.LIMIT': 1}",
    "context.log.info('limits.LIMIT')",
    "print('LIMIT')",
    "df.query('LIMIT > 3')",
    "con.execute('select orders from t')",
    "load('LIMIT')",
    "dg.AssetKey('limits.LIMIT')",
    "load('limits.csv')",
    "model.eval()",
    "df.select(pl.sql_expr('LIMIT > 3'))",
    "df.query(f'x > {3}')",
    "df.query('x > %d and y < %s' % (3, 'z'))",
    "df.query(' and '.join(('x > 3', 'y < 2')))",
    "mako.template.Template('${LIMIT}')",
    "instantiate({'_target_': 'polars.DataFrame', 'data': df})",
]


def _read(project: Project, expression: str) -> tuple[bool, tuple[str, ...]]:
    """Return True if `limits.LIMIT` is a component of a function with this expression, and its reasons."""
    project.write({"limits.py": "LIMIT = 1\ndef orders(): return 1\n", "alone.py": HEAD.format(expression)})
    project.write({"main.py": "def f():\n    import alone\n    return alone.f\n"})
    found = project.identity("main.f")
    return "constant LIMIT (limits.py)" in found.named, found.unresolved


@pytest.mark.parametrize("expression", LOOKED_UP)
def test_a_name_in_a_text_is_a_use(project: Project, expression: str) -> None:
    """The name counts wherever a library looks it up, also in a text that a variable holds."""
    assert _read(project, expression)[0]


@pytest.mark.parametrize("expression", HIDING)
def test_a_computed_text_hides_names(project: Project, expression: str) -> None:
    """A text that is not known may hold any name."""
    reasons = _read(project, expression)[1]
    assert reasons
    assert all("with a computed text" in reason for reason in reasons)


@pytest.mark.parametrize("expression", SEPARATE)
def test_other_texts_are_texts(project: Project, expression: str) -> None:
    """Keys, columns, log texts and the arguments of Dagster lead to no code."""
    assert _read(project, f"0 if LIMIT_ else {expression}".replace("LIMIT_", "x")) == (False, ())


def test_a_table_of_a_query_is_no_function(project: Project) -> None:
    """A query scans variables: a column that is called like an asset does not bring the asset."""
    text = "def orders(): return 1\ndef f(con): return con.execute('select orders from orders')\n"
    assert set(project.of_source(text).named) == {"function f (alone.py)"}


@pytest.mark.parametrize(
    "given",
    ["x", "{'_target_': x}", "{**x, '_target_': 'limits.LIMIT'}", "{'a': {'_target_': x}}", "{'a': 1}"],
)
def test_a_computed_target_hides_the_code(project: Project, given: str) -> None:
    """A table that is made by instantiation names its class or function only where it is written."""
    assert "with a computed target" in str(_read(project, f"instantiate({given})")[1])


@pytest.mark.parametrize(
    "name",
    [
        "stevedore.driver.DriverManager",
        "pkg_resources.load_entry_point",
        "gin.parse_config",
        "imp.load_source",
    ],
)
def test_a_loader_of_plugins_hides_the_code(project: Project, name: str) -> None:
    """No source shows the code that it takes."""
    assert project.of_source(
        f"def f(x):\n    import {name.partition('.')[0]}\n    return {name}(x)\n"
    ).unresolved
