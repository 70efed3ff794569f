# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The spec compiler: what the program spec/compile, and programs that read the specification themselves, are made of."""
