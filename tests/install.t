#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What `make install` puts where: enough to run the program and to link with the library, and no
more than `make uninstall` takes away."""

import os
import shutil
import tempfile

from erofs_ishare import tap
from erofs_ishare.files import read, write

WANTED = {"bin/erofs-ishare", "include/ishare/ishare.h", "include/ishare/core.h",
          "include/ishare/layout.h",
          "include/ishare/rules.h", "lib/libishare.a", "lib/pkgconfig/libishare.pc",
          "share/bash-completion/completions/erofs-ishare", "share/man/man1/erofs-ishare.1"}

PROGRAM = """\
#include <stdio.h>
#include <ishare.h>
int main(int argc, char **argv)
{
\tstruct ishare_image *image;
\tenum ishare_result result = ishare_image_open(argv[argc - 1], &image);

\tif (result == ISHARE_DONE)
\t\tprintf("%s %s\\n", ISHARE_VERSION, ishare_rules[ISHARE_RULE_SB_MAGIC].name);
\tishare_image_close(image);
\treturn result;
}
"""


def files(top):
    """Everything below a directory."""
    return {os.path.relpath(os.path.join(at, name), top) for at, _, names in os.walk(top)
            for name in names}


def link_program(prefix, work):
    """A program that finds the library only through pkg-config."""
    source, program = f"{work}/program.c", f"{work}/program"
    write(source, PROGRAM)
    environment = os.environ | {"PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig"}
    flags = tap.run(["pkg-config", "--cflags", "--libs", "libishare"], env=environment)
    version = tap.run(["pkg-config", "--modversion", "libishare"], env=environment).stdout.strip()
    tap.ok(flags.returncode == 0, "pkg-config knows the library", flags.stderr)
    made = tap.run(["gcc", "-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", source,
                    "-o", program,
                    *flags.stdout.split()])
    if tap.ok(made.returncode == 0, "a program compiles and links with it, without a warning",
              made.stderr):
        done = tap.run([program, "tests/images/plain-512.erofs"])
        tap.ok(done.stdout == f"{version} sb.magic\n", "the program runs", done.returncode,
               done.stdout)


def main():
    """Install twice, once with DESTDIR, use it, uninstall."""
    work = tempfile.mkdtemp()
    prefix, stage = f"{work}/prefix", f"{work}/stage"
    status, said = tap.make("install", f"PREFIX={prefix}")
    tap.ok(status == 0, "make install PREFIX=", said)
    tap.is_empty(sorted(WANTED - files(prefix)), "everything is there")
    done = tap.run([f"{prefix}/bin/erofs-ishare", "check", "tests/images/plain-512.erofs"])
    tap.ok(done.returncode == 0, "the installed program runs", done.stderr)
    link_program(prefix, work)
    status, said = tap.make("install", f"DESTDIR={stage}", "PREFIX=/usr")
    tap.ok(status == 0, "make install DESTDIR= PREFIX=/usr", said)
    tap.ok(files(f"{stage}/usr") == files(prefix), "DESTDIR stands before the same files",
           *sorted(files(f"{stage}/usr") ^ files(prefix)))
    tap.ok(stage not in read(f"{stage}/usr/lib/pkgconfig/libishare.pc"),
           "the pkg-config file does not name DESTDIR")
    status, said = tap.make("uninstall", f"DESTDIR={stage}", "PREFIX=/usr")
    tap.ok(status == 0, "make uninstall", said)
    tap.is_empty(sorted(files(stage)), "make uninstall leaves nothing")
    shutil.rmtree(work)
    tap.done()


if __name__ == "__main__":
    main()
