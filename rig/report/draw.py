# SPDX-License-Identifier: BSD-2-Clause
"""Figures by matplotlib: one look for run, compare and tune. Each is a `Figure`; svg() makes it
text that stands alone.

Series differ in mark as well as in colour. A legend stands beside or above its axes, never in
them, and the constrained layout leaves every label its place, so no words lie on words or data.
"""
import io
import math
import textwrap

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

PLOT_INCHES = (7.6, 4.0)
TITLE_COLUMNS = 64  # of one plot's width
# Colours that most eyes tell apart (Okabe and Ito), then darker ones.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#5c6670", "#7a3f9d",
           "#e69f00")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
LOOK = {"font.size": 10, "axes.titlesize": 11, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": "#e4e4e4", "axes.axisbelow": True,
        "legend.frameon": False, "legend.fontsize": 9, "lines.linewidth": 1.6,
        "lines.markersize": 5, "svg.fonttype": "path", "svg.hashsalt": "millrace"}
SMALL_SPAN = 2.5    # decades: below that 2 and 5 have ticks, too
ENTRY_INCHES = 2.6  # of a legend above the axes
LONG_LEGEND = 4     # more entries stand beside the axes
TIMES = {0: "1 us", 1: "10 us", 2: "100 us", 3: "1 ms", 4: "10 ms", 5: "100 ms", 6: "1 s"}


def svg(figure):
    """The figure as a whole SVG file; the words in it are drawn, as every viewer has the same."""
    out = io.StringIO()
    with rc_context(LOOK):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def figure_of(plots, title=""):
    """A figure of plots side by side, each a function that fills its axes."""
    width, height = PLOT_INCHES
    with rc_context(LOOK):
        figure = Figure(figsize=(width * len(plots), height), layout="constrained")
        FigureCanvasAgg(figure)
        if title:
            figure.suptitle(textwrap.fill(title, TITLE_COLUMNS * len(plots)), fontweight="bold")
        for axes, fill in zip(figure.subplots(1, len(plots), squeeze=False)[0], plots):
            fill(axes)
    return figure


def _number(value, _position=None):
    return f"{value:,.10g}"


def _scale(axis, values, log):
    """Ticks at round numbers; a linear axis begins at 0."""
    axis.set_minor_locator(NullLocator())
    if not log:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(_number))
        return
    span = math.log10(max(values) / min(values)) if values else 0
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < SMALL_SPAN else (1,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_number))


def _legend(axes, entries):
    """Above the axes in rows when there are few entries, else beside them."""
    if entries > LONG_LEGEND:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0)
        return
    columns = max(1, min(entries, int(PLOT_INCHES[0] / ENTRY_INCHES)))
    rows = math.ceil(entries / columns)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.02), borderaxespad=0, ncol=columns)
    axes.set_title(axes.get_title(loc="left"), pad=8 + 15 * rows)


def lines(title, x_label, y_label, series, x_log=False, y_log=False):
    """A plot of lines. `series`: [(name, [(x, y)])]; what has no place on an axis (None, or not
    above 0 where it is logarithmic) is left out."""
    shown = [(name, [(x, y) for x, y in points if y is not None and (x > 0 or not x_log) and
                     (y > 0 or not y_log)]) for name, points in series]

    def fill(axes):
        axes.set(title=title, xlabel=x_label, ylabel=y_label)
        axes.set_xscale("log" if x_log else "linear")
        axes.set_yscale("log" if y_log else "linear")
        for number, (name, points) in enumerate(shown):
            axes.plot([x for x, _ in points], [y for _, y in points], label=name,
                      color=COLOURS[number % len(COLOURS)], marker=MARKS[number % len(MARKS)],
                      clip_on=False)  # a mark at 0 is drawn whole
        _scale(axes.xaxis, [x for _, points in shown for x, _ in points], x_log)
        _scale(axes.yaxis, [y for _, points in shown for _, y in points], y_log)
        if not x_log:
            axes.set_xlim(left=0)
        if not y_log:
            axes.set_ylim(bottom=0)
        _legend(axes, len(shown))
    return figure_of([fill])


# ---- the picture of a run ----

def percent(share):
    """A share as a label that a reader takes in at once: 100 %, 1 %, 1 in 10^6."""
    power = round(-math.log10(share))
    return f"{100 * share:g} %" if power <= 3 else f"1 in 10^{power}"


def shares_above(histogram):
    """[(time, share of the frames that took longer)] of a histogram of (time, frames)."""
    total = sum(count for _, count in histogram)
    points, above = [], total
    for us, count in histogram:
        points.append((max(us, 1), above / total))
        above -= count
    return points


def latency_plot(histogram, note):
    """Share of the frames that took longer than a time, both axes logarithmic."""
    points = shares_above(histogram)
    depth = max(1, math.ceil(math.log10(sum(count for _, count in histogram))))
    low = math.floor(math.log10(points[0][0]))
    high = max(math.ceil(math.log10(points[-1][0])), low + 1)

    def fill(axes):
        axes.set(title=f"Latency {note}", xlabel="time of one frame, there and back",
                 ylabel="frames that took longer", xscale="log", yscale="log")
        axes.plot([10 ** low, *(us for us, _ in points), points[-1][0]],
                  [1, *(share for _, share in points), 10 ** -depth], color=COLOURS[0])
        axes.set(xlim=(10 ** low, 10 ** high), ylim=(10 ** -depth, 1))
        axes.xaxis.set_major_locator(FixedLocator([10 ** e for e in range(low, high + 1)]))
        axes.xaxis.set_major_formatter(FuncFormatter(
            lambda us, _: TIMES.get(round(math.log10(us)), f"{us:g} us")))
        axes.yaxis.set_major_locator(FixedLocator([10 ** -e for e in range(depth + 1)]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_locator(NullLocator())
        for share, words in ((0.5, "half"), (0.01, "1 %")):
            if share >= 10 ** -depth:
                axes.axhline(share, color="#888888", linestyle=":", linewidth=1)
                axes.text(1.01, share, words, transform=axes.get_yaxis_transform(), va="center")
    return fill


def rate_plot(rates, trials, best_pps):
    """The verdict's passes, then every trial of the search, in their order."""
    numbers = range(1, len(rates) + len(trials) + 1)
    groups = [("forwarded, window full", "D", "none", "#444444",
               list(zip(numbers, (rate / 1000 for rate in rates))))]
    for wanted, words, mark, colour in ((True, "offered and kept", "o", COLOURS[0]),
                                        (False, "offered, not all sent", "x", COLOURS[1])):
        groups.append((words, mark, colour, colour,
                       [(number, rate / 1000) for number, (rate, kept) in
                        zip(numbers[len(rates):], trials) if kept == wanted]))

    def fill(axes):
        axes.set(title="Rates", xlabel="pass or trial, in their order",
                 ylabel="kpps, both ways together")
        for words, mark, face, edge, points in groups:
            axes.plot([x for x, _ in points], [y for _, y in points], mark, color=edge,
                      markerfacecolor=face, label=words, markersize=7)
        if best_pps:
            axes.axhline(best_pps / 1000, color=COLOURS[0], linestyle="--", linewidth=1,
                         label=f"highest kept: {best_pps / 1000:,.0f} kpps")
        axes.set(xlim=(0.5, max(len(numbers), 1) + 0.5))
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(15, integer=True))
        _scale(axes.yaxis, [], False)
        _legend(axes, len(groups) + bool(best_pps))
    return fill


def run_figure(title, latency, rates, trials, best_pps):
    """The picture of a run. `latency`: (histogram, words), an empty histogram leaves it out."""
    plots = [latency_plot(*latency)] if latency[0] else []
    return figure_of([*plots, rate_plot(rates, trials, best_pps)], title)
