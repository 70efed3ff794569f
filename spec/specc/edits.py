# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Edits: what a vector changes in its base image, by structure and not by offset."""

import re
from dataclasses import dataclass

from .image import CHUNK_BASED, EXT_SLOTS, SUPERBLOCK, Image, Unreachable, mend_checksum, round_up
from .model import Place
from .parse import NUMBER

OPTIONS = ("why", "base", "checksum", "truncate", "second", "raw", "extend", "append", "also")
PATH = r"\((?P<path>/[^)]*)\)"
INDEX = r"\[(?P<i>\d+)\]"

# What an edit may address: its form, the structures that know its fields, what has no field.
TARGETS = [
    ("superblock", re.compile(r"superblock\.(?P<member>\w+)"), ("superblock",), ()),
    ("superblock_ext", re.compile(r"superblock_ext\.(?P<member>\w+)"), ("superblock_ext",), ()),
    ("deviceslot", re.compile(rf"deviceslot{INDEX}\.(?P<member>\w+)"),
     ("deviceslot",), ()),
    ("prefix", re.compile(rf"prefix{INDEX}\.(?P<member>\w+)"), ("prefix_record",),
     ("infix",)),
    ("prefix record", re.compile(r"prefix"), (), ()),
    ("shared xattr", re.compile(rf"shared_xattr{INDEX}\.(?P<member>\w+)"),
     ("xattr_entry",), ("name", "value")),
    ("inode", re.compile(rf"inode{PATH}\.(?P<member>i_\w+)"),
     ("inode_compact", "inode_extended"), ()),
    ("ibody", re.compile(rf"inode{PATH}\.ibody\.(?P<member>\w+)"),
     ("ibody_header",), ()),
    ("shared", re.compile(rf"inode{PATH}\.shared{INDEX}"), (), ()),
    ("xattr", re.compile(rf"inode{PATH}\.xattr{INDEX}\.(?P<member>\w+)"),
     ("xattr_entry",), ("name", "value")),
    ("xattr record", re.compile(rf"inode{PATH}\.xattr"), (), ()),
    ("chunk", re.compile(rf"inode{PATH}\.chunk{INDEX}\.(?P<member>\w+)"),
     ("chunk_index",), ()),
    ("dirent", re.compile(rf"dirent{PATH}{INDEX}\.(?P<member>\w+)"),
     ("dirent_record",), ("name",)),
]
RECORD_KEYS = {"prefix record": {"base_index", "infix"},
               "xattr record": {"name_index", "name", "value"}}


@dataclass
class Edit:
    """One edit, read but not applied."""
    place: Place
    key: str
    kind: str
    path: str
    index: int
    member: str
    value: object


# ---- reading: what can be said without an image ----

def check(spec, errors):
    """Every vector's edits address known structures and fields."""
    for rule in spec.rules:
        for vector in rule.vectors:
            check_map(spec, rule, vector.place.file, vector.edits, errors)


def check_map(spec, rule, file, edits, errors):
    """The edits of one image; a second image has its own."""
    for key, value in edits.items():
        place = place_of(file, edits, key)
        problem = check_option(spec, key, value) if key in OPTIONS else None
        if key == "second" and not problem:
            check_map(spec, rule, file, value, errors)
        if key not in OPTIONS:
            edit = read_edit(spec, place, key, value)
            problem = edit if isinstance(edit, str) else None
        if problem:
            errors.add(place, f"rule {rule.name}: {problem}")


def check_option(spec, key, value):
    """The error in an option, or None."""
    if key in ("why", "base"):
        return None if isinstance(value, str) else f"{key} must be text"
    if key == "checksum":
        return None if value == "keep" else f"checksum: {value} is not keep"
    if key in ("truncate", "extend"):
        return None if is_count(value) else f"{key} must be a number of bytes"
    if key == "second":
        return None if isinstance(value, dict) else "second must be a map of edits"
    if key == "append":
        return None if hex_bytes(value) else "append must be hexadecimal digits"
    if key == "also":
        unknown = [name for name in value if not spec.rule(name)] \
            if isinstance(value, list) else [value]
        return f"also: there is no rule {unknown[0]}" if unknown else None
    return check_raw(value)


def check_raw(value):
    """raw: a list of {at: N, bytes: "hex"}."""
    for item in value if isinstance(value, list) else [None]:
        if not (isinstance(item, dict) and set(item) == {"at", "bytes"}
                and is_count(item["at"]) and hex_bytes(item["bytes"])):
            return 'raw must be a list of {at: N, bytes: "hex"}'
    return None


def is_count(value):
    """A number that is none of YAML's booleans."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def hex_bytes(text):
    """Bytes of hexadecimal digits, or None."""
    try:
        return bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        return None


def read_edit(spec, place, key, value):
    """An Edit, or what is wrong with it."""
    full = key
    superblock = spec.struct("superblock")
    if superblock and superblock.get(key):
        full = f"superblock.{key}"
    for kind, form, structs, extra in TARGETS:
        match = form.fullmatch(full)
        if match:
            break
    else:
        return f"{key} addresses no structure that a vector can edit"
    groups = match.groupdict()
    index = int(groups["i"]) if groups.get("i") else None
    edit = Edit(place, key, kind, groups.get("path"), index, groups.get("member"), value)
    return check_edit(spec, edit, structs, extra) or edit


def check_edit(spec, edit, structs, extra):
    """The error in an edit, or None."""
    if edit.kind in RECORD_KEYS:
        return check_record(edit)
    if edit.member in extra:
        return None if text_bytes(edit.value) is not None else \
            f"{edit.key}: must be text or {{hex: digits}}"
    field = None
    if structs:
        known = [spec.struct(name) for name in structs if spec.struct(name)]
        if not known:
            return f"{edit.key}: there is no struct {structs[0]}"
        field = next((s.get(edit.member) for s in known if s.get(edit.member)), None)
        if not field:
            return f"{edit.key}: there is no field {known[0].name}.{edit.member}"
    return check_value(spec, edit, field)


def check_value(spec, edit, field):
    """A field's new value: a number, a change, or the digits of a u8[N]."""
    if field and field.array:
        data = array_bytes(edit.value)
        return None if data is not None and len(data) == field.width else \
            f"{edit.key}: must be {2 * field.width} hexadecimal digits"
    if new_number(spec, edit.value, 0, 64) is None:
        return f"{edit.key}: {edit.value} is not a value"
    return None


def check_record(edit):
    """Insertion or removal of a record."""
    keys, value = RECORD_KEYS[edit.kind], edit.value
    if isinstance(value, dict) and set(value) == {"remove"} and is_count(value["remove"]):
        return None
    if isinstance(value, dict) and set(value) == keys | {"insert"} and is_count(value["insert"]) \
            and all(is_count(value[k]) and value[k] < 256 if k.endswith("index")
                    else text_bytes(value[k]) is not None for k in keys):
        return None
    return f"{edit.key}: must be {{remove: i}} or {{insert: i, {', '.join(sorted(keys))}}}"


def array_bytes(value):
    """The bytes of a u8[N]: digits, with or without {hex: digits} around them."""
    return text_bytes(value) if isinstance(value, dict) else hex_bytes(value)


def text_bytes(value):
    """The bytes of a name or value: text, or {hex: digits}."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"hex"}:
        return hex_bytes(value["hex"])
    return None


def new_number(spec, value, old, bits):
    """A field's new value: a number, a constant's name, or an operation on the old one."""
    if is_count(value):
        return value
    if not isinstance(value, str):
        return None
    operator, operand = re.fullmatch(r"([-+^|&]?)(.*)", value, re.DOTALL).groups()
    constant = spec.constant(operand)
    n = int(operand, 0) if NUMBER.fullmatch(operand) else constant.value if constant else None
    if not isinstance(n, int):
        return None
    return {"": n, "+": (old + n) % (1 << bits), "-": (old - n) % (1 << bits),
            "^": old ^ n, "|": old | n, "&": old & n}[operator]


# ---- applying ----

class Editor:
    """Applies edits to a copy of a base image.

    Structures are looked for in `sound`, the image as it was: an edit that breaks the superblock
    must not hide the inode that the next edit is about. Insertion and removal of records change
    both.
    """

    def __init__(self, spec, base):
        self.spec = spec
        self.sound = Image(bytearray(base))
        self.data = bytearray(base)

    def build(self, file, edits):
        """The image after all edits; raises Unreachable with the edit's place in `at`."""
        for key, value in edits.items():
            if key in OPTIONS:
                continue
            edit = read_edit(self.spec, place_of(file, edits, key), key, value)
            try:
                self.apply(edit)
            except Unreachable as error:
                raise unreachable_at(file, edits, key, str(error)) from error
        return self.finish(file, edits)

    def finish(self, file, edits):
        """Zeros up to a length, raw bytes, checksum, and what is appended or cut off."""
        self.data += bytes(max(edits.get("extend", 0) - len(self.data), 0))
        for item in edits.get("raw", []):
            data = hex_bytes(item["bytes"])
            if item["at"] + len(data) > len(self.data):
                raise unreachable_at(file, edits, "raw",
                                     f"byte {item['at']} is past the end of the image")
            self.data[item["at"]:item["at"] + len(data)] = data
        if edits.get("checksum") != "keep":
            before = bytes(self.data)
            mend_checksum(self.data, self.sound.block_bits)
            if "superblock.checksum" in edits and self.data != before:
                raise unreachable_at(file, edits, "superblock.checksum",
                                     "needs checksum: keep, or it is undone")
        self.data += hex_bytes(edits.get("append", ""))
        return bytes(self.data[:edits.get("truncate", len(self.data))])

    def apply(self, edit):
        """Applies one edit."""
        if edit.kind == "prefix record":
            self.edit_prefixes(edit.value)
        elif edit.kind == "xattr record":
            self.edit_xattrs(self.sound.inode(edit.path), edit.value)
        elif edit.kind == "shared":
            self.set_number(pick(self.sound.shared(self.sound.inode(edit.path)), edit.index), 4,
                            edit.value)
        else:
            self.set_member(edit)

    def set_member(self, edit):
        """A field of a structure, or the first bytes of the text that follows it."""
        start, struct_name, texts = self.locate(edit)
        if edit.member in texts:
            offset, old = texts[edit.member]
            new = text_bytes(edit.value)
            if len(new) > len(old):
                raise Unreachable(f"has {len(old)} bytes, not {len(new)}")
            self.data[offset:offset + len(new)] = new
            return
        struct = self.spec.struct(struct_name)
        field = struct.get(edit.member) if struct else None
        if not field:
            raise Unreachable(f"there is no field {struct_name}.{edit.member}")
        if field.array:
            self.data[start + field.offset:start + field.offset + field.width] = \
                array_bytes(edit.value)
        else:
            self.set_number(start + field.offset, field.width, edit.value)

    def locate(self, edit):
        """(offset, structure, texts beside its fields) of what an edit addresses."""
        image, kind = self.sound, edit.kind
        if kind == "superblock":
            return SUPERBLOCK, "superblock", {}
        if kind == "superblock_ext":
            # With the slot count in mind that an earlier edit may have set.
            if not self.data[SUPERBLOCK + 13]:
                image.superblock_ext()
            return EXT_SLOTS, "superblock_ext", {}
        if kind == "deviceslot":
            return pick(image.deviceslots(), edit.index), "deviceslot", {}
        if kind == "prefix":
            record = pick(image.prefixes(), edit.index)
            return record.offset, "prefix_record", {"infix": (record.offset + 3, record.infix)}
        if kind == "shared xattr":
            return entry_target(pick(image.shared_entries(), edit.index))
        inode = image.inode(edit.path)
        if kind == "xattr":
            return entry_target(pick(image.entries(inode), edit.index))
        if kind == "ibody":
            return image.ibody(inode), "ibody_header", {}
        if kind == "chunk":
            return pick(image.chunks(inode), edit.index), "chunk_index", {}
        if kind == "dirent":
            entry = pick(image.dirents(inode), edit.index)
            return entry.offset, "dirent_record", {"name": (entry.name_offset, entry.name)}
        return inode.offset, inode_struct(inode), {}

    def set_number(self, offset, width, value):
        """Write a number, or change the one that is there."""
        if offset + width > len(self.data):
            raise Unreachable("is past the end of the image")
        old = int.from_bytes(self.data[offset:offset + width], "little")
        new = new_number(self.spec, value, old, 8 * width)
        if new >= 1 << 8 * width:
            raise Unreachable(f"{value} does not fit into {width} byte{'s'[:width > 1]}")
        self.data[offset:offset + width] = new.to_bytes(width, "little")

    # ---- insertion and removal ----

    def edit_prefixes(self, change):
        """Insert or remove a record of the prefix table, and count it."""
        image = self.sound
        start = image.prefix_table()
        old = [bytes(image.data[p.offset:p.offset + p.size]) for p in image.prefixes()]
        new = list(old)
        if "remove" in change:
            pick(new, change["remove"])
            del new[change["remove"]]
        else:
            infix = text_bytes(change["infix"])
            record = (len(infix) + 1).to_bytes(2, "little") + bytes([change["base_index"]]) + infix
            new.insert(change["insert"], pad(record, 4))
        self.replace(start, sum(map(len, old)), b"".join(new))
        self.put(SUPERBLOCK + 91, bytes([len(new)]))

    def edit_xattrs(self, inode, change):
        """Insert or remove an inline xattr; what follows the xattr area moves along."""
        image = self.sound
        new = [bytes(image.data[e.offset:e.offset + e.size]) for e in image.entries(inode)]
        if "remove" in change:
            pick(new, change["remove"])
            del new[change["remove"]]
        else:
            name, value = text_bytes(change["name"]), text_bytes(change["value"])
            head = bytes([len(name), change["name_index"]]) + len(value).to_bytes(2, "little")
            new.insert(change["insert"], pad(head + name + value, 4))
        shared = image.shared(inode)
        area = bytes(image.data[inode.ibody:inode.ibody + 12 + 4 * len(shared)]) + b"".join(new)
        self.replace_area(inode, area)

    def replace_area(self, inode, area):
        """A new xattr area and, behind it, the old tail; i_xattr_icount says its size."""
        tail, tail_size = self.sound.tail(inode)
        data = bytes(self.sound.data[tail:tail + tail_size])
        end = inode.ibody + len(area)
        if inode.layout == CHUNK_BASED:
            area += bytes(round_up(end, self.sound.chunk_table(inode)[1]) - end)
        self.replace(inode.ibody, tail + tail_size - inode.ibody, area + data)
        self.put(inode.offset + 2, ((end - inode.ibody - 12) // 4 + 1).to_bytes(2, "little"))

    def replace(self, start, old_size, new):
        """Bytes in place of others; what becomes free is zero, what is needed must be free."""
        room = self.sound.room(start, start + old_size) - start
        if len(new) > room:
            raise Unreachable(f"needs {len(new)} bytes, but there is room for {room}")
        self.put(start, new + bytes(max(0, old_size - len(new))))

    def put(self, offset, data):
        """Change the sound image and its copy alike."""
        for target in (self.sound.data, self.data):
            target[offset:offset + len(data)] = data


def unreachable_at(file, edits, key, message):
    """An edit that cannot be applied, with its place in `at`."""
    error = Unreachable(f"{key}: {message}")
    error.at = place_of(file, edits, key)
    return error


def place_of(file, edits, key):
    """The place of a key in its chapter."""
    return Place(file, edits.lines[key] + 1)


def pad(data, unit):
    """Zeros up to a multiple of unit."""
    return data + bytes(round_up(len(data), unit) - len(data))


def pick(things, index):
    """things[index], or Unreachable."""
    if index >= len(things):
        raise Unreachable(f"there are only {len(things)} of these")
    return things[index]


def entry_target(entry):
    """The places of an xattr entry, its name and its value."""
    name = entry.offset + 4
    return entry.offset, "xattr_entry", {"name": (name, entry.name),
                                         "value": (name + len(entry.name), entry.value)}


def inode_struct(inode):
    """Which of the two forms."""
    return "inode_extended" if inode.extended else "inode_compact"
