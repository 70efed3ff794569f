# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The forms of the generated headers: specc writes nothing there that compilers and Frama-C could
read in two ways, such as a conditional.

acsl.py does the same for the core's own files and for codec.c and codec.h; gates.definitions() does
it for spec.acsl.h.
"""

import re

import acsl
from wp import read

LAYOUT = "build/spec/layout.h"
RULES = "build/spec/rules.h"
NUMBER = r"(?:0x[0-9a-f]+|\d+)(?:u|ull)?"
CONSTANT = re.compile(rf"#define (ISHARE_[A-Z0-9_]+) {NUMBER}\n")
MEMBER = r"\s*(?:uint(?:32|64)_t |size_t |struct ishare_\w+ |const struct ishare_\w+ \*)\w+;"
RECORD = re.compile(rf"struct ishare_\w+ \{{(?:{MEMBER})+\s*\}};")
ENUM = re.compile(r"enum ishare_\w+ \{(?:\s*ISHARE_[A-Z0-9_]+,)+\s*\};")
# A table's row: what it points to is the library's.
ROW = re.compile(r"struct ishare_\w+ \{(?:\s*(?:const char \*|const struct ishare_\w+ \*|"
                 r"enum ishare_\w+ |uint32_t |bool )\w+;)+\s*\};")
TABLE = re.compile(r"extern const (?:struct ishare_\w+|bool) ishare_\w+(?:\[ISHARE_\w+\])+;")
CHECK = re.compile(r"_Static_assert\(\s*[A-Z0-9_]+\s*==\s*(?:[A-Z0-9_]+(?: \+ [A-Z0-9_]+)?|0u),"
                   r"\s*\"[\w. ]+\"\);")
ASKED = re.compile(r"(?:\s*ask\(ISHARE_RULE_([A-Z0-9_]+), (\w+)\([\w, ]+\)\);? ?\\?)*\s*")
ASK = re.compile(r"#define ISHARE_SUPERBLOCK_RULES\([\w, ]+\) \\\n((?:.*\\\n)*.*\n)")
FORMS = {LAYOUT: (CONSTANT, RECORD, CHECK), RULES: (ENUM, ROW, TABLE, ASK)}


def generated():
    """What the headers have besides declarations of the known forms."""
    return [w for path, forms in FORMS.items() for w in form(path, read(path), forms)]


def form(path, text, forms):
    """The same of one header."""
    guard = f"ISHARE_{re.sub('.*/|[.]h$', '', path).upper()}_H"
    inner = re.fullmatch(rf"\s*#ifndef {guard}\n#define {guard}\n+#include \"types.h\"\n(.*)#endif\s*",
                         acsl.code_of(text), re.DOTALL)
    if not inner:
        return [f"{path}: is not within #ifndef {guard}, with types.h alone included"]
    rest, constants = inner.group(1), CONSTANT.findall(inner.group(1))
    wrong = [f"{path}: defines {name} twice" for name in sorted(set(constants))
             if constants.count(name) > 1]
    if acsl.annotations(text):
        wrong.append(f"{path}: has an annotation")
    if re.search(r"\?\?|\\\n", ASK.sub("", text)):
        wrong.append(f"{path}: has a line that goes on, or a trigraph")
    for pattern in forms:
        if pattern is ASK:
            wrong += [w for asked in ASK.findall(rest) for w in asks(path, asked)]
        rest = pattern.sub("", rest)
    return wrong + [f"{path}: `{line.strip()}` is of no known form" for line in rest.splitlines()
                    if line.strip()]


def asks(path, asked):
    """Each rule is asked by the function of its own name."""
    if not ASKED.fullmatch(asked):
        return [f"{path}: ISHARE_SUPERBLOCK_RULES does more than ask"]
    return [f"{path}: asks {function}() for ISHARE_RULE_{rule}"
            for rule, function in re.findall(r"ISHARE_RULE_(\w+), (\w+)\(", asked)
            if rule.lower() != function]
