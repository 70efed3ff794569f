# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""On-disk structures, encoded as the specification's field tables say."""

import functools
import glob

from . import TOP
from .specc import parse


@functools.cache
def specification():
    """All chapters."""
    spec, _ = parse.parse(sorted(glob.glob(f"{TOP}/spec/[0-9][0-9]-*.md")))
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
