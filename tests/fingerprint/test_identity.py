"""Edits in a project of several modules that move the identity of a function, and edits that do not."""

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from fingerprint_kit import Project

from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint import identify

REACHED = {
    "function f (pipelines/text.py)",
    "helper helper (pipelines/text.py)",
    "constant SCALE (pipelines/text.py)",
    "import first (pipelines/text.py)",
    "import marks (pipelines/text.py)",
    "helper marked (pipelines/marks.py)",
    "helper marked.wrapper (pipelines/marks.py)",
    "import functools (pipelines/marks.py)",
    "helper apply (pipelines/steps/first.py)",
    "import second (pipelines/steps/first.py)",
    "helper apply (pipelines/steps/second.py)",
    "helper apply (pipelines/steps/third.py)",
}


def test_reaches_what_is_used_at_any_depth(pipelines: Project) -> None:
    """Every first-party definition that the code uses is a component; no other is."""
    identity = pipelines.identity()
    assert set(identity.named) == REACHED
    assert identity.kind == "source"
    assert (identity.outside, identity.unresolved, identity.libraries) == ((), (), {})


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pipelines/text.py", "SCALE = 2", "SCALE = 2  # twice"),
        ("pipelines/text.py", "SCALE = 2", "SCALE = (\n    2\n)"),
        ("pipelines/text.py", "    return x * SCALE", '    """Scale."""\n    return x * SCALE'),
        ("pipelines/text.py", "from pipelines.steps", '"""The texts."""\n\n\nfrom pipelines.steps'),
        ("pipelines/steps/third.py", "# a circle", "# round and round"),
        ("pipelines/aside.py", "return 1", "return 2"),
        ("pipelines/settings.py", "LIMIT = 3", "LIMIT = 4"),
        ("pipelines/steps/__init__.py", "", "import os\n"),
    ],
)
def test_neutral_edits_do_not_move(pipelines: Project, file: str, old: str, new: str) -> None:
    """Comments, layout, docstrings and modules that are not reached mean nothing."""
    before = pipelines.identity()
    assert pipelines.replace(file, old, new).identity() == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("pipelines/text.py", "first.apply(helper(x))", "first.apply(x)", id="body"),
        pytest.param("pipelines/text.py", "x * SCALE", "x * SCALE + 1", id="helper in the module"),
        pytest.param("pipelines/text.py", "SCALE = 2", "SCALE = 3", id="module constant"),
        pytest.param("pipelines/text.py", "SCALE = 2", "SCALE = 2.0", id="type of a constant"),
        pytest.param("pipelines/text.py", "@marks.marked\n", "", id="decorator removed"),
        pytest.param("pipelines/text.py", "def f(x):", "def f(x=0):", id="default"),
        pytest.param("pipelines/marks.py", "return fn(*args)", "return -fn(*args)", id="decorator changed"),
        pytest.param("pipelines/steps/third.py", "x + 1", "x + 2", id="helper at depth three"),
        pytest.param("pipelines/steps/__init__.py", "", "print()\n", id="package on the way"),
        pytest.param(
            "pipelines/settings.py", "LIMIT = 3", "LIMIT = 3\nprint()", id="imported by the __init__"
        ),
    ],
)
def test_edits_that_may_change_the_result_move(pipelines: Project, file: str, old: str, new: str) -> None:
    """An edit that may change the result changes the digest, and only components of the edited file."""
    before = pipelines.identity()
    after = pipelines.replace(file, old, new).identity()
    assert after.digest != before.digest
    changed = dict(set(before.named.items()) ^ set(after.named.items()))
    assert any(f"({file})" in name for name in changed)
    both = [name for name in changed if name in before.named and name in after.named]
    assert all(f"({file})" in name for name in both)


def test_functions_of_one_module_differ(project: Project) -> None:
    """Which function it is counts, though two be spelled alike."""
    module = project.write({"alone.py": "f = lambda x: x\ng = lambda x: x\n"}).load("alone")
    assert identify(module.f).digest != identify(module.g).digest


@pytest.mark.parametrize("text", ["f = lambda: {}; K = 1", "K = 1; f = lambda: {}", "def f(): return {}"])
def test_statements_on_one_line_are_told_apart(project: Project, text: str) -> None:
    """A function is the statement that it stands in."""
    assert project.of_source(text.format(1)).digest != project.of_source(text.format(2)).digest


def test_functions_of_one_name_differ(project: Project) -> None:
    """Two functions with one qualified name have their own identities."""
    project.write(
        {
            "alone.py": """
            def make(flag):
                if flag:
                    def f(x): return x
                else:
                    def f(x): return -x
                return f
            """
        }
    )
    make = project.load("alone").make
    assert identify(make(True)).digest != identify(make(False)).digest


def test_swapped_modules_differ(project: Project) -> None:
    """A component is bound to its name: two modules that trade places move the digest."""
    text = "import one, two\ndef f(): return one.K - two.K\n"
    before = project.write({"one.py": "K = 1\n", "two.py": "K = 2\n"}).of_source(text)
    after = project.write({"one.py": "K = 2\n", "two.py": "K = 1\n"}).of_source(text)
    assert before.digest != after.digest
    assert sorted(before.named.values()) == sorted(after.named.values())


def test_modules_of_one_name_do_not_merge(project: Project) -> None:
    """Files that would be called alike (folders without `__init__`) keep names of their own."""
    text = "import east.util, west.util\ndef f(): return east.util.K - west.util.K\n"
    before = project.write({"east/util.py": "K = 1\n", "west/util.py": "K = 2\n"}).of_source(text)
    after = project.write({"east/util.py": "K = 2\n", "west/util.py": "K = 1\n"}).of_source(text)
    assert set(before.named) >= {"constant K (east/util.py)", "constant K (west/util.py)"}
    assert before.digest != after.digest


def test_docstrings_count_where_code_reads_them(pipelines: Project) -> None:
    """A docstring is kept as soon as reached code may read one."""
    pipelines.replace("pipelines/text.py", "SCALE = 2", "SCALE = len(first.apply.__doc__ or '')")
    pipelines.replace("pipelines/steps/first.py", "return second", '"""One."""\n    return second')
    before = pipelines.identity()
    assert pipelines.replace("pipelines/steps/first.py", "One.", "Two.").identity().digest != before.digest


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xef\xbb\xbfdef f():\n    return 'caf\xc3\xa9'\n", id="BOM"),
        pytest.param(b"def f():\r\n    return 'caf\xc3\xa9'\r\n", id="CRLF"),
        pytest.param(b"# -*- coding: latin-1 -*-\ndef f():\n    return 'caf\xe9'\n", id="encoding"),
        pytest.param(b"def f():\n\treturn u'caf\\xe9'", id="escapes, tabs, no last newline"),
    ],
)
def test_the_bytes_of_a_file_do_not_matter(project: Project, text: bytes) -> None:
    """Encoding, byte order mark and line endings of a source file mean nothing."""
    plain = project.of_source("def f():\n    return 'café'\n")
    assert project.write({"alone.py": text}).identity("alone.f") == plain


def test_the_folder_does_not_matter(pipelines: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout elsewhere gives the same identity, and no absolute path is in it."""
    before = pipelines.identity()
    pipelines.forget()
    elsewhere = pipelines.root / "some" / "where else"
    shutil.copytree(pipelines.root / "pipelines", elsewhere / "pipelines")
    monkeypatch.syspath_prepend(elsewhere)
    moved = Project(elsewhere)
    assert moved.identity() == before
    moved.forget()
    assert str(pipelines.root) not in repr(before)


def test_imports_need_not_have_happened(pipelines: Project) -> None:
    """Earlier imports make no difference, and nothing is imported for an identity."""
    function = pipelines.load("pipelines.text").f
    before = identify(function)
    for name in [name for name in sys.modules if name.startswith("pipelines.steps")]:
        del sys.modules[name]
    assert identify(function) == before
    assert "pipelines.steps.third" not in sys.modules


def test_a_code_version_is_taken_as_given(pipelines: Project) -> None:
    """With a code version nothing is read: it is the user's word, and its own kind of digest."""
    function = pipelines.load("pipelines.text").f
    one, two = identify(function, code_version="1"), identify(function, code_version="2")
    assert (one.kind, one.named, one.libraries) == ("code_version", {"code_version": "1"}, {})
    assert (one.outside, one.unresolved) == ((), ())
    assert len({one.digest, two.digest, identify(function).digest}) == 3
    assert identify(len, code_version="1") == one


@pytest.mark.parametrize(("fn", "version"), [(3, None), (None, None), (len, 3)])
def test_misuse_is_an_error(fn: object, version: object) -> None:
    """Objects that are no function and code versions that are no string are refused."""
    with pytest.raises(InvalidField):
        identify(fn, code_version=version)  # type: ignore[arg-type]


def test_paths_are_relative_to_the_source_root(pipelines: Project) -> None:
    """A place is told from the folder above the topmost package, with forward slashes."""
    pipelines.replace("pipelines/steps/third.py", "return x + 1", "import time; return time.time()")
    (read,) = pipelines.identity().outside
    assert (read.what, read.where) == ("time.time", "pipelines/steps/third.py:5")


def test_a_second_look_is_cheap(pipelines: Project) -> None:
    """A file is read once; a second look at eight modules takes a few milliseconds."""
    function = pipelines.load("pipelines.text").f
    identify(function)
    started = time.process_time()
    for _ in range(10):
        identify(function)
    assert (time.process_time() - started) / 10 < 0.02


def test_an_edit_within_one_tick_of_the_clock_is_seen(pipelines: Project, tmp_path: Path) -> None:
    """A file of the same size and times is read again while it is too young for its times to prove anything."""
    target = tmp_path / "pipelines/steps/third.py"
    before = pipelines.identity()
    stamp = target.stat()
    pipelines.replace("pipelines/steps/third.py", "x + 1", "x + 7")
    os.utime(target, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert pipelines.identity().digest != before.digest


def test_the_identity_at_decoration_is_the_one_of_later(project: Project) -> None:
    """While its module is still being imported, a function has the identity it has once all is loaded."""
    project.write({"later.py": "K = 1\n"})
    text = """
        from jammi_dagster.fingerprint import identify
        def mark(fn):
            fn.early = identify(fn)
            return fn
        @mark
        def f(): return helper() + later.K
        def helper(): return SCALE
        SCALE = 2
        import later
        """
    module = project.write({"alone.py": text}).load("alone")
    assert identify(module.f) == module.f.early
    assert "constant K (later.py)" in module.f.early.named


def test_a_module_that_is_loaded_by_its_path_is_the_same(pipelines: Project) -> None:
    """`dagster dev -f` loads a file under a name of its own: the identity is that of an import."""
    pipelines.write(
        {"pipelines/defs.py": "from pipelines.steps import first\ndef f(): return first.apply(1)\n"}
    )
    imported = pipelines.identity("pipelines.defs.f")
    pipelines.forget()
    spec = spec_from_file_location("defs", pipelines.root / "pipelines/defs.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert identify(module.f) == imported


def test_threads_agree(pipelines: Project) -> None:
    """Identities that are taken at once are the same."""
    function = pipelines.load("pipelines.text").f
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(identify, [function] * 32))
    assert all(identity == found[0] for identity in found)
    assert found[0].unresolved == ()


def test_the_digest_is_the_same_on_every_python(pipelines: Project) -> None:
    """The digest of the whole project is written down here: no version of Python or of this package moves it."""
    assert pipelines.identity().digest == "1f91b097a87922282cb5f72d3bf61e03d6420d28edb2aac7f5a2787b99e65198"
