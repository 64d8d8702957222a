# SPDX-License-Identifier: BSD-2-Clause
"""Results: one shape for every run, a line of JSON kept for each, a picture, a comparison."""
import html
import json
import subprocess
import time

from .build import ROOT

RESULTS = ROOT / "results"
HISTORY = RESULTS / "history.jsonl"


def git(*words):
    """Output of a git command on this tree, "" when it fails."""
    ran = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True,
                         check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


def commit():
    """The commit of the tree, with + when files differ from it."""
    name = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return name + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def make(command, conditions, results):
    """The one shape of a result."""
    return {"command": command, "commit": commit(), "conditions": conditions,
            "results": results}


def keep(result):
    """Appends a result to results/history.jsonl."""
    RESULTS.mkdir(exist_ok=True)
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **result}
    with open(HISTORY, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def table(rows):
    """Two columns of text; rows are (name, value)."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


# ---- comparison ----

def history():
    if not HISTORY.exists():
        return []
    with open(HISTORY, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def compare(first, second):
    """Medians of the numbers of two commits, for each command and conditions that both ran.
    Commits in any form that git knows; runs of a changed tree count as of their commit."""
    runs = {}
    names = [git("rev-parse", "--short=12", "--verify", "-q", name) or name
             for name in (first, second)]
    for run in history():
        for side, name in enumerate(names):
            if run["commit"].rstrip("+") == name.rstrip("+"):
                key = (run["command"], json.dumps(run["conditions"], sort_keys=True))
                runs.setdefault(key, ([], []))[side].append(run["results"])
    lines = []
    for (command, conditions), (before, after) in sorted(runs.items()):
        if not before or not after:
            continue
        lines.append(f"{command}  {conditions}")
        lines.append(f"  {'':<28} {first:>14} {second:>14}   change  runs "
                     f"{len(before)}/{len(after)}")
        for key in before[0]:
            pair = [_median([r.get(key) for r in side]) for side in (before, after)]
            if None in pair:
                continue
            change = f"{(pair[1] / pair[0] - 1) * 100:+7.1f} %" if pair[0] else "      -"
            lines.append(f"  {key:<28} {pair[0]:>14g} {pair[1]:>14g} {change}")
    return "\n".join(lines)


def _median(values):
    numbers = sorted(v for v in values if isinstance(v, (int, float)))
    return numbers[len(numbers) // 2] if numbers else None


# ---- picture ----

WIDTH, HEIGHT, MARGIN = 560, 300, 60


def _axes(title, x_label, y_label, x_ticks, y_ticks):
    right, bottom = WIDTH - 20, HEIGHT - MARGIN
    out = [f'<text x="{WIDTH / 2}" y="20" class="t">{html.escape(title)}</text>',
           f'<path d="M{MARGIN} 35V{bottom}H{right}" class="a"/>',
           f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}">{html.escape(x_label)}</text>',
           f'<text x="16" y="{HEIGHT / 2}" transform="rotate(-90 16 {HEIGHT / 2})">'
           f'{html.escape(y_label)}</text>']
    for at, text in x_ticks:
        out.append(f'<path d="M{at:.1f} {bottom}v5" class="a"/>'
                   f'<text x="{at:.1f}" y="{bottom + 18}">{text}</text>')
    for at, text in y_ticks:
        out.append(f'<path d="M{MARGIN} {at:.1f}h-5" class="a"/>'
                   f'<text x="{MARGIN - 8}" y="{at + 4:.1f}" class="e">{text}</text>')
    return out


def _latency_plot(histogram):
    """Share of frames above a latency (complementary distribution, both axes logarithmic)."""
    import math
    total = sum(n for _, n in histogram) or 1
    low = math.log10(max(histogram[0][0], 1)) if histogram else 0
    high = math.log10(max(histogram[-1][0], 10)) if histogram else 1
    high = max(high, low + 0.5)
    depth = max(1, math.ceil(math.log10(total)))

    def x_of(us):
        return MARGIN + (math.log10(max(us, 1)) - low) / (high - low) * (WIDTH - 20 - MARGIN)

    def y_of(share):
        return 35 + min(-math.log10(max(share, 10 ** -depth)) / depth, 1) * (HEIGHT - 35 - MARGIN)
    points, above = [], total
    for us, count in histogram:
        points.append(f"{x_of(us):.1f},{y_of(above / total):.1f}")
        above -= count
    x_ticks = [(x_of(10 ** e), f"{10 ** e:g}")
               for e in range(math.ceil(low), math.floor(high) + 1)]
    y_ticks = [(y_of(10 ** -e), f"{100 * 10 ** -e:g} %") for e in range(depth + 1)]
    return _axes("Latency at 80 % of the highest loss-free rate", "latency, us",
                 "frames above", x_ticks, y_ticks) + [
        f'<polyline points="{" ".join(points)}" class="l"/>']


def _rate_plot(trials, best_pps):
    """Every trial of the search: rate, and whether it lost something."""
    top = max([rate for rate, _ in trials] + [best_pps, 1]) * 1.05

    def y_of(rate):
        return HEIGHT - MARGIN - rate / top * (HEIGHT - MARGIN - 35)
    step = (WIDTH - 20 - MARGIN) / max(len(trials), 1)
    out = _axes("Search for the highest loss-free rate", "trial", "offered, kpps",
                [(MARGIN + step * (i + 0.5), str(i + 1)) for i in range(len(trials))],
                [(y_of(top * i / 5), f"{top * i / 5000:.0f}") for i in range(6)])
    out.append(f'<path d="M{MARGIN} {y_of(best_pps):.1f}H{WIDTH - 20}" class="b"/>')
    for i, (rate, passed) in enumerate(trials):
        out.append(f'<circle cx="{MARGIN + step * (i + 0.5):.1f}" cy="{y_of(rate):.1f}" r="4" '
                   f'class="{"g" if passed else "r"}"/>')
    return out


def picture(path, title, histogram, trials, best_pps):
    """Writes one self-contained SVG: latency distribution and the rate search."""
    style = ("text{font:11px sans-serif;text-anchor:middle;fill:#222}.t{font-size:14px}"
             ".e{text-anchor:end}.a{stroke:#222;fill:none}.b{stroke:#06c;stroke-dasharray:5 3}"
             ".l{stroke:#06c;stroke-width:2;fill:none}.g{fill:#2a2}.r{fill:#d22}")
    body = "".join(_latency_plot(histogram))
    rates = "".join(_rate_plot(trials, best_pps))
    text = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{HEIGHT + 30}" '
            f'viewBox="0 -30 {2 * WIDTH} {HEIGHT + 30}"><style>{style}</style>'
            f'<rect y="-30" width="100%" height="100%" fill="#fff"/>'
            f'<text x="{WIDTH}" y="-10" class="t">{html.escape(title)}</text>'
            f'<g>{body}</g><g transform="translate({WIDTH})">{rates}</g></svg>\n')
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
