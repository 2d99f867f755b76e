"""Measure the language of docstrings, and refuse texts that only hold on one machine.

    python -m tools.language            # what `make check` runs: exits with 1 above a limit
    python -m tools.language --list     # also prints each sentence with "what", and each opening

Two figures say how plain the docstrings are: the word "what" per 1,000 words, and the share of docstrings that
open with What, Whether, Of, As, Those or That. They are a thermometer: a text can be poor below the limits.
No committed text may hold an absolute path of somebody's machine or the address of a package registry.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE, TESTS = "jammi_dagster", "tests"
LIMITS = {PACKAGE: (1.0, 2.0), TESTS: (20.0, 12.0)}  # "what" per 1,000 words; per cent of openings
OPENINGS = frozenset({"what", "whether", "of", "as", "those", "that"})
# code under test, files of the engine
SAMPLES = ("tests/fingerprint/sample/", "tests/precision/projects/", "tests/engine_vectors/")

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
# put together here, so that this file does not hold them
_HOMES = "|".join(("home", "Users", "root", "work", "workspace"))
_MACHINE_PATH = re.compile(rf"(?<![\w./:*-])/(?:{_HOMES})/[\w.-]+")
_REGISTRIES = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "files.python" + "hosted",
    "/simple" + "/",
)
_REGISTRY = re.compile("|".join(map(re.escape, _REGISTRIES)))


@dataclass(slots=True)
class Measure:
    """The docstrings of some files: their number, words and offences."""

    docstrings: int = 0
    words: int = 0
    whats: list[str] = field(default_factory=list)
    openings: list[str] = field(default_factory=list)

    @property
    def what_per_thousand(self) -> float:
        """The occurrences of "what" per 1,000 words."""
        return 1000 * len(self.whats) / max(self.words, 1)

    @property
    def opening_percent(self) -> float:
        """The share of docstrings that open with one of `OPENINGS`, in per cent."""
        return 100 * len(self.openings) / max(self.docstrings, 1)

    def add(self, place: str, text: str) -> None:
        """Count one docstring; `place` is its file and line."""
        words = [word.lower() for word in _WORD.findall(text)]
        self.docstrings += 1
        self.words += len(words)
        self.whats += [f"{place}: {text.strip().splitlines()[0]}"] * words.count("what")
        if words and words[0] in OPENINGS:
            self.openings.append(f"{place}: {text.strip().splitlines()[0]}")


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module, its classes and functions, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node, clean=True)
            if text:
                yield node.body[0].lineno, text


def measure(root: Path, files: list[str], folder: str) -> Measure:
    """Measure the Python files below a folder."""
    found = Measure()
    for name in files:
        if name.startswith(f"{folder}/") and name.endswith(".py") and not name.startswith(SAMPLES):
            for line, text in docstrings((root / name).read_text(encoding="utf-8")):
                found.add(f"{name}:{line}", text)
    return found


def machine_texts(name: str, text: str) -> Iterator[str]:
    """Yield each line with an absolute path of a machine or the address of a package registry."""
    for number, line in enumerate(text.splitlines(), start=1):
        for kind, pattern in (("a path of one machine", _MACHINE_PATH), ("a package registry", _REGISTRY)):
            match = pattern.search(line)
            if match is not None:
                yield f"{name}:{number}: names {kind}: {match[0]}"


def committed(root: Path) -> list[str]:
    """List the files that git tracks, and new ones that it does not ignore, with their paths below `root`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (root / name).is_file())


def _print(folder: str, found: Measure, *, listed: bool) -> bool:
    """Print the figures of a folder; give whether they are within its limits."""
    most_whats, most_openings = LIMITS[folder]
    print(
        f'{folder}: {found.docstrings} docstrings, {found.words} words: "what" {found.what_per_thousand:.1f} per 1,000 '
        f"(at most {most_whats:g}), openings {found.opening_percent:.1f} % (at most {most_openings:g})"
    )
    kept = True
    for lines, value, most in (
        (found.whats, found.what_per_thousand, most_whats),
        (found.openings, found.opening_percent, most_openings),
    ):
        kept = kept and value <= most
        if listed or value > most:
            print(*(f"  {line}" for line in lines), sep="\n")
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.language", description=__doc__.splitlines()[0])
    parser.add_argument(
        "root", nargs="?", default=".", type=Path, help="the work tree, by default this folder"
    )
    parser.add_argument("--list", action="store_true", help="print every offence, also below the limits")
    options = parser.parse_args(arguments)
    files = committed(options.root)
    kept = [_print(folder, measure(options.root, files, folder), listed=options.list) for folder in LIMITS]
    bound = []
    for name in files:
        if not name.startswith(SAMPLES):
            text = (options.root / name).read_bytes().decode("utf-8", "replace")
            bound += list(machine_texts(name, text))
    print(*bound, sep="\n", end="\n" if bound else "")
    return 0 if all(kept) and not bound else 1


if __name__ == "__main__":
    sys.exit(main())
