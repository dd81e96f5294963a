"""``python -m optkit doctor`` says how each rule is computed on this machine."""

from __future__ import annotations

import argparse
import sys


def main(words: list[str] | None = None) -> int:
    """Run the command; returns 0."""
    parser = argparse.ArgumentParser(prog="optkit", description="Tools of optkit.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="how each rule is computed here, with what, and why not better")
    parser.parse_args(words)
    from optkit.doctor import report

    print(report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
