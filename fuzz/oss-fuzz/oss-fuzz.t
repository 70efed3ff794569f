#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""fuzz/oss-fuzz: built as OSS-Fuzz's base-builder does, with plain clang, and run as its runner
does, without the tree."""

import os
import re
import tempfile
import zipfile

import yaml

from erofs_ishare import tap
from erofs_ishare.files import read, read_bytes

FLAGS = "-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
SANITIZERS = {
    "address": "-fsanitize=address -fsanitize-address-use-after-scope",
    "undefined":
    "-fsanitize=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,returns-nonnull-"
                 "attribute,shift,signed-integer-overflow,unreachable,vla-bound "
                 "-fno-sanitize-recover=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,"
                 "returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound",
}
NEEDED = {"homepage", "language", "primary_contact", "main_repo", "fuzzing_engines", "sanitizers"}
RUNS = 2000


def build(where, sanitizer):
    """Builds as base-builder's `compile` does around build.sh."""
    out = f"{where}/out-{sanitizer}"
    os.mkdir(out)
    flags = f"{FLAGS} {SANITIZERS[sanitizer]} -fsanitize=fuzzer-no-link"
    done = tap.run(["bash", "-eux", f"{where}/src/erofs-ishare/fuzz/oss-fuzz/build.sh"],
                   cwd=f"{where}/src", env={
        "PATH": os.environ["PATH"], "SRC": f"{where}/src", "OUT": out, "CC": "clang",
        "CXX": "clang++", "CFLAGS": flags,
        "CXXFLAGS": flags, "LIB_FUZZING_ENGINE": "-fsanitize=fuzzer", "SANITIZER": sanitizer})
    tap.ok(done.returncode == 0, f"{sanitizer}: build.sh succeeds", done.stdout[-2000:],
           done.stderr[-2000:])
    return out


def check_out(out, sanitizer):
    """Names, libraries, corpus, dictionary; and it runs."""
    names = sorted(os.listdir(out))
    tap.ok(names == ["image_fuzzer", "image_fuzzer.dict", "image_fuzzer.options",
                     "image_fuzzer_seed_corpus.zip"],
           f"{sanitizer}: fuzzer, corpus, dictionary and options, each by its name", names)
    fuzzer = f"{out}/image_fuzzer"
    tap.ok(b"LLVMFuzzerTestOneInput" in read_bytes(fuzzer),
           f"{sanitizer}: it is known for a fuzzer by its entry point")
    libraries = re.findall(r"^\s*(\S+\.so\S*)", tap.run(["ldd", fuzzer]).stdout, re.M)
    tap.is_empty([n for n in libraries
                  if not re.match(r"/lib|linux-vdso|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|resolv)\.so", n)],
                 f"{sanitizer}: it needs no library that the runner does not have")
    corpus = f"{out}/corpus"
    with zipfile.ZipFile(f"{out}/image_fuzzer_seed_corpus.zip") as seeds:
        seeds.extractall(corpus)
    count = len(os.listdir(corpus))
    done = tap.run([fuzzer, f"-runs={RUNS}", f"-dict={fuzzer}.dict", "-max_len=65536",
                    "-timeout=25", corpus], cwd=out, timeout=300)
    tap.ok(done.returncode == 0 and re.search(rf"^Done {RUNS} runs|DONE", done.stderr, re.M)
           and f"{count} files" in done.stderr,
           f"{sanitizer}: it runs on its corpus and beyond, with its dictionary",
           done.stderr[-2000:])


def main():
    """Both sanitizers."""
    project = yaml.safe_load(read(f"{tap.TOP}/fuzz/oss-fuzz/project.yaml"))
    tap.is_empty(sorted(NEEDED - set(project)), "project.yaml has what OSS-Fuzz asks for")
    tap.ok(set(project["sanitizers"]) == set(SANITIZERS), "each sanitizer in it is tried here",
           project["sanitizers"])
    dockerfile = read(f"{tap.TOP}/fuzz/oss-fuzz/Dockerfile")
    tap.ok(f":{project['base_os_version']}\n" in dockerfile,
           "Dockerfile and project.yaml mean the same system")
    with tempfile.TemporaryDirectory(prefix="oss-fuzz-") as where:
        tap.copy_tree(f"{where}/src/erofs-ishare")
        for sanitizer in project["sanitizers"]:
            check_out(build(where, sanitizer), sanitizer)
    tap.done()


if __name__ == "__main__":
    main()
