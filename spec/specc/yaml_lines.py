# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""YAML in which everything knows its line."""

import yaml


class Map(dict):
    """A YAML map that knows the line of each of its keys."""

    def __init__(self, line):
        super().__init__()
        self.line = line
        self.lines = {}


class Seq(list):
    """A YAML list that knows the line of each of its items."""

    def __init__(self, line):
        super().__init__()
        self.line = line
        self.lines = []


def load(line, text, error):
    """What a text says that begins at a line; None and a complaint if it is not YAML."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        return convert(loader, node, line, error) if node else Map(line)
    except (yaml.YAMLError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        error(line + (mark.line if mark else 0),
              f"not YAML: {getattr(problem, 'problem', problem)}")
        return None


def convert(loader, node, first, error):
    """A YAML node as Map, Seq or scalar."""
    line = first + node.start_mark.line
    if isinstance(node, yaml.MappingNode):
        return convert_map(loader, node, first, error)
    if isinstance(node, yaml.SequenceNode):
        result = Seq(line)
        for item in node.value:
            result.append(convert(loader, item, first, error))
            result.lines.append(first + item.start_mark.line)
        return result
    return loader.construct_object(node)


def convert_map(loader, node, first, error):
    """A YAML map, each key once."""
    result = Map(first + node.start_mark.line)
    for key_node, value in node.value:
        key = str(loader.construct_object(key_node))
        key_line = first + key_node.start_mark.line
        if key in result:
            error(key_line, f"duplicate key {key}")
        result[key] = convert(loader, value, first, error)
        result.lines[key] = key_line
    return result
