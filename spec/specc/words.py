# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What the specification says of a rule, as plain text: the words of `explain`."""

import textwrap

WIDTH = 78


def kernel_words(rule):
    """What a kernel does with a violation, as one line; None if the spec does not say."""
    words = []
    for key in ("mount", "access"):
        value = rule.kernel.get(key)
        if value:
            words.append(f"{key} fails with {value}" if value.isupper() else f"{key}: {value}")
    if rule.kernel.get("behaviour"):
        words.append(" ".join(rule.kernel["behaviour"].split()))
    line = "; ".join(words)
    if line and rule.kernel.get("since"):
        stop = "." if line.endswith(".") else ""
        line = f"{line.rstrip('.')} (since Linux {rule.kernel['since']}){stop}"
    return line[:1].upper() + line[1:] or None


def explain(rule):
    """Everything that the spec says on a rule, as plain text."""
    malformed = ", not decodable if broken" if rule.verdict == "malformed" else ""
    blocks = [wrap(f"{rule.name}: {rule.severity} (subject: {rule.subject}; harm: "
                   f"{rule.harm.replace('-', ' ')}{malformed})"), wrap(rule.requirement, 2)]
    if rule.predicate:
        blocks.append("Formally:\n\n" + code_block(rule.predicate.text))
    for title, text in (("Kernel", kernel_words(rule)), ("Divergence", rule.divergence),
                        ("Unspecified", rule.unspecified),
                        ("Established by", "; ".join(rule.established_by)),
                        ("May be reported with it", ", ".join(rule.also))):
        if text:
            blocks.append(wrap(f"{title}: {text}"))
    blocks += [code_block(p) if "\n" in p else wrap(p) for p in rule.prose]
    if rule.vectors:
        blocks.append("Vectors:\n" + "\n".join(vector_line(v) for v in rule.vectors))
    return "\n\n".join(blocks) + "\n"


def wrap(text, indent=0):
    """Fill a paragraph; names are never broken at their hyphens."""
    pad = " " * indent
    return textwrap.fill(text, WIDTH, initial_indent=pad, subsequent_indent=pad,
                         break_on_hyphens=False, break_long_words=False)


def code_block(text):
    """Code, indented; a line that is too long goes on below, further in."""
    lines = []
    for line in text.rstrip("\n").expandtabs(4).split("\n"):
        indent = "    " + line[:len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line.strip(), WIDTH, initial_indent=indent,
                               subsequent_indent=indent + "    ", break_on_hyphens=False,
                               break_long_words=False) or [""]
    return "\n".join(lines)


def vector_line(vector):
    """One vector: its name and what it changes in which base image."""
    words = edit_words(vector)
    return textwrap.fill(f"{vector.kind}-{vector.number}: {words}", WIDTH, initial_indent="  ",
                         subsequent_indent="    ", break_on_hyphens=False)


def edit_words(vector):
    """A vector's edits and reason on one line."""
    edits = ", ".join(f"{k}: {value_words(v)}" for k, v in vector.edits.items()
                      if k not in ("why", "base"))
    line = f"{vector.base}" + (f" with {edits}" if edits else " as it is")
    why = vector.edits.get("why")
    return line + (f" ({' '.join(str(why).split())})" if why else "")


def value_words(value):
    """A YAML value in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {value_words(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(value_words(v) for v in value) + "]"
    return str(value)
