"""Uses of the Dagster context by a function, besides its partition and its log."""

import functools
from typing import Any

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import context_uses_outside


def uses(project: Project, body: str, signature: str = "context, x=None") -> tuple[str, ...]:
    project.write({"alone.py": f"def f({signature}):\n    {body}\n"})
    return context_uses_outside(project.load("alone").f, "context")


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "return context.partition_key",
        "return context.partition_key.upper(), context.partition_keys[0]",
        "return context.partition_time_window.start, context.partition_key_range.end",
        "if context.has_partition_key: return context.multi_partition_key.keys_by_dimension",
        "return context.asset_partition_key_for_output('result'), context.asset_partition_keys_for_output()",
        "return context.asset_partitions_time_window_for_output().start, context.asset_partition_key_range.end",
        "context.log.info('x %s', context.asset_key); context.log.handlers.clear()",
        "helper(context.log, context.partition_key)",
        "return [context.partition_key for _ in x], lambda: context.partition_key",
        "x.context.run_id",
        "if context: context.log.info('x')",
        "return 1 if x and context is not None else 2 if None is context else not context",
        "context and context.log.info('x')",
        "while x and (x or context): context.log.info('x')",
        "return getattr(context, 'partition_key', None), hasattr(context, 'log'), isinstance(context, x)",
        "context.log.info(getattr(context, 'run_id', 'none'))",
    ],
)
def test_partition_and_log_are_inside(project: Project, body: str) -> None:
    """The partition, the log and the asset's own key bring nothing in."""
    assert uses(project, body) == ()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return context.run_id", ["context.run_id"]),
        ("return context.op_execution_context.run_id", ["context.run_id"]),
        ("return context.op_execution_context.partition_key", []),
        ("return context.op_execution_context.op_def.tags", ["context.op_def"]),
        ("return context.run.tags['x']", ["context.run"]),
        ("context.resources.db.query()", ["context.resources.db"]),
        ("context.instance; context.run_id; context.run_id", ["context.instance", "context.run_id"]),
        ("return helper(context)", ["context is passed to helper(...)"]),
        ("return helper(1, key=context)", ["context is passed to helper(...)"]),
        ("return x.y.helper(*context)", ["context is passed to x.y.helper(...)"]),
        ("return getattr(context, 'run_id')", ["context.run_id"]),
        ("return getattr(context, 'run_id', None)", ["context.run_id"]),
        ("return getattr(context, x)", ["context is passed to getattr(...)"]),
        ("return getattr(context, 'resources').db", ["context is passed to getattr(...)"]),
        ("return getattr(context, 'log', context)", ["context is passed to getattr(...)"]),
        ("getattr = x\n    return getattr(context, 'log')", ["context is passed to getattr(...)"]),
        ("return context or x", ["context is used as a value"]),
        ("return x and context", ["context is used as a value"]),
        ("return context == x, context is x", ["context is used as a value"]),
        ("return [context] if x else None", ["context is used as a value"]),
        ("return (lambda c: c.run_id)(context)", ["context is passed to a call(...)"]),
        ("c = context", ["context is used as a value"]),
        ("return context", ["context is used as a value"]),
        ("return {'c': context}", ["context is used as a value"]),
        ("context = x", ["context is reassigned"]),
        ("context.log = x", ["context.log"]),
        ("return [context.run_id for _ in x]", ["context.run_id"]),
        ("def g():\n        return context.run_id\n    return g()", ["context.run_id"]),
        ("return locals()", ["locals() may hand on context"]),
        ("return f'{context}'", ["context is used as a value"]),
        ("with context: pass", ["context is used as a value"]),
    ],
)
def test_everything_else_is_outside(project: Project, body: str, found: list[str]) -> None:
    """Any other attribute counts, and so does whatever lets the context itself go elsewhere."""
    assert list(uses(project, body)) == found


def test_a_function_without_the_parameter_uses_nothing(project: Project) -> None:
    """A function that does not take the context cannot use it."""
    assert uses(project, "return x.run_id", signature="x") == ()


@pytest.mark.parametrize(
    ("signature", "body", "found"),
    [
        ("*args, **kwargs", "return fn(*args, **kwargs)", ()),
        (
            "*args, **kwargs",
            "for _ in range(3):\n            result = fn(*args, **kwargs)\n        return result",
            (),
        ),
        ("context, *args, **kwargs", "return fn(context, *args, **kwargs)", ("context.run_id in f",)),
        (
            "context, *args",
            "return context.job_name, fn(context, *args)",
            ("context.job_name", "context.run_id in f"),
        ),
        ("context, *args", "return fn(*args, context)", ("context is passed to fn(...)",)),
        (
            "*args, **kwargs",
            "return args[0].job_name, fn(*args)",
            ("context passes through f(*args, **kwargs)",),
        ),
        ("*args, **kwargs", "return other(*args), fn(*args)", ("context passes through f(*args, **kwargs)",)),
        ("*args, **kwargs", "return fn(*args, x=args)", ("context passes through f(*args, **kwargs)",)),
        ("*args", "fn = other\n        return fn(*args)", ("context passes through f(*args, **kwargs)",)),
        ("*args", "return locals(), fn(*args)", ("context passes through f(*args, **kwargs)",)),
    ],
)
def test_the_function_within_a_decorator_is_read(
    project: Project, signature: str, body: str, found: tuple[str, ...]
) -> None:
    """A wrapper that only hands on all that it takes brings nothing in; the function within is read too."""
    project.write(
        {
            "alone.py": f"""
            import functools
            other = print
            def mark(fn):
                @functools.wraps(fn)
                def wrapper({signature}):
                    {body.replace(chr(10), chr(10) + "            ")}
                return wrapper
            @mark
            def f(context):
                return context.run_id
            """
        }
    )
    own = (
        () if "context.run_id in f" in found else ("context.run_id",)
    )  # each read of a function is told once
    assert context_uses_outside(project.load("alone").f, "context") == (*found, *own)


def test_methods_partials_and_objects_are_read(project: Project) -> None:
    """A bound method, a partial and an object with `__call__` lead to their function."""
    text = "class A:\n    def f(self, context): return context.run_id\n    __call__ = f\n"
    a: Any = project.write({"alone.py": text}).load("alone").A()
    for form in (a.f, a, functools.partial(a.f), functools.lru_cache(a.f)):
        assert context_uses_outside(form, "context") == ("context.run_id",)


def test_a_lambda_is_read(project: Project) -> None:
    """The body of a lambda is one expression."""
    lambdas = project.write({"alone.py": "f = lambda context: context.run_id\n"}).load("alone")
    assert context_uses_outside(lambdas.f, "context") == ("context.run_id",)


def test_without_source_there_is_one_answer(project: Project) -> None:
    """A function without source, or in C, gives one use that says so."""
    names: dict[str, Any] = {}
    exec("def f(context): return context.run_id", names)
    (no_source,) = context_uses_outside(names["f"], "context")
    assert no_source == "the source of f is not found: its use of context cannot be read"
    (native,) = context_uses_outside(len, "context")
    assert native == "len is not written in Python: its use of context cannot be read"
    function = project.write({"alone.py": "def f(context): pass\n"}).load("alone").f
    project.write({"alone.py": "def f(context): return 1\n"})
    (edited,) = context_uses_outside(function, "context")
    assert edited.startswith("the source of f is not found")


HELPERS = """
import dagster as dg

def logs(context, df):
    context.log.info("rows %s", len(df))
    return df

def asks(df, *, ctx=None):
    return df, ctx.run_id

def deeper(c, df):
    return asks(df, ctx=c)

def circles(context, n):
    return circles(context, n - 1) if n else context.run_id

def anything(*args):
    return args

def writes(context):
    context.add_output_metadata({"a": 1})
    context.log_event(dg.AssetObservation(asset_key="a"))
"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return logs(context, x)", []),
        ("writes(context)", []),
        ("return asks(x, ctx=context)", ["ctx.run_id in asks"]),
        ("return deeper(context, x)", ["ctx.run_id in asks"]),
        ("return circles(context, 3)", ["context.run_id in circles"]),
        ("return anything(context)", ["context is passed to anything(...)"]),
        ("return logs(*[context, x])", ["context is used as a value"]),
        ("logs = x\n    return logs(context, x)", ["context is passed to logs(...)"]),
        ("context.log.info(context.run_id)", []),
        ("context.log.info('%s', str(context.run.run_id) + 'x')", []),
        ("context.add_output_metadata({'run': f'{context.run_id}'})", []),
        ("return context.log.info(context.run_id)", ["context.run_id"]),
        ("context.log.info(x(context.run_id))", ["context.run_id"]),
        ("context.log.info(x := context.run_id)", ["context.run_id"]),
        ("if context.run_id: context.log.info('x')", ["context.run_id"]),
        ("x.log.info(context.run_id)", ["context.run_id"]),
    ],
)
def test_the_context_is_followed_into_helpers_and_to_the_log(
    project: Project, body: str, found: list[str]
) -> None:
    """A first-party helper's uses of the context count; a value that only reaches the log does not."""
    project.write({"alone.py": f"{HELPERS}\ndef f(context, x=None):\n    {body}\n"})
    assert context_uses_outside(project.load("alone").f, "context") == tuple(found)


@pytest.mark.parametrize(
    ("body", "found"), [("return x", ()), ("return context.run_id", ("context.run_id in f",))]
)
def test_the_context_is_followed_into_a_decorated_function(
    project: Project, body: str, found: tuple[str, ...]
) -> None:
    """A wrapper that hands the context to the function that it wraps reads as much as that function does."""
    project.write(
        {
            "alone.py": "def logged(fn):\n    def wrapper(context, x):\n        return fn(context, x)\n"
            f"    return wrapper\n@logged\ndef f(context, x):\n    {body}\n"
        }
    )
    assert context_uses_outside(project.load("alone").f, "context") == found
