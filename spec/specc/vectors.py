# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Vectors: base images, edited as the rules say, and the sweep over every field."""

import json
import os
import re

import yaml

from erofs_ishare.files import read_bytes

from .editor import Editor
from .image import EXT_SLOTS, SUPERBLOCK, Image, Unreachable, mend_checksum
from .targets import inode_struct

SWEEP = {
    "zero": lambda v, bits: 0,
    "ones": lambda v, bits: (1 << bits) - 1,
    "plus-1": lambda v, bits: (v + 1) % (1 << bits),
    "minus-1": lambda v, bits: (v - 1) % (1 << bits),
    "top-bit": lambda v, bits: v ^ 1 << (bits - 1),
    "mid-bit": lambda v, bits: v ^ 1 << bits // 2,
    "low-bit": lambda v, bits: v ^ 1,
    "swapped": lambda v, bits: int.from_bytes(v.to_bytes(bits // 8, "little"), "big"),
}


class Bases:
    """The base images and the devices that belong to them."""

    def __init__(self, directory):
        self.directory = directory
        self.devices = {}
        listing = os.path.join(directory, "images.yaml")
        if os.path.exists(listing):
            with open(listing, encoding="utf-8") as text:
                for image in yaml.safe_load(text)["images"]:
                    self.devices[image["name"]] = [d["name"] for d in image.get("devices", [])]

    def read(self, name):
        """The bytes of spec/base/NAME.erofs."""
        path = os.path.join(self.directory, f"{name}.erofs")
        if not os.path.exists(path):
            raise Unreachable(f"there is no base image {path}")
        return read_bytes(path)

    def names(self):
        """All base images."""
        return sorted(n[:-6] for n in os.listdir(self.directory) if n.endswith(".erofs"))


def files(spec, base_directory, errors):
    """Everything below vectors/: {name: bytes}."""
    bases, out, manifest = Bases(base_directory), {}, []
    unread = spec.scope("unread")
    for rule in spec.rules:
        for vector in rule.vectors:
            entry = vector_files(spec, bases, rule, vector, out, errors)
            manifest.append(entry | {"digests": rule in unread})
    for name in sorted({d for v in manifest for d in v["devices"]}):
        out[name] = read_bytes(os.path.join(base_directory, name.split("/")[-1]))
    out["manifest.json"] = to_json(manifest)
    changes = ",\n".join(json.dumps(change) for change in sweep(spec, base_directory))
    out["manifest-sweep.json"] = f"[\n{changes}\n]\n"
    return {f"vectors/{name}": data for name, data in out.items()}


def vector_files(spec, bases, rule, vector, out, errors):
    """One vector's images go to `out`; returns its line of the manifest."""
    stem = f"{rule.name}/{vector.kind}-{vector.number}"
    entry = {"rule": rule.name, "kind": vector.kind, "file": f"{stem}.erofs",
             "base": vector.base,
             "devices": [f"devices/{d}" for d in bases.devices.get(vector.base, [])],
             "edits": {k: v for k, v in vector.edits.items()
                       if k not in ("why", "base", "also")},
             "expect": [rule.name] if vector.kind == "fails" else [],
             "also": sorted(set(rule.also + vector.edits.get("also", []))),
             "verdict": rule.verdict if vector.kind == "fails" else None,
             "severity": rule.severity,
             "why": " ".join(str(vector.edits.get("why", "")).split())}
    out[entry["file"]] = build(spec, bases, rule, vector.place, vector.edits, vector.base, errors)
    if "second" in vector.edits:
        second = vector.edits["second"]
        entry["second"] = f"{stem}.second.erofs"
        out[entry["second"]] = build(spec, bases, rule, vector.place, second,
                                     second.get("base", vector.base), errors)
    return entry


def build(spec, bases, rule, place, edits, base, errors):
    """One image; what cannot be done is said with the edit's place."""
    try:
        return Editor(spec, bases.read(base)).build(place.file, edits)
    except Unreachable as error:
        errors.add(getattr(error, "at", place), f"rule {rule.name}: {error}")
        return b""


def to_json(data):
    """JSON for people and programs."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


# ---- the sweep ----

def sweep(spec, base_directory):
    """Every field of every structure that can be reached in a base image, changed in each of the
    eight ways. Changes that change nothing, or the same as another, are left out."""
    changes = []
    bases = Bases(base_directory)
    for base in bases.names():
        data = bases.read(base)
        devices = [f"devices/{d}" for d in bases.devices.get(base, [])]
        for where, struct_name, offset in instances(Image(data)):
            struct = spec.struct(struct_name)
            for field in struct.fields if struct else []:
                changes += sweep_field(base, data, devices, where, field, offset + field.offset)
    return changes


def sweep_field(base, data, devices, where, field, offset):
    """The changes of one field."""
    old = data[offset:offset + field.width]
    seen, changes = {old}, []
    for verb, change in SWEEP.items():
        value = change(int.from_bytes(old, "little"), 8 * field.width)
        new = value.to_bytes(field.width, "little")
        if new in seen or len(old) < field.width:
            continue
        seen.add(new)
        mended = where != "superblock" or field.name != "checksum"
        changes.append({"base": base, "devices": devices, "where": where, "field": field.name,
                        "verb": verb, "at": offset, "bytes": new.hex(), "mend_checksum": mended})
    return changes


def instances(image):
    """(how an edit would address it, structure, offset) of everything that can be found."""
    yield "superblock", "superblock", SUPERBLOCK
    if image.data[SUPERBLOCK + 13]:
        yield "superblock_ext", "superblock_ext", EXT_SLOTS
    for i, offset in enumerate(image.deviceslots()):
        yield f"deviceslot[{i}]", "deviceslot", offset
    for i, record in enumerate(reachable(image.prefixes)):
        yield f"prefix[{i}]", "prefix_record", record.offset
    for i, entry in enumerate(reachable(image.shared_entries)):
        yield f"shared_xattr[{i}]", "xattr_entry", entry.offset
    for path, inode in image.paths():
        yield from inode_instances(image, path, inode)


def inode_instances(image, path, inode):
    """An inode and all that follows it."""
    yield f"inode({path})", inode_struct(inode), inode.offset
    if inode.icount:
        yield f"inode({path}).ibody", "ibody_header", inode.ibody
        for i, entry in enumerate(image.entries(inode)):
            yield f"inode({path}).xattr[{i}]", "xattr_entry", entry.offset
    for i, offset in enumerate(reachable(image.chunks, inode)):
        yield f"inode({path}).chunk[{i}]", "chunk_index", offset
    if inode.is_directory():
        for i, entry in enumerate(reachable(image.dirents, inode)):
            yield f"dirent({path})[{i}]", "dirent_record", entry.offset


def reachable(find, *args):
    """The results of `find`; empty if the image keeps them out of reach."""
    try:
        return find(*args)
    except Unreachable:
        return []


def sweep_images(spec, base_directory, changes=None):
    """(change, image) for every change of the sweep."""
    bases = Bases(base_directory)
    cache = {name: bases.read(name) for name in bases.names()}
    for change in sweep(spec, base_directory) if changes is None else changes:
        data = bytearray(cache[change["base"]])
        new = bytes.fromhex(change["bytes"])
        data[change["at"]:change["at"] + len(new)] = new
        if change["mend_checksum"]:
            mend_checksum(data, cache[change["base"]][SUPERBLOCK + 12])
        yield change, bytes(data)


def sweep_name(change):
    """A file name for a change of the sweep."""
    where = re.sub(r"[^\w]+", "_", change["where"]).strip("_")
    return f"{change['base']}/{where}.{change['field']}.{change['verb']}.erofs"
