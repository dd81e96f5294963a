"""Write the playground's JavaScript to a file: ``python -m optkit.widgets FILE [--part NAME]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from optkit.widgets.bundle import bundle, read


def main(arguments: list[str] | None = None) -> None:
    """Write the bundle, or one module, to a file."""
    parser = argparse.ArgumentParser(description="Write the playground's JavaScript.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--part", help="one module alone, by its name without .js")
    given = parser.parse_args(arguments)
    text = read(f"{given.part}.js") if given.part else bundle()
    given.file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
