"""The values that a function holds besides its code: closures, defaults, partials, bound objects."""

from typing import Any

import pytest
from fingerprint_kit import FACTORY, Project

from jammi_dagster.fingerprint import identify

# Expressions over the module of FACTORY; all of them are different values.
VALUES = [
    "None",
    "True",
    "1",
    "1.0",
    "'1'",
    "b'1'",
    "1j",
    "...",
    "0.0",
    "-0.0",
    "float('nan')",
    "float('inf')",
    "10 ** 5000",
    "'\\ud800'",
    "(1, 2)",
    "[1, 2]",
    "{1, 2}",
    "frozenset({1, 2})",
    "((1,), 2)",
    "(1, (2,))",
    "('a', 'bc')",
    "('ab', 'c')",
    "{'a': 1, 'b': 2}",
    "{'b': 2, 'a': 1}",
    "{'a': {'b': 2}}",
    "m.Colour.RED",
    "m.Colour.BLUE",
    "m.Colour",
    "m.math",
    "m.helpers",
    "m.add",
    "m.make(1)",
    "m.make(2)",
    "m.Spec('a')",
    "m.Spec('a', 1)",
    "m.Spec('b')",
    "m.Slotted(1, 2)",
    "m.Slotted(1, 3)",
    "m.Job(2)",
    "m.Job(2).run",
    "m.Job(3).run",
    "m.Job.build",
    "m.functools.partial(m.add, 1)",
    "m.functools.partial(m.add, 2)",
    "m.functools.partial(m.add, b=1)",
    "m.functools.lru_cache(m.make(1))",
    "len",
    "sum",
    "m.math.sqrt",
    "'abc'.upper",
    "m.datetime.date(2020, 1, 1)",
    "m.datetime.datetime(2020, 1, 1)",
    "m.datetime.datetime(2020, 1, 1, tzinfo=m.datetime.timezone.utc)",
    "m.datetime.timedelta(1)",
    "m.decimal.Decimal('1.0')",
    "m.decimal.Decimal('1.00')",
    "m.uuid.UUID(int=1)",
    "m.pathlib.PurePosixPath('a/b')",
    "range(3)",
]


@pytest.fixture
def factory(project: Project) -> Any:
    return project.write(FACTORY).load("factory")


def test_different_values_give_different_digests(factory: Any) -> None:
    """Closure values of different types, values or structure never share an identity: a text may fill a slot."""
    found = {value: identify(factory.make(eval(value, {"m": factory}))) for value in VALUES}
    assert len({(one.digest, *one.slots.items()) for one in found.values()}) == len(VALUES)


@pytest.mark.parametrize("value", VALUES)
def test_an_equal_value_gives_an_equal_identity(factory: Any, value: str) -> None:
    """A value made anew in the same way is the same, and its identity is known."""
    one, two = (identify(factory.make(eval(value, {"m": factory}))) for _ in range(2))
    assert one == two
    assert one.unresolved == ()


@pytest.mark.parametrize("maker", ["with_default", "with_keyword_default"])
def test_defaults_count(factory: Any, maker: str) -> None:
    """A default that a factory computed is a value like a closure's."""
    make = getattr(factory, maker)
    assert identify(make(1)).digest != identify(make(2)).digest
    assert identify(make(1)).digest == identify(make(1)).digest
    (reason,) = identify(make(object())).unresolved
    assert reason.startswith(f"the default of 'x' of {maker}.<locals>.f holds a object")


def test_functions_that_close_over_each_other_end(factory: Any) -> None:
    """A cycle of closures has an identity, which the other values in it move."""
    for make in (factory.recursive, factory.mutual):
        assert identify(make(1)) == identify(make(1))
        assert identify(make(1)).digest != identify(make(2)).digest
        assert identify(make(1)).unresolved == ()


def test_a_function_in_a_closure_brings_its_modules(factory: Any) -> None:
    """A closed-over function's module is reached, though nothing imports it statically."""
    import helpers  # type: ignore[import-not-found]

    assert "helper h (helpers.py)" in identify(factory.make(helpers.h)).named


def test_a_collection_that_changes_between_two_looks_is_described_again(factory: Any) -> None:
    """The form of plain data is found by its exact content: a change of an item at any depth moves the identity."""
    held: dict[str, Any] = {f"rate {n}": [n, float(n), (f"text {n}",)] for n in range(20)}
    function = factory.make(held)
    first = identify(function)
    for other in (3.0, True, "3", b"3", None):
        held["rate 3"][0] = other
        assert identify(function).digest != first.digest, other
    held["rate 3"][0] = 3
    assert identify(function) == first
    held["rate 0"] = held.pop("rate 0")  # the last key now
    assert identify(function).digest != first.digest


@pytest.mark.parametrize("first", [0, 1])
def test_bytes_and_a_buffer_of_these_bytes_differ(factory: Any, first: int) -> None:
    """A buffer within plain data is not taken for bytes, whichever of them a process described before."""
    content = b"content" * 20
    made = [factory.make(["text", value]) for value in (content, bytearray(content))]
    identify(made[first])
    assert identify(made[0]).unresolved == ()
    assert "bytearray" in identify(made[1]).unresolved[0]


def test_sets_do_not_depend_on_their_order(factory: Any) -> None:
    """A set of functions has one identity, whatever order it iterates in."""
    functions = [factory.make(n) for n in range(6)]
    one, two = (identify(factory.make(set(order))) for order in (functions, functions[::-1]))
    assert one == two


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("object()", "object"),
        ("m.make", None),
        ("open(m.__file__)", "TextIOWrapper"),
        ("iter([1])", "list_iterator"),
    ],
)
def test_a_value_without_a_form_is_named(factory: Any, value: str, kind: str | None) -> None:
    """A value that cannot be hashed makes the identity unknown; the reason names the variable, never its value."""
    held = eval(value, {"m": factory, "open": open})
    unresolved = identify(factory.make(held)).unresolved
    if hasattr(held, "close"):
        held.close()
    expected = (
        f"the closure variable 'value' of make.<locals>.f holds a {kind}, which cannot be hashed: "
        "pass it as an input or config, or give code_version="
    )
    assert unresolved == (() if kind is None else (expected,))


def test_a_value_within_a_value_is_named(factory: Any) -> None:
    """The reason leads to where in a container or an instance the value without a form is."""
    (reason,) = identify(factory.make([factory.Spec("a", {"k": object()})])).unresolved
    assert reason.startswith(
        "an item of 'size' of an item of the closure variable 'value' of make.<locals>.f holds"
    )


def test_a_container_that_contains_itself_is_named(factory: Any) -> None:
    """A list that is its own item has no form."""
    endless: list[object] = []
    endless.append(endless)
    (reason,) = identify(factory.make(endless)).unresolved
    assert "contains itself" in reason


def test_a_value_that_is_too_deep_is_named(factory: Any) -> None:
    """Nesting beyond Python's recursion limit is an answer, not a crash."""
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    (reason,) = identify(factory.make(deep)).unresolved
    assert reason == "make.<locals>.f holds a value that is nested too deeply to be read: give code_version="


def test_a_class_made_in_a_function_is_named(factory: Any) -> None:
    """A class that its module does not hold under its name may be any of many."""
    (reason,) = identify(factory.make(factory.local_class())).unresolved
    assert "the class local_class.<locals>.Local" in reason


def test_a_list_that_is_only_written_to_is_a_log(project: Project) -> None:
    """A list that functions close over and only add to is a log: it does not count."""
    text = """
        def make(use):
            log, read = [], []
            def writes(x=1):
                log.append(x)
                return x
            def reads(x=1):
                read.append(x)
                return len(read)
            return writes if use == "writes" else reads
        """
    make = project.write({"alone.py": text}).load("alone").make
    for use, moves in (("writes", False), ("reads", True)):
        function = make(use)
        before = identify(function)
        assert before.unresolved == ()
        function()
        assert (identify(function).digest != before.digest) is moves


def test_a_cell_that_is_still_empty_is_named(project: Project) -> None:
    """A closure variable that is assigned later is not known yet."""
    project.write(
        {
            "alone.py": """
            from jammi_dagster.fingerprint import identify
            def make():
                def f(): return later
                early = identify(f)
                later = 1
                return early
            """
        }
    )
    (reason,) = project.load("alone").make().unresolved
    assert reason.startswith("the closure variable 'later' of make.<locals>.f is not assigned yet: ")


def test_a_callable_object_is_its_class_and_attributes(factory: Any) -> None:
    """An object with `__call__` counts by its class's module and its attributes."""
    assert set(identify(factory.Job(1)).named) == {"class Job (factory.py)"}
    assert identify(factory.Job(1)) == identify(factory.Job(1))
    assert identify(factory.Job(1)).digest != identify(factory.Job(2)).digest
    assert identify(factory.Job(object())).unresolved


def test_a_decorator_s_arguments_count(project: Project) -> None:
    """`functools.wraps` hides neither the wrapper's closure nor the function within."""
    project.write(
        {
            "marks.py": """
            import functools
            def times(n):
                def mark(fn):
                    @functools.wraps(fn)
                    def wrapper(x):
                        return fn(x) * n
                    return wrapper
                return mark
            """,
            "alone.py": """
            def f(x): return x
            def g(x): return -x
            """,
        }
    )
    alone, marks = project.load("alone"), __import__("marks")
    forms = [alone.f, marks.times(2)(alone.f), marks.times(3)(alone.f), marks.times(2)(alone.g)]
    assert len({identify(form).digest for form in forms}) == 4
    assert set(identify(forms[1]).named) == {
        "function f (alone.py)",
        "helper times.mark.wrapper (marks.py)",
        "import functools (marks.py)",
        "closure variable 'n' of f",
    }


def test_two_lambdas_on_a_line_are_not_guessed(project: Project) -> None:
    """Python tells where a lambda is only by its line; two on one line cannot be told apart."""
    project.write({"alone.py": "pair = lambda: 1, lambda: 2\nsingle = lambda: 3\n"})
    alone = project.load("alone")
    assert identify(alone.single).unresolved == ()
    (reason,) = identify(alone.pair[0]).unresolved
    assert reason == (
        "alone.py:1 has several lambdas that cannot be told apart: "
        "put each on its own line, or give code_version="
    )


@pytest.mark.parametrize(
    "fn", [len, "abc".upper, __import__("math").sqrt, __import__("operator").itemgetter(1)]
)
def test_what_is_not_python_is_unresolved(fn: Any) -> None:
    """A function written in C has no source to identify."""
    assert any(reason.endswith(": give code_version=") for reason in identify(fn).unresolved)


def test_a_function_made_by_exec_is_unresolved(project: Project) -> None:
    """Code that is in no file is not mistaken for code of the module it was made in."""
    text = "def make():\n    names = {}\n    return names, globals()\n"
    names, module_names = project.write({"alone.py": text}).load("alone").make()
    exec("def f(): return 1", names)
    (reason,) = identify(names["f"]).unresolved
    assert reason == "f has no source file: define it in a module, or give code_version="
    exec("def make(): return 1", module_names)
    assert any("by `exec` or typed in" in reason for reason in identify(module_names["make"]).unresolved)


def test_names_that_claim_a_module_are_not_believed() -> None:
    """Code run with a `__name__` that is not its own does not pass for the standard library's."""
    names: dict[str, Any] = {"__name__": "json"}
    exec("def f(): return 1", names)
    assert identify(names["f"]).unresolved
