# SPDX-License-Identifier: BSD-2-Clause
"""The picture of one run, a self-contained SVG: latency, the search for the rate, the passes.

Marks differ in shape as well as in colour, and a legend names them.
"""
import html
import math

WIDTH, HEIGHT = 620, 380        # of one plot
LEFT, RIGHT, TOP, BOTTOM = 104, 20, 66, 58
HEAD = 34
TURNED_X = 20  # foot of the words along the vertical axis
KEPT, MISSED, LINE = "#0b61c4", "#d1451b", "#0b61c4"
DASHED = f'stroke="{KEPT}" stroke-dasharray="6 4"'
STYLE = ("text{font:12px sans-serif;fill:#222}.h{font-size:16px;font-weight:bold}"
         ".t{font-size:14px;font-weight:bold}.m{text-anchor:middle}.e{text-anchor:end}"
         ".a{stroke:#222;fill:none}.g{stroke:#e4e4e4;fill:none}")


def text(x, y, words, style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}">{html.escape(words)}</text>'


def round_step(span, steps=5):
    """A round number (1, 2 or 5 times a power of ten) that cuts a span into at most `steps`."""
    size = 10 ** math.floor(math.log10(span / steps))
    return next(size * m for m in (1, 2, 5, 10, 20) if size * m * steps >= span)


def percent(share):
    """A share as a label that a reader takes in at once: 100 %, 1 %, 1 in 10^6."""
    power = round(-math.log10(share))
    return f"{100 * share:g} %" if power <= 3 else f"1 in 10^{power}"


def frame(title, x_label, y_label, x_ticks, y_ticks):
    """Axes with grid lines; ticks are (place, label)."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = [text(LEFT, 22, title, "t"), text((LEFT + right) / 2, HEIGHT - 14, x_label, "m"),
           f'<text transform="translate({TURNED_X} {(TOP + bottom) / 2:.1f}) rotate(-90)" '
           f'class="m">{html.escape(y_label)}</text>']
    for at, label in x_ticks:
        out += [f'<path d="M{at:.1f} {TOP}V{bottom}" class="g"/>',
                text(at, bottom + 18, label, "m")]
    for at, label in y_ticks:
        out += [f'<path d="M{LEFT} {at:.1f}H{right}" class="g"/>',
                text(LEFT - 8, at + 4, label, "e")]
    return out + [f'<path d="M{LEFT} {TOP}V{bottom}H{right}" class="a"/>']


def kept_mark(x, y):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{KEPT}"/>'


def missed_mark(x, y):
    return (f'<path d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10" stroke="{MISSED}" '
            'stroke-width="2.5" fill="none"/>')


def pass_mark(x, y):
    return f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" fill="none" stroke="#444"/>'


def legend(entries):
    """Marks and their words, in a row above the plot; entries are (mark, words)."""
    out, x = [], LEFT + 6
    for mark, words in entries:
        out += [mark(x, 42), text(x + 11, 46, words)]
        x += 24 + 6.8 * len(words)
    return out


def latency_plot(histogram, note):
    """Share of the frames that took longer than a time, both axes logarithmic."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    total = sum(count for _, count in histogram)
    low = math.floor(math.log10(max(histogram[0][0], 1)))
    high = max(math.ceil(math.log10(max(histogram[-1][0], 10))), low + 1)
    depth = max(1, math.ceil(math.log10(total)))

    def x_of(us):
        return LEFT + (math.log10(max(us, 1)) - low) / (high - low) * (right - LEFT)

    def y_of(share):
        return TOP + min(-math.log10(share) / depth, 1) * (bottom - TOP)
    points, above = [f"{LEFT},{TOP}"], total
    for us, count in histogram:
        points.append(f"{x_of(us):.1f},{y_of(above / total):.1f}")
        above -= count
    points.append(f"{x_of(histogram[-1][0]):.1f},{bottom}")
    names = {0: "1 us", 1: "10 us", 2: "100 us", 3: "1 ms", 4: "10 ms", 5: "100 ms", 6: "1 s"}
    out = frame("Latency " + note, "time of one frame, there and back", "frames that took longer",
                [(x_of(10 ** e), names.get(e, f"10^{e} us")) for e in range(low, high + 1)],
                [(y_of(10 ** -e), percent(10 ** -e)) for e in range(depth + 1)])
    for share, name in ((0.5, "half"), (0.01, "1 %")):
        out.append(f'<path d="M{LEFT} {y_of(share):.1f}H{right}" stroke="#888" '
                   f'stroke-dasharray="2 4"/>' + text(right - 4, y_of(share) - 4, name, "e"))
    return out + [f'<polyline points="{" ".join(points)}" fill="none" stroke="{LINE}" '
                  'stroke-width="2"/>']


def rate_plot(rates, trials, best_pps):
    """The verdict's passes, then every trial of the search, in their order."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    top = max([*rates, *(rate for rate, _ in trials), best_pps, 1]) * 1.08 / 1000
    step = round_step(top)
    count = max(len(rates) + len(trials), 1)

    def y_of(pps):
        return bottom - pps / 1000 / top * (bottom - TOP)

    def x_of(i):
        return LEFT + (right - LEFT) * (i + 0.5) / count
    every = max(1, math.ceil(count / 20))
    out = frame("Rates", "pass or trial, in their order", "kpps, both ways together",
                [(x_of(i), str(i + 1)) for i in range(0, count, every)],
                [(y_of(1000 * step * i), f"{step * i:g}") for i in range(int(top / step) + 1)])
    out += legend([(pass_mark, "forwarded, window full"), (kept_mark, "offered and kept"),
                   (missed_mark, "offered, not all sent")])
    out += [pass_mark(x_of(i), y_of(rate)) for i, rate in enumerate(rates)]
    out += [(kept_mark if kept else missed_mark)(x_of(len(rates) + i), y_of(rate))
            for i, (rate, kept) in enumerate(trials)]
    if best_pps:
        words = f"highest kept: {best_pps / 1000:.0f} kpps"
        out += [f'<path d="M{LEFT} {y_of(best_pps):.1f}H{right}" {DASHED}/>',
                f'<path d="M{right - 34 - 6.8 * len(words):.1f} 18h28" {DASHED}/>',
                text(right, 22, words, "e")]
    return out


def write(path, title, latency, rates, trials, best_pps):
    """Writes the SVG. `latency`: (histogram, words), an empty histogram leaves it out."""
    plots = [latency_plot(*latency)] if latency[0] else []
    plots.append(rate_plot(rates, trials, best_pps))
    width, height = WIDTH * len(plots), HEIGHT + HEAD
    body = "".join(f'<g transform="translate({WIDTH * i} {HEAD})">{"".join(plot)}</g>'
                   for i, plot in enumerate(plots))
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                   f'viewBox="0 0 {width} {height}" role="img"><title>{html.escape(title)}'
                   f'</title><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
                   f'{text(LEFT, 24, title, "h")}{body}</svg>\n')
