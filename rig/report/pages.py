# SPDX-License-Identifier: BSD-2-Clause
"""Pages of HTML that stand alone: no script, nothing from elsewhere, pictures inside.

matplotlib is loaded when a picture is made: ./millrace starts without it, to install it.
"""
import base64
import html

STYLE = ("body{font:15px/1.5 sans-serif;max-width:74em;margin:2em auto;padding:0 1em;color:#222}"
         "table{border-collapse:collapse}td,th{padding:.25em .9em;border-bottom:1px solid #ccc;"
         "text-align:right}td:first-child,th:first-child{text-align:left}"
         "img{max-width:100%;margin:.6em 0}.n{color:#555}")


def picture(figure, words):
    """A figure of draw.py as an image of the page; `words` for who cannot see it."""
    from . import draw
    data = base64.b64encode(draw.svg(figure).encode()).decode()
    return f'<img alt="{html.escape(words)}" src="data:image/svg+xml;base64,{data}"/>'


def lines(title, *words, **options):
    """A plot of lines (draw.lines) as an image."""
    from . import draw
    return picture(draw.lines(title, *words, **options), title)


def table(head, rows):
    """An HTML table; cells are text. Two spaces in front set a name in, as in record.table."""
    def cell(text):
        return html.escape(str(text)).replace("  ", "&#8195;")

    def row(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{cell(c)}</{tag}>" for c in cells) + "</tr>"
    return "<table>" + row(head, "th") + "".join(row(r, "td") for r in rows) + "</table>"


def page(path, title, parts):
    """Writes a self-contained page; `parts` are HTML."""
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<!doctype html><html lang="en"><head><meta charset="utf-8"/>'
                  f'<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>'
                  f'<h1>{html.escape(title)}</h1>\n' + "\n".join(parts) + "\n</body></html>\n")
