"""A notebook open in JupyterLab or Notebook 7, in a page of a real browser: run it and read what it says.

Cells are run by the application's own commands, as its menu does: asked by name, they cannot be missed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

MINUTES = 8

READY = """async (name) => {
  const app = window.jupyterapp;
  await app.restored;
  const open = () => app.shell.currentWidget;
  while (!open()?.context?.path?.endsWith(name)) await new Promise((done) => setTimeout(done, 100));
  await open().context.ready;
  await open().sessionContext.ready;
  await open().sessionContext.session.kernel.info;
}"""
RUN = """(command) => {
  window.optkitRan = false;
  window.jupyterapp.commands.execute(command).then(() => { window.optkitRan = true; });
}"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => ({
  type: model.type, source: model.sharedModel.source, count: model.executionCount ?? null,
  outputs: model.type === "code" ? model.outputs.toJSON() : [],
}))"""
SHOW = """async (index) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.deselectAll();
  content.activeCellIndex = index;
  await content.scrollToItem(index, "start");
}"""


class Lab:
    """One notebook, open in a page.

    Args:
        page: A page of Playwright.
        address: Where the notebook is shown.
        name: The end of the notebook's path.
    """

    def __init__(self, page: Any, address: str, name: str) -> None:
        self.page = page
        page.goto(address)
        page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000 * MINUTES)
        page.evaluate(READY, name)

    def cells(self) -> list[dict[str, Any]]:
        """Type, source, execution count and outputs of each cell, as the page has them now."""
        return self.page.evaluate(CELLS)

    def run_all(self) -> list[dict[str, Any]]:
        """Run all cells, and return them; ends the program if one of them failed or none ran."""
        self._run("notebook:run-all-cells")
        cells = self.cells()
        for cell in cells:
            _refuse_errors(cell)
            if cell["type"] == "code" and cell["source"].strip() and not cell["count"]:
                raise SystemExit(f"this cell did not run:\n{cell['source']}")
        return cells

    def show(self, part: str) -> int:
        """Bring the first code cell whose source holds ``part`` into view, and return its place."""
        code = (i for i, cell in enumerate(self.cells()) if cell["type"] == "code" and part in cell["source"])
        place = next(code)
        self.page.evaluate(SHOW, place)
        return place

    def read(self, part: str) -> Any:
        """Run the cell whose source holds ``part``, and return the JSON that it printed."""
        place = self.show(part)
        self._run("notebook:run-cell")
        cell = self.cells()[place]
        _refuse_errors(cell)
        return json.loads("".join("".join(output.get("text", "")) for output in cell["outputs"]))

    def read_until(self, part: str, found: Callable[[Any], bool], what: str) -> Any:
        """Read a cell again and again until what it says is right; ends the program after half a minute."""
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            said = self.read(part)
            if found(said):
                return said
            self.page.wait_for_timeout(250)
        raise SystemExit(f"waited for {what}; the last answer was {said}")

    def wait_for(self, true: Callable[[], bool], what: str) -> None:
        """Ask until something is true of the page; ends the program after half a minute."""
        limit = time.monotonic() + 30
        while not true():
            if time.monotonic() > limit:
                raise SystemExit(f"waited for {what}")
            self.page.wait_for_timeout(250)

    def close(self) -> None:
        """End the notebook's kernel, and close the page."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()

    def _run(self, command: str) -> None:
        self.page.evaluate(RUN, command)
        self.page.wait_for_function("window.optkitRan", timeout=60_000 * MINUTES)


def _refuse_errors(cell: dict[str, Any]) -> None:
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            raise SystemExit(f"{output['ename']}: {output['evalue']}\nin the cell:\n{cell['source']}")
