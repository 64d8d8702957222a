# SPDX-License-Identifier: BSD-2-Clause
"""Results: one shape for every run, a line of JSON kept for each, a comparison."""
import json
import os
import subprocess
import time

from ..build import ROOT

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


def shown(path):
    """A path of results as the user can type it: short in the top folder, else whole."""
    return path.relative_to(ROOT) if os.getcwd() == str(ROOT) else path


def keep(result):
    """Appends a result to results/history.jsonl."""
    RESULTS.mkdir(exist_ok=True)
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **result}
    with open(HISTORY, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def write_json(path, result):
    """Writes a file that the user named."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
        file.write("\n")


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
    names = [git("rev-parse", "--short=12", "--verify", "-q", name + "^{commit}") or name
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

