# SPDX-License-Identifier: BSD-2-Clause
"""Figures: every label has its place, marks differ, and nothing cannot be drawn."""
import itertools
import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.text import Text

from rig.commands import tune
from rig.report import draw, pages

HISTOGRAM = [[10.0, 5], [100.0, 999990], [50000.0, 5]]
SERIES = [(f"moderation {number} us, as shipped", [(x, x * (number + 1)) for x in (1, 9, 150)])
          for number in range(9)]
SVG = "{http://www.w3.org/2000/svg}svg"


def run_figure():
    return draw.run_figure(
        "l2fwd e1000e direct cores=1 0123456789ab FAILED: lost=3, duplicates=1, pools not full at "
        "stop, the machine closed a port", (HISTOGRAM, "at 180 kpps"),
        [150000 + i for i in range(11)], [(100000 + 9000 * i, i % 2 == 0) for i in range(30)],
        160000)


FIGURES = {
    "run": run_figure,
    "two": lambda: draw.lines("Median latency", "offered, kpps", "us", SERIES[:2], y_log=True),
    "four": lambda: draw.lines("Median latency", "offered, kpps", "us", SERIES[:4], x_log=True),
    "many": lambda: draw.lines("99th percentile of latency, us", "load, kpps",
                               "99th percentile of latency, us", SERIES, x_log=True, y_log=True)}


def words(figure):
    """[(text, its box)] of all that is shown, after a layout as for a file."""
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    found = [one for one in figure.findobj(Text)
             if one.get_visible() and one.get_text().strip()]
    shown = set()
    for axes in figure.axes:  # ticks outside the axes exist, and are not drawn
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            shown |= {tick.label1 for tick in axis.get_major_ticks()
                      if not low <= tick.get_loc() <= high}
    return [(one.get_text(), one.get_window_extent(renderer)) for one in found
            if one not in shown]


@pytest.mark.parametrize("name", FIGURES)
def test_no_words_over_words_or_cut(name):
    figure = FIGURES[name]()
    found = words(figure)
    assert len(found) > 10
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and \
            box.y1 <= figure.bbox.y1, text
    for (text, box), (other, box2) in itertools.combinations(found, 2):
        assert not box.overlaps(box2), (text, other)


@pytest.mark.parametrize("name", FIGURES)
def test_legends_lie_beside_the_data(name):
    figure = FIGURES[name]()
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    for axes in figure.axes:
        legend = axes.get_legend()
        assert legend is None or not legend.get_window_extent(renderer).overlaps(
            axes.get_window_extent(renderer))


def test_marks_and_colours_differ():
    axes, = FIGURES["many"]().axes
    looks = {(line.get_marker(), line.get_color()) for line in axes.lines}
    assert len(looks) == len({mark for mark, _ in looks}) == len(SERIES)


def test_a_run_shows_every_pass_and_trial():
    latency, rates = run_figure().axes
    assert [len(line.get_xdata()) for line in rates.lines[:3]] == [11, 15, 15]
    assert rates.lines[3].get_label() == "highest kept: 160 kpps"
    shares = list(latency.lines[0].get_ydata())
    assert shares == sorted(shares, reverse=True) and shares[0] == 1


def test_the_same_figure_is_the_same_file():
    """No date, no random names: results can be compared."""
    one, two = (draw.svg(FIGURES["two"]()) for _ in range(2))
    assert one == two and "<svg" in one


@pytest.mark.parametrize("points", [[], [(1, None)], [(0, 0)], [(5, 5), (5, 5)]])
@pytest.mark.parametrize("log", [False, True])
def test_nothing_is_drawn_too(points, log):
    """Zero, missing and equal values make a figure, not an error."""
    text = draw.svg(draw.lines("t", "x", "y", [("a", points)], x_log=log, y_log=log))
    assert ElementTree.fromstring(text).tag == SVG


def test_a_run_that_found_nothing_has_its_picture():
    figure = draw.run_figure("nothing came back", ([], ""), [], [], 0)
    assert ElementTree.fromstring(draw.svg(figure)).tag == SVG and len(figure.axes) == 1


def test_shares_as_a_reader_says_them():
    assert [draw.percent(share) for share in (1, 0.1, 1e-3, 1e-6)] == \
        ["100 %", "10 %", "0.1 %", "1 in 10^6"]
    assert draw.shares_above([[0.5, 1], [10, 3]]) == [(1, 1.0), (10, 0.75)]


def test_a_page_holds_its_pictures():
    text = pages.lines("a <title>", "x", "y", SERIES[:2])
    assert text.startswith('<img alt="a &lt;title&gt;" src="data:image/svg+xml;base64,')


def test_a_table_sets_names_in():
    """As the same table on the console does: what belongs to the row above stands under it."""
    text = pages.table(("a", "b"), [("rate", "<1>"), ("  with retry", 2)])
    assert "<td>rate</td><td>&lt;1&gt;</td>" in text and "<td>&#8195;with retry</td>" in text


def test_what_a_sweep_is_held_against_looks_the_same_everywhere():
    """The first lines of each plot, and no plot has two lines of one look."""
    groups = tune.groups_of([(setting, []) for setting in tune.settings()])
    assert [title for title, _ in groups] == ["Spin time", "Empty polls", "Moderation"]
    shown = [[setting.label for setting, _ in chosen] for _, chosen in groups]
    assert all(labels[:3] == list(tune.HELD_AGAINST) for labels in shown)
    assert all(3 < len(set(labels)) == len(labels) <= len(draw.MARKS) for labels in shown)
    assert {label for labels in shown for label in labels} == {s.label for s in tune.settings()}
