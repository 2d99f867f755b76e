"""Pictures fit on a screen: a box for an asset, a legend, and a word on everything that is left out."""

import itertools
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest

from jammi_dagster.lineage.pictures import MOST_BOXES, Picture, collapsed, mermaid, svg

SVG = "{http://www.w3.org/2000/svg}"
DAYS = [f"d{i:02}" for i in range(61)]


def trips(centre: str | None = None, *, is_judged: bool = True) -> Picture:
    """Sixty-one days of trips from a file each, cleaned and joined; the file of one day has changed."""
    of_a_day = [(f"file:raw/{d}", f"trips[{d}]", f"clean_trips[{d}]") for d in DAYS]
    edges = [pair for a, b, c in of_a_day for pair in ((a, b), (b, c), (c, "joined"))]
    verdicts = {name: ("fresh", "") for _, *names in of_a_day for name in names}
    verdicts |= {"trips[d03]": ("stale", "file:raw/d03 changed")}
    verdicts |= dict.fromkeys(("clean_trips[d03]", "joined"), ("fresh_for_now", ""))
    return Picture(
        names=(*(name for names in of_a_day for name in names), "joined"),
        edges=tuple(edges),
        verdicts=verdicts if is_judged else {},
        centre=centre,
    )


def chain(number: int, centre: str | None = None, stale: Sequence[int] = ()) -> Picture:
    names = tuple(f"t{i}" for i in range(number))
    verdicts = {name: ("stale" if i in stale else "fresh", "") for i, name in enumerate(names)}
    edges = tuple(itertools.pairwise(names))
    return Picture(names=names, edges=edges, verdicts=verdicts, centre=centre)


def labels(text: str) -> dict[str, str]:
    """Read the boxes of a flowchart: label -> class; a box without a class has none."""
    unescaped = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)
    return {label: kind or "" for label, kind in re.findall(r'\["(.*?)"\](?::::(\w+))?', unescaped)}


def test_partitions_are_one_box_with_their_counts() -> None:
    """The box has the colour of its most urgent table, and so do the inputs of all partitions share one."""
    assert labels(mermaid(collapsed(trips()))) == {
        "61 inputs: file:raw/d00 …": "input",
        "trips: 60 fresh, 1 stale": "stale",
        "clean_trips: 60 fresh, 1 fresh for now": "fresh_for_now",
        "joined · fresh for now": "fresh_for_now",
        # the legend
        "stale": "stale",
        "fresh, below a stale one": "fresh_for_now",
        "input": "input",
    }
    assert mermaid(collapsed(trips())).count(" --> ") == 3


def test_the_centre_stays_apart_from_its_siblings() -> None:
    """The partition that was asked for is a box of its own; without verdicts, boxes only count."""
    picture = collapsed(trips("clean_trips[d03]", is_judged=False))
    found = labels(mermaid(picture))
    assert "clean_trips[d03]" in found
    assert "clean_trips: 60 partitions" in found
    assert "trips: 61 partitions" in found
    assert picture.centre in picture.names


def test_few_of_a_kind_keep_their_names() -> None:
    """One partition and a few inputs are drawn as what they are."""
    whole = Picture(
        names=("file:a", "file:b", "http:c", "one[x]"),
        edges=tuple((s, "one[x]") for s in ("file:a", "file:b")),
    )
    assert collapsed(whole) == whole


def test_a_table_of_its_own_past_has_an_edge_only_where_it_had_one() -> None:
    """Edges within a box are not drawn, unless a table recorded itself."""
    days = Picture(names=("a[x]", "a[y]", "b"), edges=(("a[x]", "a[y]"), ("b", "b")))
    assert collapsed(days).edges == (("b", "b"),)


@pytest.mark.parametrize(
    ("picture", "kept"),
    [
        (chain(200, centre="t100"), range(80, 120)),
        (chain(200, stale=(7, 180)), (180, *range(39))),
    ],
    ids=["around the centre", "the most urgent"],
)
def test_a_flowchart_fits_on_a_screen(picture: Picture, kept: Sequence[int]) -> None:
    """Forty boxes are drawn, the nearest or the most urgent; one more says how many names are missing, and the way."""
    found = labels(mermaid(picture))
    drawn = {int(label[1:].split(" ")[0]) for label in found if re.match(r"t\d", label)}
    assert drawn == set(kept)
    assert len(drawn) == MOST_BOXES
    assert found["160 more, not drawn: give a table and hops=, or most="] == ""
    assert "more, not drawn" not in mermaid(picture, most=200)


def test_a_picture_has_a_legend_and_titles() -> None:
    """Each colour is explained below the boxes; a title names the first table of a box that is to blame."""
    root = ET.fromstring(svg(collapsed(trips())))
    titles = [str(title.text) for title in root.iter(f"{SVG}title")]
    assert "trips: 60 fresh, 1 stale; trips[d03]: stale: file:raw/d03 changed" in titles
    texts = [str(text.text) for text in root.iter(f"{SVG}text")]
    assert texts[-3:] == ["stale", "fresh, below a stale one", "input"]
