# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Plots as inline SVG, with the page's colours and with text as text."""

import io
import re

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot, ticker

# Colours that stand for the page's variables.
FOREGROUND, LINE = "#010203", "#040506"
SERIES = [f"#0a0b{n:02x}" for n in range(1, 9)]
STYLES = ("-", "--", "-.", ":")

SIZE = (4.4, 2.7)

# Of the page, beside pages.STYLE.
STYLE = """\
:root { --series1: #0b57a4; --series2: #b3541e; --series3: #1b6b3a; --series4: #7a3e9d;
  --series5: #8a6d00; --series6: #b3266e; --series7: #00707a; --series8: #56606b; }
@media (prefers-color-scheme: dark) { :root { --series1: #7db7f5; --series2: #f2a36b;
  --series3: #7fce9a; --series4: #c79be6; --series5: #e3c55b; --series6: #f28bbd;
  --series7: #6fcfd8; --series8: #a0aab4; } }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem 2rem; margin: 1rem 0; }
figure { margin: 0; }
figcaption { font-weight: 600; font-size: .9rem; }
figure svg { display: block; width: 100%; height: auto; max-width: 36rem;
  font-family: system-ui, sans-serif; }
.key { display: inline-block; width: 1.2em; height: 0; border-top: 3px solid;
  margin: 0 .5em .25em 0; }
"""


def short(value, _position=None):
    """12000000 as 12M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.10g}{unit}"
    return f"{value:.10g}"


def time_unit(total):
    """(seconds, name) of the axis."""
    return next(((s, name) for s, name in ((86400, "days"), (3600, "hours"), (60, "minutes"))
                 if total >= 2 * s),
                (1, "seconds"))


def chart(name, title, series):
    """series: [(label, [(seconds, value)])], in the order of the page's colours."""
    unit, unit_name = time_unit(max((points[-1][0] for _, points in series if points), default=0))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name,
                                "font.family": "sans-serif",
                                "font.size": 10, "text.color": FOREGROUND, "axes.edgecolor": LINE,
                                "xtick.color": FOREGROUND, "ytick.color": FOREGROUND,
                                "axes.labelcolor": FOREGROUND}):
        figure, axes = pyplot.subplots(figsize=SIZE, layout="constrained")
        for i, (_, points) in enumerate(series):
            # One point is no line.
            axes.plot([t / unit for t, _ in points], [v for _, v in points], linewidth=1.6,
                      color=SERIES[i % len(SERIES)],
                      linestyle=STYLES[i // len(SERIES) % len(STYLES)],
                      marker="o" if len(points) < 2 else None, markersize=4)
        axes.margins(.04, .08)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.set_xlabel(unit_name)
        axes.yaxis.set_major_formatter(ticker.FuncFormatter(short))
        axes.xaxis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.grid(axis="y", color=LINE, linewidth=.6)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(length=0)
        text = svg(figure)
        pyplot.close(figure)
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>',
                  r'<svg viewBox="\1" xmlns="http://www.w3.org/2000/svg" '
                  r'xmlns:xlink="http://www.w3.org/1999/xlink" '
                  rf'role="img" aria-label="{title}">', text, count=1)
    text = text.replace(FOREGROUND, "var(--soft)").replace(LINE, "var(--line)")
    for i, colour in enumerate(SERIES):
        text = text.replace(colour, f"var(--series{i + 1})")
    # Several plots are on one page: their parts must not have the same names.
    text = re.sub(r'id="([\w.]+)"', rf'id="{name}-\1"', text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)


def colour(number):
    """The colour of the line with this number, from 0."""
    return f"var(--series{number % len(SERIES) + 1})"


def svg(figure):
    """The element, without what stands before it in a file."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg"):], flags=re.S)
