# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Finds the functions that have changed since they were last proved on all machines.

proved.tsv has a digest of each function as it was then: of its own text, and of all declarations
that this leads to: contracts of the functions that it calls, predicates, structures, constants, and
what these mention in turn; and of the provers' versions and options. Comments and spaces do not
count. A function with another digest, or without one, is touched.
"""

import functools
import os
import re

from erofs_ishare import changed
import acsl
import wp

PROVED = changed.Record(f"{wp.HERE}/proved.tsv", ("file", "function"), """\
# A digest of each function, of all that its proof depends on, of the provers' versions and of their
# options, from when it was last proved on all machines. Where only a sample is proved, a function
# that differs is still proved on all machines. `proofs/prove --record-floors` writes this file.
""")
WORD = re.compile(r"[A-Za-z_]\w*")
# They say where declarations come from; the declarations themselves count.
IDLE = re.compile(r"#\s*(?:include\b|ifndef \w+_H$|define \w+_H$|endif$)")
FUNCTION = re.compile(r"[^={]*?(\w+)\s*\([^{}=]*\)\s*(?:\{.*\}|;)", re.DOTALL)
RECORD = re.compile(r"\s*(struct|union|enum)\s+(\w+)\s*\{(.*)\}", re.DOTALL)
VARIABLE = re.compile(r"[^=\[;]*?(\w+)\s*(?:\[[^=]*)?=")


def spans(code):
    """(start, end) of each declaration, definition or preprocessor line of a file without
    comments."""
    start = depth = 0
    for match in re.finditer(r"[{};]|^#[^\n]*$", code, re.MULTILINE):
        depth += (match.group() == "{") - (match.group() == "}")
        function = match.group() == "}" and FUNCTION.fullmatch(code[start:match.end()].strip())
        if not depth and (match.group() == ";" or function or match.group()[0] == "#"):
            yield start, match.end()
            start = match.end()


def names_of(code):
    """The names that a declaration defines."""
    if code.startswith("#"):
        return re.findall(r"#define (\w+)", code)
    if match := RECORD.match(code):
        return [match.group(2)] + (WORD.findall(match.group(3)) if match.group(1) == "enum" else [])
    match = FUNCTION.fullmatch(code) or VARIABLE.match(code)
    return [match.group(1)] if match else []


def with_annotations(text):
    """The text on one line, of its comments only those that Frama-C reads."""
    for note in reversed(acsl.annotations(text)):
        text = text[:note.start] + note.body + text[note.end:]
    return acsl.single_spaced(acsl.code_of(text))


@functools.lru_cache(maxsize=None)
def declarations(text):
    """(names, text) of each declaration in C; contracts belong to what they stand above."""
    code, found = acsl.code_of(text), []
    for start, end in spans(code):
        bare = code[start:end].strip()
        if not IDLE.match(bare):
            found.append((names_of(bare), with_annotations(text[start:end])))
    return found


@functools.lru_cache(maxsize=None)
def definitions(text):
    """(names, text) of each definition of the specification."""
    statements = [s for note in acsl.annotations(text) for s in acsl.statements(note.body)]
    return [([acsl.DEFINITION.fullmatch(s).group(1)], acsl.single_spaced(s)) for s in statements]


def seen_by(source, function):
    """(names, text) of all that a proof of the function could depend on."""
    for path in source.files:
        if os.path.realpath(path) == os.path.realpath(wp.SPEC):
            yield from definitions(wp.read(path))
        else:
            yield from declarations(wp.without_bodies(path, function
                                                      if path == source.path else None))


def needed(source, function):
    """The texts that its proof does depend on: what it mentions, what that mentions, and so on."""
    by_name, found = {}, set()
    for names, text in seen_by(source, function):
        found |= set() if names else {text}
        for name in names:
            by_name.setdefault(name, []).append(text)
    words, met = [function], set()
    while words:
        word = words.pop()
        if word in by_name and word not in met:
            met.add(word)
            found |= set(by_name[word])
            words += [w for text in by_name[word] for w in WORD.findall(text)]
    return sorted(found)


def provers():
    """The provers, their versions and options, on all machines."""
    return [f"{tool} {version}" for tool, version in wp.versions().items()] + [
        option for machdep in wp.MACHDEPS for option in wp.options(machdep)
    ] + [limit for smoke in (False, True) for limit in wp.limits(smoke)]


def digests(sources):
    """{(file, function): digest} of all functions."""
    how = provers()
    return {(source.path, function): changed.digest(function, *how, *needed(source, function))
            for source in sources for function in source.functions}


def record(sources, before):
    """Write proved.tsv after all functions were proved; returns what is wrong. before has the
    digests from when that began."""
    if digests(sources) != before:
        return ["proved.tsv: what is proved has changed meanwhile: try again"]
    PROVED.write(before)
    return []


def touched(sources):
    """The functions, as (file, function), that are not as they were when all machines proved
    them."""
    return PROVED.changed(digests(sources))
