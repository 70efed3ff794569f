# SPDX-License-Identifier: GPL-2.0-or-later
"""The edits byte by byte: a base image beside the edited one."""

WIDTH = 16
ROWS_MAX = 48


def changed_rows(before, after):
    """Offsets of the rows in which the two differ, but for what was cut off."""
    end = len(after)
    return [at for at in range(0, end, WIDTH) if before[at:at + WIDTH] != after[at:at + WIDTH]]


def row(data, other, at, tag):
    """The bytes of one row; those that the other does not have there are marked."""
    cells = []
    for i in range(at, at + WIDTH):
        if i >= len(data):
            cells.append("  ")
            continue
        text = f"{data[i]:02x}"
        cells.append(text if i < len(other) and other[i] == data[i] else f"<{tag}>{text}</{tag}>")
    return " ".join(cells).rstrip()


def size_words(before, after):
    """Whether the size has changed."""
    if len(before) == len(after):
        return ""
    end = ": the end is cut off" if len(before) > len(after) else ""
    return f"<p>{len(before)} bytes became {len(after)}{end}.</p>\n"


def view(before, after):
    """HTML: each row that differs, before and after."""
    rows = changed_rows(before, after)
    if not rows:
        return size_words(before, after) or "<p>Not a byte: this is the base image.</p>\n"
    lines = []
    for at in rows[:ROWS_MAX]:
        lines.append(f"{at:08x}  - {row(before, after, at, 'del')}")
        lines.append(f"          + {row(after, before, at, 'ins')}")
    more = (f"<p>And {len(rows) - ROWS_MAX} more rows of {WIDTH} bytes.</p>\n"
            if len(rows) > ROWS_MAX else "")
    text = "\n".join(lines)
    return f"{size_words(before, after)}<pre tabindex=\"0\" aria-label=\"changed bytes\">{text}</pre>\n{more}"
