"""Words of the grammar: names that are taken elsewhere, syntax in plain words, and what to write instead."""

from __future__ import annotations

import ast

RESERVED = frozenset(
    "auto bool case catch char const debugger default delete do double enum export extends extern false "
    "float function goto implements inline instanceof int interface let long new null package private "
    "protected public register restrict short signed sizeof static struct super switch this throw true "
    "typedef typeof union unsigned undefined var void volatile Math NaN Infinity arguments eval "
    "alignas alignof and_eq asm bitand bitor compl concept const_cast consteval constexpr constinit "
    "decltype dynamic_cast explicit friend mutable namespace noexcept not_eq nullptr operator or_eq "
    "reinterpret_cast requires static_assert static_cast template thread_local typeid typename using "
    "virtual wchar_t xor xor_eq "
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf".split()
)
"""Names that Python allows, and C, CUDA (which is C++) or JavaScript do not. The last line: what every
JavaScript object has, so that an option of that name would never take its default."""

REMEDIES = {
    ast.For: "a rule is one step: write the step, and let the caller loop",
    ast.While: "a rule is one step: write the step, and let the caller loop",
    ast.AugAssign: "write name = name + … in full",
    ast.AnnAssign: "leave out the annotation",
    ast.Assert: "give the hyper-parameter a range instead",
    ast.Raise: "give the hyper-parameter a range instead",
    ast.Attribute: "call the function by its own name, as in sqrt(x), imported from optkit.rules",
    ast.Subscript: "pass each array as a parameter of its own",
    ast.IfExp: "write if and else as statements",
    ast.Lambda: "write the expression itself",
    ast.List: "assign each element to a name of its own",
    ast.Tuple: "assign each element to a name of its own",
    ast.Call: "call one of the functions of optkit.language.functions by its name",
    ast.NamedExpr: "assign on a line of its own",
    ast.Expr: "leave it out: only assignments have an effect, as in v = 0.9 * v",
    ast.Pass: "turn the condition round with not, so that only one branch is left",
    ast.Import: "import the function above the rule",
    ast.ImportFrom: "import the function above the rule",
    ast.FunctionDef: "define the function outside and register it as a rule of its own",
}
"""What to write instead of a statement or expression outside the grammar."""


def what(node: ast.AST) -> str:
    """A syntax node in words, as in "a for loop"."""
    if isinstance(node, ast.Expr):
        return what(node.value) if isinstance(node.value, (ast.Yield, ast.YieldFrom)) else "a bare expression"
    words = {
        ast.For: "a for loop", ast.While: "a while loop", ast.AugAssign: "an assignment like +=",
        ast.AnnAssign: "an annotated assignment", ast.Attribute: "attribute access",
        ast.Subscript: "indexing",
        ast.IfExp: "a conditional expression", ast.Lambda: "a lambda", ast.Mod: "%", ast.FloorDiv: "//",
        ast.MatMult: "@", ast.BitXor: "^", ast.UAdd: "unary plus", ast.Invert: "~", ast.Not: "not",
        ast.Yield: "yield", ast.YieldFrom: "yield", ast.Starred: "a star", ast.Pass: "pass",
        ast.Import: "an import", ast.ImportFrom: "an import", ast.Match: "match", ast.NamedExpr: ":=",
        ast.Global: "global", ast.Nonlocal: "nonlocal", ast.With: "with", ast.Try: "try", ast.Delete: "del",
        ast.List: "a list", ast.Tuple: "a tuple", ast.Constant: "a constant", ast.FunctionDef: "a function",
    }  # fmt: skip
    return words.get(type(node), type(node).__name__)


def a_kind(kind: str) -> str:
    """The kind of a name with its article."""
    return {"array": "an array", "scalar": "a scalar", "flag": "a flag"}[kind]
