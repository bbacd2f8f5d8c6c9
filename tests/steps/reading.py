"""Which parameters the source of a step reads."""

import ast
import inspect
import sys


def reads(step):
    """Names read as `params.name`, or by getattr, in the step's file and in what it hands its params to."""
    home = inspect.getmodule(step.function)
    trees = [_tree(module) for module in {home, *_handed_to(home), *_owners(step.params)}]
    return {name for tree in trees for name in (*_attributes(tree), *_by_name(tree))}


def _tree(module):
    return ast.parse(inspect.getsource(module))


def _owners(params):
    return {sys.modules[owner.__module__] for owner in params.__mro__[:-1]}


def _is_params(node):
    return isinstance(node, ast.Name) and node.id == "params"


def _attributes(tree):
    return [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_params(node.value)]


def _handed_to(module):
    """The modules of jwrules whose functions are called with `params`."""
    calls = [node for node in ast.walk(_tree(module)) if isinstance(node, ast.Call) and any(map(_is_params, node.args))]
    roots = {next(iter(_names(call.func)), "") for call in calls}
    found = [getattr(module, root) for root in roots if hasattr(module, root)]
    modules = [one if inspect.ismodule(one) else inspect.getmodule(one) for one in found]
    return {one for one in modules if one and one.__name__.startswith("jwrules.") and one is not module}


def _names(expression):
    return [node.id for node in ast.walk(expression) if isinstance(node, ast.Name)]


def _by_name(tree):
    """Names that a function takes from params by getattr, with a prefix where the file has one ('abs_')."""
    prefixes = {"", *(text for text in _texts(tree) if text.endswith("_"))}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _takes_by_name(node)]
    return {prefix + text for node in functions for text in _texts(node) for prefix in prefixes}


def _takes_by_name(function):
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(_names(call.func) == ["getattr"] and _is_params(call.args[0]) for call in calls)


def _texts(tree):
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
