"""``python -m optkit.studies NAME`` repeats a measurement; ``optkit claims`` prints the ledger."""

from __future__ import annotations

import argparse
import sys

from optkit.studies.ledger import ResultError, repeatable


def main(words: list[str] | None = None) -> int:
    """Measure anew what was named, and store its result.

    Returns:
        0, or 1 when the result cannot be stored.
    """
    known = repeatable()
    parser = argparse.ArgumentParser(
        prog="python -m optkit.studies",
        description="Repeat a measurement and store its result. `optkit claims` prints the ledger, and "
        "`optkit study run NAME` runs the studies of many trainings.",
    )
    parser.add_argument("name", choices=sorted(known), help="what to measure anew")
    name = parser.parse_args(words).name
    try:
        print(f"stored {known[name].repeat()}")
    except ResultError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
