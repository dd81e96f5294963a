"""The status page says when it was built and with which versions."""

import re
from importlib.metadata import version

import pytest

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

TABLE = "# T\n\n| Document | Status |\n|---|---|\n| one | ✅ |\n| two | ❌ |\n| three ✅ | 2 |\n"
PAGE = "# T\n\n```{optkit-status}\n```\n"


def test_versions_and_moment_stand_on_the_page(build, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    site = build({"index.md": PAGE})
    assert site.warnings == ""
    for text in ("1970-01-02 00:00 UTC", version("torch"), version("numpy"), version("sphinx")):
        assert text in site.html()


def test_the_page_is_written_anew_with_every_build_that_writes_another(build, tmp_path, monkeypatch):
    files = {"index.md": "# R\n\n```{toctree}\nstatus\na\n```\n", "status.md": PAGE, "a.md": "# A\n"}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    build(files)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "172800")
    assert "1970-01-02" in build(files).html("status")
    (tmp_path / "source" / "a.md").write_text("# B\n", encoding="utf-8")
    assert "1970-01-03" in build(files).html("status")


def test_whether_a_notebook_ran_is_said_in_words(build):
    html = build({"index.md": TABLE}).html()
    assert re.search(r"<p>one</p></td>\s*<td><p>ran</p>", html)
    assert re.search(r"<p>two</p></td>\s*<td><p>failed</p>", html)
    assert "three ✅" in html
    assert "❌" not in html
