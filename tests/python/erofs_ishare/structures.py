# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The specification, as its compiler reads it, and structures encoded as its field tables say."""

import functools
import glob
import sys

from . import TOP
from .specc import parse


@functools.cache
def specification():
    """All chapters."""
    spec, errors = parse.parse(sorted(glob.glob(f"{TOP}/spec/[0-9][0-9]-*.md")))
    if errors.found:
        print("the specification has errors: run `make spec`", file=sys.stderr)
        sys.exit(2)
    return spec


def pack(name, **fields):
    """The bytes of a structure; fields that are not given are zero."""
    struct = specification().struct(name)
    data = bytearray(struct.size)
    for key, value in fields.items():
        field = struct.get(key)
        if isinstance(value, int):
            value = value.to_bytes(field.width, "little")
        data[field.offset:field.offset + len(value)] = value
    return bytes(data)
