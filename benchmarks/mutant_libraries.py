"""Libraries of which functions are mutated, each with calls on fixed inputs.

A library is copied into a project under the name `NAME_copy`, so that it counts as first-party code. Where it is not
installed, the pinned version is fetched into a cache.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library, its imports in the module of the function, and the value that the function returns."""

    name: str
    pinned: str
    """The requirement that is fetched where the library is not installed."""
    imports: str
    value: str


LIBRARIES = (
    Library(
        name="packaging",
        pinned="packaging==25.0",
        imports="from packaging_copy.specifiers import SpecifierSet\nfrom packaging_copy.version import Version",
        value="""[
            [str(v) for v in sorted(map(Version, ["1.0", "1.0.post1", "2.0rc1", "1.10", "1!0.5", "1.0+local.2"]))],
            [v for v in ["0.9", "1.0", "1.5", "1.10", "2.0rc1", "2.1"] if v in SpecifierSet(">=1.0,!=1.10,<2.1")],
            Version("1.2.3.dev4").base_version, str(SpecifierSet("~=1.4.2,===1.4.5")), Version("2.0rc1").is_prerelease,
        ]""",
    ),
    Library(
        name="toposort",
        pinned="toposort==1.10",
        imports="from toposort_copy import toposort, toposort_flatten",
        value="""[
            [sorted(level) for level in toposort({2: {11}, 9: {11, 8}, 10: {11, 3}, 11: {7, 5}, 8: {7, 3}})],
            toposort_flatten({"b": {"a"}, "c": {"a", "b"}, "d": {"d"}}),
        ]""",
    ),
    Library(
        name="tomli",
        pinned="tomli==2.2.1",
        imports="from tomli_copy import loads",
        value="""[
            loads('title = "a\\\\tb"\\n[owner]\\nage = 0x1F\\nwhen = 1979-05-27T07:32:00-08:00\\nf = -1.5e3\\n'),
            loads("a = [1, 2, [3]]\\nb = {x = 1, y = 'two'}\\n[[t]]\\nn = true\\n[[t]]\\nd.e = 12:30:01\\n"),
        ]""",
    ),
    Library(
        name="dateutil",
        pinned="python-dateutil==2.9.0.post0",
        imports="from datetime import datetime\nfrom dateutil_copy.easter import easter\n"
        "from dateutil_copy.relativedelta import MO, relativedelta\nfrom dateutil_copy.rrule import MONTHLY, rrule",
        value="""[
            [str(easter(year)) for year in (1999, 2000, 2024, 2038)], str(easter(2024, 2)),
            str(datetime(2024, 1, 31) + relativedelta(months=1, weekday=MO(-1), hour=3)),
            str(relativedelta(datetime(2024, 5, 1), datetime(2020, 2, 29))),
            [str(d) for d in rrule(MONTHLY, count=4, bymonthday=31, dtstart=datetime(2024, 1, 1))],
        ]""",
    ),
    Library(
        name="pathspec",
        pinned="pathspec==0.12.1",
        imports="from pathspec_copy import PathSpec",
        value="""[
            [path for path in ["a.py", "build/x.o", "src/b.txt", "src/keep.txt", "docs/a/b/c.md", "#x"]
             if PathSpec.from_lines("gitwildmatch", lines).match_file(path)]
            for lines in (["*.txt", "!keep.txt", "/build"], ["docs/**/*.md", "a.p?"], ["[a-c]*", "\\\\#x"])
        ]""",
    ),
    Library(
        name="sortedcontainers",
        pinned="sortedcontainers==2.4.0",
        imports="from sortedcontainers_copy import SortedDict, SortedList, SortedSet",
        value="""[
            list(SortedList([5, 1, 4, 2] * 3).irange(2, 4)), SortedList("hello").bisect_right("l"),
            list(SortedDict({"b": 1, "a": 2}).items()), list(SortedSet([3, 1]) | {2}), SortedList(range(9)).count(4),
            (lambda kept: (kept.add(3), kept.discard(1), list(kept), kept.index(5)))(SortedList([1, 5, 9])),
        ]""",
    ),
    Library(
        name="toolz",
        pinned="toolz==1.0.0",
        imports="from toolz_copy import accumulate, compose, groupby, merge_with, partition_all, sliding_window, topk",
        value="""[
            groupby(len, ["a", "bb", "c", "dd"]), list(partition_all(3, range(7))), list(sliding_window(2, range(4))),
            topk(2, [5, 1, 9]), merge_with(sum, {"a": 1}, {"a": 2, "b": 3}), list(accumulate(max, [1, 3, 2])),
            compose(str, abs)(-3),
        ]""",
    ),
    Library(
        name="parsy",
        pinned="parsy==2.1",
        imports="from parsy_copy import regex, seq, string",
        value="""[
            regex(r"[0-9]+").map(int).sep_by(string(","), min=1).parse("1,23,4"),
            seq(string("a").many().concat(), regex("[bc]").optional()).parse("aaab"),
            (regex("[a-z]+") << string("!").times(2)).parse("yes!!"),
        ]""",
    ),
    Library(
        name="tabulate",
        pinned="tabulate==0.9.0",
        imports="from tabulate_copy import tabulate",
        value="""[
            tabulate([["a", 1.5], ["bcd", 22]], headers=["k", "v"], tablefmt=style)
            for style in ("grid", "pipe", "plain", "html")
        ]""",
    ),
    Library(
        name="jmespath",
        pinned="jmespath==1.0.1",
        imports="from jmespath_copy import search",
        value="""[
            search(query, {"a": [{"b": 3, "n": "x"}, {"b": 1, "n": "y"}], "c": {"d": [1, 2, 3, 4]}})
            for query in ("a[?b > `1`].n", "sort_by(a, &b)[*].b", "c.d[::2]", "length(a)", "a[].{k: n}", "max(c.d)")
        ]""",
    ),
    Library(
        name="jsonpointer",
        pinned="jsonpointer==3.0.0",
        imports="from jsonpointer_copy import JsonPointer, resolve_pointer, set_pointer",
        value="""[
            resolve_pointer({"a": [1, {"b~/": 2}]}, "/a/1/b~0~1"),
            set_pointer({"a": [1, 2]}, "/a/0", 9, inplace=False),
            resolve_pointer({}, "/x", "none"), JsonPointer.from_parts(["a", 0, "b/"]).path,
            JsonPointer("/a/b") == JsonPointer("/a/b"),
        ]""",
    ),
    Library(
        name="jsonpatch",
        pinned="jsonpatch==1.33",
        imports="from jsonpatch_copy import apply_patch, make_patch",
        value="""[
            make_patch({"a": 1, "b": [1, 2]}, {"a": 2, "b": [2], "c": {}}).patch,
            apply_patch({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}]),
            apply_patch({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}]),
        ]""",
    ),
    Library(
        name="xmltodict",
        pinned="xmltodict==0.14.2",
        imports="from xmltodict_copy import parse, unparse",
        value="""[
            parse('<a x="1"><b>t</b><b/><c> z </c></a>'), parse("<a><b>1</b></a>", force_list=("b",)),
            unparse({"a": {"@x": "1", "b": ["t", None]}}, pretty=True),
        ]""",
    ),
    Library(
        name="mergedeep",
        pinned="mergedeep==1.3.4",
        imports="from mergedeep_copy import Strategy, merge",
        value="""[
            merge({}, {"a": {"b": [1]}, "s": {1}}, {"a": {"b": [2], "c": 1}}, strategy=strategy)
            for strategy in (Strategy.REPLACE, Strategy.ADDITIVE)
        ]""",
    ),
    Library(
        name="iniconfig",
        pinned="iniconfig==2.0.0",
        imports="from iniconfig_copy import IniConfig",
        value="""[
            {s.name: dict(s.items()) for s in IniConfig("x.ini", data="[a]\\nk = 1 # c\\n two\\n[b]\\nx: y\\n")},
            IniConfig("x.ini", data="[a]\\nk = 7\\n").get("a", "k", convert=int),
        ]""",
    ),
    Library(
        name="docstring_parser",
        pinned="docstring_parser==0.16",
        imports="from docstring_parser_copy import parse",
        value="""[
            (d.short_description, [(p.arg_name, p.type_name, p.description, p.is_optional) for p in d.params],
             d.returns and d.returns.description)
            for d in map(parse, ("Sum.\\n\\nArgs:\\n    a (int, optional): one.\\n\\nReturns:\\n    int: it.",
                                 "Sum.\\n\\n:param int a: one\\n:returns: it"))
        ]""",
    ),
    Library(
        name="yaml",
        pinned="PyYAML==6.0.2",
        imports="from yaml_copy import safe_dump, safe_load",
        value="""[
            safe_load("a: [1, 2.5, yes, ~]\\nb: &x {c: 'd', e: 2024-01-02}\\nf: *x\\ng: |\\n  t\\n  u\\n"),
            safe_dump({"a": [1, None, "x: y"], "b": {"c": True}}),
        ]""",
    ),
    Library(
        name="mdurl",
        pinned="mdurl==0.1.2",
        imports="from mdurl_copy import decode, encode, format, parse",
        value="""[
            parse("https://u:p@example.org:80/a%20b?q=1#h"), encode("a b/%zz/é"), decode("%C3%A9%zz%41"),
            format(parse("mailto:me@example.org")),
        ]""",
    ),
    Library(
        name="humanfriendly",
        pinned="humanfriendly==10.0",
        imports="from humanfriendly_copy import format_size, format_timespan, parse_length, parse_size\n"
        "from humanfriendly_copy.text import concatenate, pluralize",
        value="""[
            format_size(123456789), format_size(1 << 20, binary=True), parse_size("5 GiB"), parse_length("2 km"),
            format_timespan(93784.5), concatenate(["a", "b", "c"]), pluralize(2, "child", "children"),
        ]""",
    ),
    Library(
        name="markdown",
        pinned="Markdown==3.7",
        imports="from markdown_copy import markdown",
        value="""[markdown("# T\\n\\na *b* `c` [d](http://e)\\n\\n1. x\\n2. y\\n\\n> q\\n\\n    code\\n")]""",
    ),
    Library(
        name="typing_inspect",
        pinned="typing-inspect==0.9.0",
        imports="from typing import Dict, List, Optional, Union\n"
        "from typing_inspect_copy import get_args, is_generic_type, is_optional_type, is_union_type",
        value="""[
            (repr(get_args(kind)), is_optional_type(kind), is_union_type(kind), is_generic_type(kind))
            for kind in (Optional[int], Union[int, str], List[int], Dict[str, int], int)
        ]""",
    ),
    Library(
        name="paginate",
        pinned="paginate==0.5.7",
        imports="from paginate_copy import Page",
        value="""[
            (p.first_item, p.last_item, p.page_count, p.next_page, list(p), p.pager("~2~", url="/?p=$page"))
            for p in (Page(list(range(53)), page=n, items_per_page=10) for n in (1, 3, 6))
        ]""",
    ),
    Library(
        name="h11",
        pinned="h11==0.14.0",
        imports="from h11_copy import SERVER, Connection",
        value="""(lambda c: (
            c.receive_data(b"POST /x HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3\\r\\n\\r\\nabc"),
            [repr(c.next_event()) for _ in range(3)],
        ))(Connection(SERVER))""",
    ),
    Library(
        name="jsonpath_ng",
        pinned="jsonpath-ng==1.7.0",
        imports="from jsonpath_ng_copy import Child, Fields, Index, Root, Slice",
        value="""[
            [m.value for m in path.find({"a": [{"b": 1}, {"b": 2}, {"c": 3}]})]
            for path in (Child(Child(Child(Root(), Fields("a")), Slice()), Fields("b")), Child(Fields("a"), Index(1)))
        ]""",
    ),
)
BY_NAME = {library.name: library for library in LIBRARIES}
