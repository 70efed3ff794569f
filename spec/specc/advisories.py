# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Reads the heads of the kernel's findings: which kernels mistreat images that conform.

A finding of which a user of such an image should know says so in the list at the beginning of its
README.md:

    - Advisory: linux-7.3, small-blocks: reads wrong data with inode_share

The kernels are those of profiles, and the word after them is one of CONDITIONS: the images that it
concerns. What is said completes "on linux-7.3/16k this image (4096-byte blocks) ...".
"""

import os
import re
from dataclasses import dataclass

from erofs_ishare.files import read

from .model import HARMS, Place
from .words import wrap

# ref/check/advisories.c has a function for each.
CONDITIONS = ("shared", "small-blocks", "metabox", "huge-files")

ITEM = re.compile(r"^- ([A-Z][^:\n]*): ((?:.*\n(?:  .*\n|\n(?=  ))*))", re.MULTILINE)
VALUE = re.compile(r"((?:linux-[0-9.]+, )+)([a-z-]+): (\S.*)")
HARM = re.compile(rf"({'|'.join(HARMS)})\b")


@dataclass
class Advisory:
    """What a finding says to the user of an image that it concerns."""
    name: str
    kernels: list
    condition: str
    says: str
    harm: str
    explain: str


def plain(text):
    """Markdown's words without its marks, on one line."""
    return " ".join(re.sub(r"\[([^]]*)\]\([^)]*\)|`([^`]*)`", r"\1\2", text).split())


def explain(name, head):
    """The beginning of a finding's page, as plain text."""
    title, *rest = re.sub(r"<!--.*?-->\n", "", head, flags=re.DOTALL).strip().split("\n\n")
    prose = "\n\n".join(rest).split("\n- ", 1)[0]
    blocks = [wrap(f"{name}: {plain(title.lstrip('# '))}"),
              *(wrap(plain(paragraph)) for paragraph in prose.split("\n\n") if paragraph.strip()),
              *(wrap(f"{key}: {plain(value)}") for key, value in ITEM.findall(head)
                if key != "Advisory"),
              wrap(f"The whole finding, with a way to see it and a patch: "
                   f"kernel/findings/{name} in the sources")]
    return "\n\n".join(blocks) + "\n"


def advisory(path, errors):
    """What the finding described in a file says, or None."""
    name, text = os.path.basename(os.path.dirname(path)), read(path)
    head = text.split("\n## ", 1)[0] + "\n"
    items = dict(ITEM.findall(head))
    if "Advisory" not in items:
        return None
    place = Place(path, 1 + text[:text.index("- Advisory:")].count("\n"))
    value, harm = VALUE.fullmatch(plain(items["Advisory"])), HARM.match(items.get("Harm", ""))
    if not value:
        errors.add(place, "an advisory is KERNEL, CONDITION: WHAT IT DOES")
    elif value[2] not in CONDITIONS:
        errors.add(place, f"no condition '{value[2]}'; there are {', '.join(CONDITIONS)}")
    elif not harm:
        errors.add(place, f"a finding with an advisory needs a harm, one of {', '.join(HARMS)}")
    else:
        return Advisory(name, value[1].rstrip(", ").split(", "), value[2], value[3].rstrip("."),
                        harm[1], explain(name, head))
    return None


def read_all(directory, errors):
    """The advisories of all findings below a directory, in the order of their names."""
    pages = (os.path.join(directory, name, "README.md") for name in sorted(os.listdir(directory)))
    found = (advisory(path, errors) for path in pages if os.path.exists(path))
    return [a for a in found if a]
