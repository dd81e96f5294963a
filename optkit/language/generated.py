"""Formulas that a program writes: derivatives, and schedules joined from others."""

from __future__ import annotations

import ast
import hashlib
import linecache
from typing import Any

from optkit.language.functions import MATHEMATICS, pi
from optkit.language.grammar import Formula, formula


def generated(tree: ast.FunctionDef, description: str) -> Formula:
    """Compile a syntax tree, check it like any other formula, and return it as a `Formula`.

    The text is kept where Python looks for source lines, so that tracebacks and `inspect` show it.

    Args:
        tree: The function, without docstring.
        description: Its docstring.

    Raises:
        LanguageError: The tree is outside the grammar.

    Example:
        >>> twice = generated(ast.parse("def twice(x): return 2 * x").body[0], "Two times x.")
        >>> twice(3.0)
        6.0
        >>> twice.source.splitlines()[-1].strip()
        'return 2 * x'
    """
    docstring = ast.Expr(ast.Constant(description))
    documented = ast.FunctionDef(tree.name, tree.args, [docstring, *tree.body], [], None)
    documented.type_params = []  # asked for from Python 3.12 on
    text = ast.unparse(ast.fix_missing_locations(documented)) + "\n"
    # Named after its content: the same text made twice takes one place.
    file = f"<optkit {tree.name} {hashlib.sha256(text.encode()).hexdigest()[:12]}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {**MATHEMATICS, "pi": pi, "__name__": __name__}
    exec(compile(text, file, "exec"), namespace)
    return formula(namespace[tree.name])
