"""``optkit``: the doctor, training from the command line, the studies and the ledger of claims."""

from __future__ import annotations

import argparse
import sys


def main(words: list[str] | None = None) -> int:
    """Run one command; returns 0, or 1 with a message on stderr."""
    from optkit.studies.commands import add_claims, add_study
    from optkit.training.command import add_train

    parser = argparse.ArgumentParser(prog="optkit", description="Tools of optkit.")
    commands = parser.add_subparsers(dest="command", required=True)
    text = "how each rule is computed here, with what, and why not better"
    doctor = commands.add_parser("doctor", help=text, description=f"{text[0].upper()}{text[1:]}.")
    doctor.set_defaults(run=_doctor)
    add_train(commands)
    add_study(commands)
    add_claims(commands)
    found = parser.parse_args(words)
    return found.run(found)


def _doctor(words: argparse.Namespace) -> int:
    from optkit.doctor import report

    print(report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
