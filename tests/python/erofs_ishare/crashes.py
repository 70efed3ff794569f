# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Crashes and hangs of a campaign: replayed, grouped by stack, and minimised."""

import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess

from . import TOP
from .files import read_log
from .campaigns import relative

# Those that make a crash of a defect, or are below every one.
NOT_GUILTY = re.compile(
    r"__(asan|ubsan|sanitizer|interceptor|libc_start|restore_rt)|.*Sanitizer|_?_?abort$|raise$|gsignal$|__pthread_kill|"
    r"broken$|main$|_start$|LLVMFuzzer|fuzzer::|ExecuteFiles|__assert")
FRAMES = 3
SHOWN_FRAMES = 16
SHOWN_LINES = 60

MINIMISE_SECONDS = 60

# A stack for each way to end: abort() by the harness, a deadly signal, undefined behaviour.
# afl-tmin has its own idea.
STACKS = {"ASAN_OPTIONS": "handle_abort=1:symbolize=1:detect_leaks=0",
          "UBSAN_OPTIONS": "print_stacktrace=1"}


def run(command, timeout, environment):
    """(exit status, output, whether it took too long): a program that does is asked for its
    stack."""
    with subprocess.Popen(command, cwd=TOP, env=os.environ | environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        for number, patience in ((signal.SIGABRT, timeout), (signal.SIGKILL, 5), (None, None)):
            try:
                said, _ = process.communicate(timeout=patience)
                return process.returncode, said.decode(errors="replace"), number != signal.SIGABRT
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, number)
    raise AssertionError("a killed program does not end")


# ---- What a replay says ----

def frames(said):
    """(function, place) of the first stack in the output, innermost first: a sanitizer's, or the
    kernel's. User-Mode Linux prints whatever on the stack points to code: without an offset it is
    no call, others may be left over from earlier ones."""
    stack = []
    for line in said.splitlines():
        user = re.match(r"\s*#(\d+) 0x[0-9a-f]+ (?:in )?(\S+)(?: (.*))?", line)
        kernel = re.match(r"(?:\[[^]]*\])?\s*(?:RIP: \w+:|\[<[0-9a-f]+>\] (?:\? "
                          r")?)([a-zA-Z_][\w.]*)\+0x(?!0/)", line)
        if stack and (user and user[1] == "0" or line.endswith("Call Trace:") and len(stack) > 1):
            break
        if user and user[2].startswith(("LLVMFuzzerRunDriver", "ExecuteFiles", "fuzzer::")):
            break
        if user:
            stack.append((user[2], (user[3] or "").replace(f"{TOP}/", "")))
        elif kernel:
            stack.append((kernel[1], ""))
        elif stack and not line.strip():
            break
    return stack


TITLES = (
    r"broken: ([^:]+): .*",
    r".*ERROR: (?:Address|Leak|Memory)Sanitizer: ([\w-]+).*",
    r".*: runtime error: (.*)",
    r".*BUG: KASAN: ([\w-]+ in \w+).*",
    r".*Kernel panic - not syncing: (?!BUG!)(.*)",
    r".*(UBSAN: .*)",
    r".*(?:BUG|WARNING): (.*)",
    r".*libFuzzer: (.*)",
)


def title(said, late):
    """What went wrong, in a few words without numbers, which differ from input to input."""
    if late:
        return "takes too long"
    for pattern in TITLES:
        for line in said.splitlines():
            if match := re.fullmatch(pattern, line):
                if line.startswith("broken:"):
                    return f"broken: {match[1]}"
                return re.sub(r"0x[0-9a-f]+|\d+", "N", match[1]).strip()
    return "crash"


def signature(said, late):
    """Two crashes with the same one are one."""
    guilty = [name for name, _ in frames(said) if not NOT_GUILTY.match(name)][:FRAMES]
    return " < ".join([title(said, late), *guilty])


# ---- One input ----

class Input:
    """A file of crashes/, and its result."""

    def __init__(self, target, path):
        self.target, self.path = target, path
        self.kind = os.path.basename(path).split("-")[0]
        self.status, self.said, self.late = run(self.command(path),
                                                target.get("replay_seconds", 20), STACKS)
        self.fails = self.late or self.status not in (0, None)
        self.signature = signature(self.said, self.late)

    def command(self, path):
        """The command that replays it."""
        return [word.replace("{input}", path) for word in self.target["replay"]]

    def minimised(self, directory):
        """A smaller input with the same signature, or the input itself."""
        if "minimise" not in self.target or self.kind != "crash" or not shutil.which("afl-tmin"):
            return self.path
        small = f"{directory}/{os.path.basename(self.path)}"
        if not os.path.exists(small):
            os.makedirs(directory, exist_ok=True)
            command = [os.path.join(TOP, self.target["minimise"][0]), *self.target["minimise"][1:]]
            run(["afl-tmin", "-i", self.path, "-o", f"{small}.new", "-m", "none",
                 "-t", str(self.target["timeout"]), "--", *command], MINIMISE_SECONDS,
                {"AFL_NO_AFFINITY": "1"})
            if not os.path.exists(f"{small}.new"):
                return self.path
            os.replace(f"{small}.new", small)
        again = Input(self.target, small)
        return small if again.fails and again.signature == self.signature else self.path


def groups(target, where):
    """(one entry for each signature, paths that do nothing when run alone)."""
    if "deaths" in target:
        return deaths(target, where), []
    found, silent = {}, []
    for path in sorted(glob.glob(f"{glob.escape(where)}/crashes/*-*"),
                       key=lambda p: (os.path.getsize(p), p)):
        if path.endswith(".new"):
            continue
        one = Input(target, path)
        if one.fails:
            found.setdefault(one.signature, []).append(one)
        else:
            silent.append(relative(path))
    return [entry(name, inputs, f"{where}/minimised")
            for name, inputs in sorted(found.items())], silent


def identifier(name):
    """An anchor."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def shown(said):
    """The stack and the text in a target's output."""
    return {"stack": [" ".join(f).strip() for f in frames(said)[:SHOWN_FRAMES]],
            "said": said.replace(f"{TOP}/", "").splitlines()[:SHOWN_LINES]}


def entry(name, inputs, directory):
    """Inputs with the same signature, the smallest first."""
    first = inputs[0]
    small = first.minimised(directory)
    return {"id": identifier(name), "signature": name, "kind": first.kind,
            "title": title(first.said, first.late),
            "inputs": [relative(i.path) for i in inputs], "repeats": True,
            "smallest": relative(small),
            "size": os.path.getsize(first.path), "smallest_size": os.path.getsize(small),
            "replay": " ".join(relative(word) for word in first.command(small))} | shown(first.said)


class Death(Input):
    """A directory of fuzz/kernel's launcher, whose name has title and stack. To replay it makes
    it small, too."""

    def __init__(self, target, directory):
        super().__init__(target, directory)
        self.repeats = self.status == 0
        # Alone it dies in a fresh guest, with nothing on the stack that earlier inputs have left
        # there.
        name = re.search(r"^crash with .*: (\S+)$", self.said, re.M) if self.repeats else None
        self.name = name[1] if name else os.path.basename(directory)
        self.kind = "hang" if self.name.startswith("hang") else "crash"
        # What lies behind the bytes that are read, KASAN says, differs from input to input.
        self.signature = re.sub("KASAN-.*-in-", "KASAN-in-", self.name)
        self.log = read_log(f"{directory}/minimised.log" if self.repeats else f"{directory}/cause")
        self.before = glob.glob(f"{glob.escape(directory)}/ring/*")
        self.small = (glob.glob(f"{glob.escape(directory)}/minimised/*") if self.repeats
                      else self.before)

    def sizes(self):
        """Bytes: those that it takes, those there were."""
        return [sum(map(os.path.getsize, paths)) for paths in (self.small, self.before)]


def deaths(target, where):
    """What the target has kept itself, one entry for each signature: the smallest that happens
    again first."""
    found = {}
    for path in glob.glob(target["deaths"].replace("{dir}", glob.escape(where)) + "/*/input"):
        one = Death(target, os.path.dirname(path))
        found.setdefault(one.signature, []).append(one)
    return [death(name, sorted(ones, key=lambda one: (not one.repeats, one.sizes(), one.path)))
            for name, ones in sorted(found.items())]


def death(name, ones):
    """The deaths with the same signature."""
    first = ones[0]
    size, before = first.sizes()
    small = (first.small[0] if len(first.small) == 1
             else f"{first.path}/{'minimised' if first.repeats else 'ring'}")
    return {"id": identifier(name), "signature": name, "kind": first.kind,
            "title": title(first.log, False),
            "inputs": [relative(one.path) for one in ones], "repeats": first.repeats,
            "smallest": relative(small),
            "size": before, "smallest_size": size,
            "replay": " ".join(relative(word) for word in first.command(first.path)),
            "stack": [name for name, _ in frames(first.log)[:SHOWN_FRAMES]],
            "said": first.log.splitlines()[-SHOWN_LINES:]}
