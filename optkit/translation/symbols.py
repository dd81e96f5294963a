"""The spelling of names and numbers in LaTeX."""

from __future__ import annotations

import re

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split()
)
SYMBOLS = {"inf": r"\infty", "grad_norm": r"\lVert g\rVert_2"}


def symbol(name: str) -> str:
    r"""LaTeX of a name by its spelling: ``s_hat`` ŝ, ``rho_t`` ρₜ, ``beta1`` β₁, ``rect`` upright.

    Example:
        >>> symbol("s_hat"), symbol("rho_inf"), symbol("w2"), symbol("rect")
        ('\\hat{s}', '\\rho_{\\infty}', 'w_{2}', '\\mathrm{rect}')
    """
    if name in SYMBOLS:
        return SYMBOLS[name]
    if name.endswith("_hat") and name != "_hat":
        return rf"\hat{{{symbol(name[:-4])}}}"
    if name.endswith("_new") and name != "_new":
        return f"{symbol(name[:-4])}^{{+}}"
    if "_" in name.strip("_"):
        head, tail = name.strip("_").split("_", 1)
        if len(head) == 1 or head in GREEK:
            return f"{symbol(head)}_{{{symbol(tail)}}}"
        return rf"\mathrm{{{name.replace('_', chr(92) + ' ')}}}"
    match = re.fullmatch(r"([A-Za-z]+)(\d+)", name)
    if match and (len(match[1]) == 1 or match[1] in GREEK):
        return f"{symbol(match[1])}_{{{match[2]}}}"
    if name in GREEK:
        return "\\" + name
    text = name.replace("_", r"\_")
    return text if len(name) == 1 and name != "_" else rf"\mathrm{{{text}}}"


def number(value: float) -> str:
    r"""A number in LaTeX: 0.9, 100, 10^{-8}.

    Example:
        >>> number(1e-08), number(0.5), number(2.5e-07)
        ('10^{-8}', '0.5', '2.5 \\cdot 10^{-7}')
    """
    text = repr(value)
    if "e" not in text:
        return text[:-2] if text.endswith(".0") else text
    mantissa, exponent = text.split("e")
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"
