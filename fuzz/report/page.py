# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The report as one page: no script, nothing loaded from elsewhere."""

import time
from html import escape

from erofs_ishare import pages
from erofs_ishare.campaigns import plural
from erofs_ishare.charts import chart, colour, STYLE as CHARTS_STYLE

TITLE = "Fuzz campaigns"

STYLE = CHARTS_STYLE + """\
:root { --bar: #9cc5ab; }
@media (prefers-color-scheme: dark) { :root { --bar: #2f6b45; } }
h2 { margin-top: 2.5rem; padding-top: 1rem; border-top: 3px solid var(--line); }
th, td { border-bottom: 1px solid var(--line); }
thead th { border-bottom-width: 2px; white-space: nowrap; }
.bar { display: block; height: .7rem; min-width: 5rem; background: var(--code); border-radius: 2px;
  margin-top: .35rem; }
.bar i { display: block; height: 100%; background: var(--bar); border-radius: 2px; }
.crash { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 4px;
  padding: .1rem 1rem .6rem; margin: 1rem 0; }
.crash h4 { margin: .7rem 0 .3rem; font-size: 1rem; }
"""


def duration(seconds):
    """2 d 3 h, 1 h 5 min, 40 s"""
    for size, name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"),
                                          (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{seconds} s"


def percent(part, whole):
    """Never 100 % if something is missing."""
    if not whole:
        return "-"
    return f"{100 * part // whole if part == whole else int(1000 * part / whole) / 10} %"


def page(report):
    body = "".join(section(t) for t in report["targets"])
    changed = ", with changes that are not committed" if report["tree_changed"] else ""
    attacked = " and against ".join(escape(t["what"]) for t in report["targets"])
    return pages.page(TITLE, (
        f"<header>\n<h1>{TITLE}</h1>\n"
        f"<p>What AFL++ tried against {attacked}, and what it found.</p>\n"
        f'<p class="soft">Made {escape(report["made"])} from '
        f'<code>{escape(report["commit"])}</code>{changed}. '
        '<a href="report.json">The same as JSON</a>.</p>\n'
        f"</header>\n<main>\n{body}</main>\n"), STYLE)


def section(target):
    """One target."""
    what = target["what"]
    parts = "".join(part(target) for part in (counts, crashes, instances, charts, coverage,
                                              circumstances))
    return (f'<section id="{escape(target["name"])}">\n<h2>{escape(target["name"])}</h2>\n'
            f"<p>{escape(what[0].upper() + what[1:])}.</p>\n{parts}</section>\n")


def counts(target):
    """The figures that matter first."""
    found = sum(c["kind"] == "crash" for c in target["crashes"])
    hangs = len(target["crashes"]) - found
    execs = sum(i["execs"] for i in target["instances"])
    seconds = sum((s["end"] or s["start"]) - s["start"] for s in target["sessions"])
    cover = target["coverage"]
    items = [("bad" if found else "good", plural(found, "crash", "different crashes")),
             ("bad" if hangs else "good", plural(hangs, "hang", "different hangs")),
             ("", f"{execs:,} execs"), ("", f"{target['corpus']:,} inputs in the corpus"),
             ("", f"{duration(seconds)} long")]
    if cover and cover.get("lines"):
        share = percent(cover["reached"], cover["lines"])
        items.append(("", f"{share} of {cover['lines']:,} lines reached"))
    return pages.counts(items)


# ---- Crashes ----

def crashes(target):
    """Each with what repeats it."""
    text = "".join(crash(c) for c in target["crashes"]) or "<p>No input fails.</p>\n"
    silent = target["not_repeated"]
    if silent:
        text += pages.folded(f"{plural(len(silent), 'input', 'inputs')} made the target fail "
                             "during the campaign, but not when run again", pages.listing(silent))
    return f"<h3>Crashes</h3>\n{text}"


def crash(entry):
    """One signature."""
    size = f"{entry['smallest_size']:,} bytes"
    if entry["smallest_size"] < entry["size"]:
        size += f", made from {entry['size']:,}"
    if not entry["repeats"]:
        size += "; it did not happen again when replayed"
    return (f'<article class="crash" id="{entry["id"]}">\n<h4>{escape(entry["title"])}</h4>\n'
            f'<pre class="wrap">{escape(entry["replay"])}</pre>\n'
            f'<p class="soft">{plural(len(entry["inputs"]), "input", "inputs")} like this; the '
            f"smallest has {size}.</p>\n"
            f"{pages.listing(entry['stack']) if entry['stack'] else ''}"
            f"{pages.folded('What it says', pages.listing(entry['said']))}\n"
            f"{pages.folded('All inputs', pages.listing(entry['inputs']))}\n</article>\n")


# ---- Instances ----

COLUMNS = (("execs", "Execs"), ("execs_per_second", "Execs/s"), ("paths", "Paths"),
           ("edges", "Edges"), ("map_percent", "Of the map, %"), ("cycles", "Cycles"),
           ("stability_percent", "Stability, %"))


def number_cell(title, value):
    """A figure under its column's title."""
    return f'<td class="number" data-label="{title}">{value}</td>'


def number_heads(*titles):
    """The heads of columns of figures."""
    return "".join(f'<th scope="col" class="number">{title}</th>' for title in titles)


def instance_row(number, one):
    """One instance, with the colour that it has in the plots."""
    cells = "".join(number_cell(title, f"{one[key]:,}") for key, title in COLUMNS)
    key = f'<span class="key" style="color: {colour(number)}"></span>'
    return (f'<tr><th scope="row">{key}{escape(one["name"])}</th>'
            f"{number_cell('Time', duration(one['seconds']))}{cells}</tr>\n")


def instances(target):
    """A table, which is the key to the plots' colours, too."""
    head = '<th scope="col">Instance</th>' + number_heads("Time", *(t for _, t in COLUMNS))
    rows = "".join(instance_row(i, one) for i, one in enumerate(target["instances"]))
    return "<h3>Instances</h3>\n" + pages.table(head, rows, "cards")


def charts(target):
    """Over time, a line for each instance."""
    plots = (("execs", "Execs", 1), ("speed", "Execs/s", 4), ("paths", "Paths in the corpus", 2),
             ("edges", "Coverage: edges", 3))
    text = ""
    for name, title, column in plots:
        lines = [(i["name"], [(p[0], p[column]) for p in i["series"]]) for i in target["instances"]]
        text += (f"<figure>\n<figcaption>{title}</figcaption>\n"
                 f"{chart(target['name'] + '-' + name, escape(title), lines)}</figure>\n")
    return f'<div class="charts">\n{text}</div>\n'


# ---- Coverage ----

def coverage(target):
    """Line coverage by file."""
    cover = target["coverage"]
    if cover is None:
        return ""
    if "missing" in cover:
        return f"<h3>Lines reached</h3>\n<p>Not known: {escape(cover['missing'])}</p>\n"
    head = ('<th scope="col">File</th>' + number_heads("Lines", "Reached")
            + '<th scope="col">Not reached</th>')
    rows = "".join(coverage_row(f) for f in cover["files"])
    return "<h3>Lines reached by the corpus</h3>\n" + pages.table(head, rows, "cards")


def coverage_row(entry):
    """A row for one file; its missed lines are folded."""
    share = 100 * entry["reached"] / entry["lines"]
    missing = entry["lines"] - entry["reached"]
    more = '<span class="soft">none</span>'
    if missing:
        more = pages.folded(plural(missing, "line", "lines"), escape(entry["not_reached"]))
    return (f'<tr><th scope="row">{escape(entry["file"])}'
            f'<span class="bar"><i style="width: {share:.1f}%"></i></span></th>'
            f"{number_cell('Lines', entry['lines'])}"
            f"{number_cell('Reached', percent(entry['reached'], entry['lines']))}"
            f'<td data-label="Not reached">{more}</td></tr>\n')


# ---- Circumstances ----

def circumstances(target):
    """When, where, and by which commands."""
    rows = ""
    for session in target["sessions"]:
        start = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(session["start"]))
        length = duration(session["end"] - session["start"]) if session["end"] else "not known"
        m = session["machine"]
        rows += (f"<dt>{start}, {length}: {escape(session['outcome'])}</dt>\n"
                 f"<dd>{escape(', '.join(session['jobs']))} on {m['cpus']} CPUs "
                 f"({escape(m['cpu'])}), Linux {escape(m['kernel'])}, AFL++ {escape(m['afl'])}; "
                 f"<code>{escape(session['commit'])}</code></dd>\n")
    commands = pages.listing(i["command"] for i in target["instances"])
    return (f"<h3>Circumstances</h3>\n<dl>\n{rows}</dl>\n{pages.folded('Commands', commands)}\n")
