# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# What tests/cli.t needs beside the program. npm may be there without being Debian's package.

DEPS_TEST += mandoc $(if $(shell command -v npm),,npm)
