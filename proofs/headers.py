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
MEMBER = r"\s*(?:uint(?:32|64)_t |size_t |bool |struct ishare_\w+ |const struct ishare_\w+ \*)\w+;"
RECORD = re.compile(rf"struct ishare_\w+ \{{(?:{MEMBER})+\s*\}};")
ENUM = re.compile(r"enum ishare_\w+ \{(?:\s*ISHARE_[A-Z0-9_]+,)+\s*\};")
# A table's row: what it points to is the library's.
ROW = re.compile(r"struct ishare_\w+ \{(?:\s*(?:const char \*(?:const \*)?|"
                 r"const struct ishare_\w+ \*|enum ishare_\w+ |uint32_t |bool )\w+;)+\s*\};")
TABLE = re.compile(r"extern const (?:struct ishare_\w+|bool) ishare_\w+(?:\[(?:ISHARE_\w+)?\])+;")
CHECK = re.compile(r"_Static_assert\(\s*[A-Z0-9_]+\s*==\s*(?:[A-Z0-9_]+(?: \+ [A-Z0-9_]+)?|0u),"
                   r"\s*\"[\w. ]+\"\);")
NAMED = re.compile(r"(?:\s*each\(ISHARE_RULE_[A-Z0-9_]+, \w+\) ?\\?)*\s*")
FAULTS = re.compile(r"#define ISHARE_[A-Z]+_FAULTS\(each\) \\\n((?:.*\\\n)*.*\n)")
FORMS = {LAYOUT: (CONSTANT, RECORD, CHECK), RULES: (ENUM, ROW, TABLE, FAULTS)}


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
    if re.search(r"\?\?|\\\n", FAULTS.sub("", text)):
        wrong.append(f"{path}: has a line that goes on, or a trigraph")
    for pattern in forms:
        if pattern is FAULTS:
            wrong += [w for each in FAULTS.findall(rest) for w in mismatched(path, each)]
        rest = pattern.sub("", rest)
    return wrong + [f"{path}: `{line.strip()}` is of no known form" for line in rest.splitlines()
                    if line.strip()]


def mismatched(path, each):
    """Each fault is that of the rule of its own name."""
    if not NAMED.fullmatch(each):
        return [f"{path}: a list of faults has more than rules and their members"]
    return [f"{path}: takes {member} for a fault of ISHARE_RULE_{rule}"
            for rule, member in re.findall(r"ISHARE_RULE_(\w+), (\w+)\)", each)
            if rule.lower() != member]
