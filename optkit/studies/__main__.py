"""``python -m optkit.studies NAME`` repeats a study, ``python -m optkit.studies claims`` prints all."""

from __future__ import annotations

import argparse
import sys

from optkit.studies.commands import print_claims
from optkit.studies.ledger import ResultError, entries, studies


def main(words: list[str] | None = None) -> int:
    """Run the named study and store its result, or print every claim.

    Returns:
        0, or 1 when a stored result is damaged or a study cannot store its own.
    """
    repeatable = {name: module for name, module in studies().items() if hasattr(module, "repeat")}
    parser = argparse.ArgumentParser(
        prog="python -m optkit.studies",
        description="Repeat a study and store its result, or print the claims.",
    )
    parser.add_argument("what", choices=["claims", *repeatable], help="`claims`, or the study to repeat")
    what = parser.parse_args(words).what
    try:
        if what == "claims":
            print_claims(entries())
        else:
            print(f"stored {repeatable[what].repeat()}")
    except ResultError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
