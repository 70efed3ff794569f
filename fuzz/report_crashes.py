# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Crashes and hangs of a campaign: run once more, put together by stack, and made small."""

import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Those that make a crash of a defect, or are below every one.
NOT_GUILTY = re.compile(
    r"__(asan|ubsan|sanitizer|interceptor|libc_start|restore_rt)|.*Sanitizer|_?_?abort$|raise$|gsignal$|__pthread_kill|"
    r"broken$|main$|_start$|LLVMFuzzer|fuzzer::|ExecuteFiles|__assert|"
    r"(__)?(kasan_|dump_stack|show_stack|print_report|panic$|check_panic|warn_slowpath|__warn$|report_bug|segv|"
    r"sig_handler|relay_signal|bad_segv|die$|oops)")
FRAMES = 3
SHOWN_FRAMES = 16
SHOWN_LINES = 60

MINIMISE_SECONDS = 60

# A stack for each way to end: abort() by the harness, a deadly signal, undefined behaviour. afl-tmin has its own idea.
STACKS = {"ASAN_OPTIONS": "handle_abort=1:symbolize=1:detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


def run(command, timeout, environment):
    """(exit status, output, whether it took too long): a program that does is asked for its stack."""
    with subprocess.Popen(command, cwd=TOP, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
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
    """(function, place) of the first stack in the output, innermost first: a sanitizer's, or the kernel's."""
    stack = []
    for line in said.splitlines():
        user = re.match(r"\s*#(\d+) 0x[0-9a-f]+ (?:in )?(\S+)(?: (.*))?", line)
        kernel = re.match(r"(?:\[[^]]*\])?\s*(?:\[<[0-9a-f]+>\] )?(\? )?([\w.]+)\+0x[0-9a-f]+/0x[0-9a-f]+", line)
        if user and user[1] == "0" and stack:
            break
        if user and user[2].startswith(("LLVMFuzzerRunDriver", "ExecuteFiles", "fuzzer::")):
            break
        if user:
            stack.append((user[2], (user[3] or "").replace(f"{TOP}/", "")))
        elif kernel and not kernel[1]:
            stack.append((kernel[2], ""))
        elif stack and not line.strip():
            break
    return stack


TITLES = (
    r"broken: ([^:]+): .*",
    r".*ERROR: (?:Address|Leak|Memory)Sanitizer: ([\w-]+).*",
    r".*: runtime error: (.*)",
    r".*BUG: KASAN: ([\w-]+ in \w+).*",
    r".*Kernel panic - not syncing: (.*)",
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
    """One file of crashes/, and what it does."""

    def __init__(self, target, path):
        self.target, self.path = target, path
        self.kind = os.path.basename(path).split("-")[0]
        self.status, self.said, self.late = run(self.command(path), target.get("replay_seconds", 20), STACKS)
        self.fails = self.late or self.status not in (0, None)
        self.signature = signature(self.said, self.late)

    def command(self, path):
        """What replays it."""
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
                 "-t", str(self.target["timeout"]), "--", *command], MINIMISE_SECONDS, {"AFL_NO_AFFINITY": "1"})
            if not os.path.exists(f"{small}.new"):
                return self.path
            os.replace(f"{small}.new", small)
        again = Input(self.target, small)
        return small if again.fails and again.signature == self.signature else self.path


def relative(path):
    """As one would type it at the top of the tree."""
    return os.path.relpath(path, TOP) if path.startswith(f"{TOP}/") else path


def groups(target, where):
    """(one entry for each signature, paths that do nothing when run alone)."""
    if "deaths" in target:
        kept = sorted(glob.glob(target["deaths"].replace("{dir}", glob.escape(where)) + "/*/input"))
        return [death(target, os.path.dirname(path)) for path in kept], []
    found, silent = {}, []
    for path in sorted(glob.glob(f"{glob.escape(where)}/crashes/*-*"), key=lambda p: (os.path.getsize(p), p)):
        if path.endswith(".new"):
            continue
        one = Input(target, path)
        if one.fails:
            found.setdefault(one.signature, []).append(one)
        else:
            silent.append(relative(path))
    return [entry(name, inputs, f"{where}/minimised") for name, inputs in sorted(found.items())], silent


def identifier(name):
    """An anchor."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def shown(said):
    """Of what a target said: its stack, and its text."""
    return {"stack": [" ".join(f).strip() for f in frames(said)[:SHOWN_FRAMES]],
            "said": said.replace(f"{TOP}/", "").splitlines()[:SHOWN_LINES]}


def entry(name, inputs, directory):
    """Inputs with the same signature, the smallest first."""
    first = inputs[0]
    small = first.minimised(directory)
    return {"id": identifier(name), "signature": name, "kind": first.kind, "title": title(first.said, first.late),
            "inputs": [relative(i.path) for i in inputs], "repeats": True, "smallest": relative(small),
            "size": os.path.getsize(first.path), "smallest_size": os.path.getsize(small),
            "replay": " ".join(relative(word) for word in first.command(small))} | shown(first.said)


def read(path):
    """A text, or nothing."""
    try:
        with open(path, encoding="utf-8", errors="replace") as text:
            return text.read()
    except FileNotFoundError:
        return ""


def death(target, directory):
    """What the target has kept itself. To replay it makes it small, too: see fuzz/kernel/replay."""
    one = Input(target, directory)
    said = read(f"{directory}/log")
    before = glob.glob(f"{glob.escape(directory)}/ring/*")
    small = sorted(glob.glob(f"{glob.escape(directory)}/minimised/*")) or [f"{directory}/input"]
    name = signature(said, False)
    return {"id": identifier(name + directory), "signature": name,
            "kind": "hang" if os.path.basename(directory).startswith("hang") else "crash",
            "title": title(said, False), "inputs": [relative(directory)], "repeats": one.status == 0,
            "smallest": relative(small[0] if len(small) == 1 else os.path.dirname(small[0])),
            "size": sum(map(os.path.getsize, before)), "smallest_size": sum(map(os.path.getsize, small)),
            "replay": " ".join(relative(word) for word in one.command(directory))} | shown(said)
