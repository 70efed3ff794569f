# SPDX-License-Identifier: GPL-2.0-or-later
"""What the matrix runs: every vector, every real image, every change of the field sweep."""

import json
import os
from dataclasses import dataclass, field

import yaml

from erofs_ishare import TOP
from erofs_ishare.files import read, read_bytes, write
from erofs_ishare.specc.vectors import sweep_name


VECTORS = "build/spec/vectors"
SWEEP = "build/spec/sweep"
IMAGES = "tests/images"
BASES = "spec/base"
PADDED = "build/matrix/padded"
PAGE = 4096


@dataclass
class Case:
    """An image, and its purpose."""
    name: str
    file: str                # as the specification made it
    devices: list
    rule: str = None         # vectors only
    kind: str = "image"      # holds, fails, either, image, sweep
    why: str = ""
    edits: dict = field(default_factory=dict)
    base: str = None         # the image that was edited
    change: dict = None      # sweep only
    mounted: str = None      # the copy that the kernel gets
    mounted_devices: list = field(default_factory=list)

    @property
    def padded(self):
        """Whether the kernel's copy is longer."""
        return os.path.getsize(f"{TOP}/{self.file}") != os.path.getsize(f"{TOP}/{self.mounted}")


def load(name):
    """A manifest of the specification's compiler."""
    return json.loads(read(f"{TOP}/{VECTORS}/{name}"))


def vectors():
    """One case for each vector."""
    for vector in load("manifest.json"):
        if vector.get("second"):
            raise NotImplementedError(f"{vector['file']} has two images")
        yield Case(vector["file"].removesuffix(".erofs"), f"{VECTORS}/{vector['file']}",
                   [f"{VECTORS}/{d}" for d in vector["devices"]], vector["rule"], vector["kind"],
                   vector["why"], vector["edits"], f"{BASES}/{vector['base']}.erofs")


def images():
    """One case for each real image."""
    with open(f"{TOP}/{IMAGES}/images.yaml", encoding="utf-8") as data:
        for image in yaml.safe_load(data)["images"]:
            yield Case(image["name"], f"{IMAGES}/{image['name']}.erofs",
                       [f"{IMAGES}/{d['name']}" for d in image.get("devices", [])],
                       why=image["shows"])


def sweep():
    """One case for each change of a field."""
    for change in load("manifest-sweep.json"):
        yield Case(sweep_name(change).removesuffix(".erofs"), f"{SWEEP}/{sweep_name(change)}",
                   [f"{BASES}/{os.path.basename(d)}" for d in change["devices"]], kind="sweep",
                   base=f"{BASES}/{change['base']}.erofs", change=change)


class Padder:
    """Copies for the kernel. On a file-backed mount, metadata in a last page that the file fills
    only in part cannot be read, whatever is in it; on a block device, zeros follow. The copies have
    these zeros."""

    def __init__(self, directory):
        self.directory, self.done = directory, {}

    def copy(self, file):
        """The padded copy; the file itself if that fills its last page."""
        if file not in self.done:
            data = read_bytes(f"{TOP}/{file}")
            missing = -len(data) % PAGE
            self.done[file] = self.write(file, data + bytes(missing)) if missing else file
        return self.done[file]

    def write(self, file, data):
        """The name of the copy."""
        name = f"{self.directory}/{file.replace('build/spec/', '')}"
        os.makedirs(os.path.dirname(f"{TOP}/{name}"), exist_ok=True)
        write(f"{TOP}/{name}", data)
        return name

    def pad(self, case):
        """Gives the case its copies."""
        case.mounted = self.copy(case.file)
        case.mounted_devices = [self.copy(d) for d in case.devices]
        return case
