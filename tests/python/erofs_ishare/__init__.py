# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What the project's Python programs share. Programs find this package by a link in the folder that
they are in, so they need no search path: Python looks for modules beside the program first."""

import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
