# SPDX-License-Identifier: BSD-2-Clause
"""Line plots as SVG and one page of HTML around them: no script, nothing from elsewhere."""
import html
import math

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 320, 64, 50, 34, 16
COLOURS = ("#0b61c4", "#d1451b", "#2b8a3e", "#8a4fbf", "#946200", "#5c6670", "#c2255c", "#0c8599",
           "#e8a300")
STYLE = ("body{font:15px/1.5 sans-serif;max-width:74em;margin:2em auto;padding:0 1em;color:#222}"
         "table{border-collapse:collapse}td,th{padding:.25em .9em;border-bottom:1px solid #ccc;"
         "text-align:right}td:first-child,th:first-child{text-align:left}svg{margin:.6em}"
         "svg text{font:11px sans-serif;fill:#222}.n{color:#555}")


class Axis:
    """Maps values to pixels; ticks at round numbers."""

    def __init__(self, values, first, last, log=False):
        usable = [v for v in values if v is not None and (v > 0 or not log)] or [1]
        self.log = log
        self.low = math.log10(min(usable)) if log else 0.0
        self.high = math.log10(max(usable)) if log else max(usable) * 1.05
        if self.high - self.low < 1e-9:
            self.high = self.low + 1
        self.first, self.last = first, last

    def at(self, value):
        value = math.log10(max(value, 10 ** self.low)) if self.log else value
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)

    def ticks(self):
        if self.log:
            marks = [10.0 ** e * m for e in range(math.floor(self.low), math.ceil(self.high) + 1)
                     for m in ((1, 2, 5) if self.high - self.low < 2.5 else (1,))]
            return [v for v in marks if self.low - 1e-9 <= math.log10(v) <= self.high + 1e-9]
        raw = (self.high - self.low) / 5
        size = 10 ** math.floor(math.log10(raw))
        step = next(size * m for m in (1, 2, 5, 10) if size * m >= raw)
        return [step * i for i in range(int(self.high / step) + 1)]


def lines(title, x_label, y_label, series, x_log=False, y_log=False):
    """`series`: [(name, [(x, y)])]. Returns an <svg> element."""
    x = Axis([p[0] for _, points in series for p in points], LEFT, WIDTH - RIGHT, x_log)
    y = Axis([p[1] for _, points in series for p in points], HEIGHT - BOTTOM, TOP, y_log)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
           f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><rect width="100%" height="100%" '
           f'fill="#fff"/><text x="{LEFT}" y="18" font-weight="bold">{html.escape(title)}</text>',
           f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" '
           f'stroke="#222"/>',
           f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
           f'{html.escape(x_label)}</text>',
           f'<text transform="translate(14 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
           f'{html.escape(y_label)}</text>']
    for value in x.ticks():
        out.append(f'<text x="{x.at(value):.1f}" y="{HEIGHT - BOTTOM + 16}" '
                   f'text-anchor="middle">{value:g}</text>')
    for value in y.ticks():
        at = y.at(value)
        out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#eee"/>'
                   f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>')
    for number, (name, points) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        places = [(x.at(a), y.at(b)) for a, b in points if b is not None]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                   f'stroke-width="2"/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
        out.append(f'<text x="{LEFT + 10}" y="{TOP + 14 + 14 * number}" '
                   f'style="fill:{colour}">{html.escape(name)}</text>')
    return "".join(out) + "</svg>"


def table(head, rows):
    """An HTML table; cells are text."""
    def row(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"
    return "<table>" + row(head, "th") + "".join(row(r, "td") for r in rows) + "</table>"


def page(path, title, parts):
    """Writes a self-contained page; `parts` are HTML."""
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
                  f'<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>'
                  f'<h1>{html.escape(title)}</h1>\n' + "\n".join(parts) + "\n</body></html>\n")
