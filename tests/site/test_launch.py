"""One line of _config.yml names the repository; buttons, links, README and notebooks follow from it."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import address as tool
import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from sphinx.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
FORK = "https://github.com/Someone/a-fork"
SITE = "https://someone.github.io/a-fork/"


@pytest.fixture(scope="module")
def fork(tmp_path_factory) -> Path:
    """A fork of two pages that has changed the one line, and run `make format` and `make book`."""
    source = tmp_path_factory.mktemp("fork")
    for name in ("sphinx_ext", "tools", "README.md", "CITATION.cff", "_config.yml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, source / name)
    settings = (source / "_config.yml").read_text(encoding="utf-8")
    changed = re.sub(r'^  url: ".*"$', f'  url: "{FORK}"', settings, count=1, flags=re.MULTILINE)
    (source / "_config.yml").write_text(changed, encoding="utf-8")
    (source / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters:\n- file: chapters/01-a\n", encoding="utf-8"
    )
    (source / "references.bib").write_text("", encoding="utf-8")
    (source / "index.md").write_text("# T\n\nThe first words of the book.\n", encoding="utf-8")
    (source / "chapters").mkdir()
    cells = [
        nbformat.v4.new_markdown_cell("# A chapter\n\nIts first words.", id="a"),
        nbformat.v4.new_code_cell("1 + 1", id="b"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), source / "chapters" / "01-a.ipynb")
    subprocess.run([sys.executable, source / "tools" / "address.py"], check=True, capture_output=True)
    command = [Path(sys.executable).parent / "jupyter-book", "build", source, "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return source


def page(fork: Path, name: str) -> str:
    return (fork / "_build" / "html" / f"{name}.html").read_text(encoding="utf-8")


def test_a_chapter_has_buttons_for_binder_colab_and_download(fork):
    chapter = page(fork, "chapters/01-a")
    assert (
        'href="https://mybinder.org/v2/gh/Someone/a-fork/main?urlpath=lab/tree/chapters/01-a.ipynb"'
        in chapter
    )
    assert (
        'href="https://colab.research.google.com/github/Someone/a-fork/blob/main/chapters/01-a.ipynb"'
        in chapter
    )
    assert re.search(r'href="\.\./_sources/chapters/01-a\.ipynb"', chapter)
    assert "mybinder" not in page(fork, "index")  # a page without code has nothing to launch


def test_pages_say_where_they_stand_and_what_they_are_about(fork):
    chapter = page(fork, "chapters/01-a")
    assert f'<link rel="canonical" href="{SITE}chapters/01-a.html"' in chapter
    for name, content in {
        "og:url": f"{SITE}chapters/01-a.html",
        "og:title": "A chapter",
        "og:description": "Its first words.",
        "og:image": f"{SITE}_static/card.png",
    }.items():
        assert f'<meta property="{name}" content="{content}" />' in chapter, name
    assert '<meta name="description" content="Its first words." />' in chapter
    card = (fork / "_build" / "html" / "_static" / "card.png").read_bytes()
    assert card.startswith(b"\x89PNG")
    assert (int.from_bytes(card[16:20]), int.from_bytes(card[20:24])) == (1200, 630)


def test_the_map_of_the_site_names_every_page(fork):
    places = ElementTree.parse(fork / "_build" / "html" / "sitemap.xml").iter()
    assert [one.text for one in places if one.tag.endswith("loc")] == [
        f"{SITE}chapters/01-a.html",
        f"{SITE}index.html",
    ]


def test_the_page_for_a_wrong_address_links_from_the_path_of_the_site(fork):
    links = re.findall(r'\s(?:href|src|action)="([^"]*)"', page(fork, "404"))
    assert "/a-fork/chapters/01-a.html" in links
    assert [link for link in links if not link.startswith(("/a-fork/", "#", SITE, "https://"))] == []
    assert 'data-content_root="/a-fork/"' in page(fork, "404")


def test_readme_citation_and_notebooks_of_the_fork_name_it(fork):
    assert f"[Read the book]({SITE})" in (fork / "README.md").read_text(encoding="utf-8")
    cited = yaml.safe_load((fork / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["repository-code"], cited["url"]) == (FORK, SITE)
    notebook = nbformat.read(fork / "chapters" / "01-a.ipynb", as_version=4)
    assert [cell.id for cell in notebook.cells] == ["a", "install-optkit", "b"]
    assert f'repository = "{FORK}"\n' in notebook.cells[1].source


def test_the_install_cell_is_not_on_the_page(fork):
    assert '1</span> <span class="o">+' in page(fork, "chapters/01-a")
    assert "git clone" not in page(fork, "chapters/01-a")


def test_a_fork_formats_its_cell_as_ruff_does(fork):
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run(
        [ruff, "format", "--check", "--isolated", fork / "chapters"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    done = subprocess.run(
        [ruff, "check", "--isolated", "--select", "E,F,I", fork / "chapters"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


class Shell:
    """IPython's shell as far as the install cell needs it; notes what would be run."""

    def __init__(self):
        self.ran = []

    def system(self, command):
        self.ran.append(command)

    def run_line_magic(self, name, line, *arguments):
        self.ran.append(f"%{name} {line}")


def run_cell(monkeypatch, url: str, *, missing: bool) -> list[str]:
    shell = Shell()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if missing else object())
    monkeypatch.setattr(sys, "path", [*sys.path])
    code = TransformerManager().transform_cell(tool.install_cell(url, "main"))
    exec(code, {"get_ipython": lambda: shell})
    return [*shell.ran, *(path for path in sys.path[:1] if path == tool.FOLDER)]


def test_colab_installs_what_it_lacks(monkeypatch):
    ran = run_cell(monkeypatch, FORK, missing=True)
    assert ran == [
        "git clone --quiet --depth 1 --branch main $repository optkit-course",
        "%pip install --quiet --editable optkit-course",
        "optkit-course",
    ]


@pytest.mark.parametrize("url", [FORK, ""])
def test_where_optkit_is_nothing_is_installed(monkeypatch, url):
    assert run_cell(monkeypatch, url, missing=False) == []


def test_without_an_address_the_cell_says_what_to_do(monkeypatch):
    with pytest.raises(ModuleNotFoundError, match=r"README\.md says how"):
        run_cell(monkeypatch, "", missing=True)


def test_every_file_says_what_config_says():
    stale = [path.name for path, text in tool.expected().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make format`"


def test_only_config_holds_the_address_and_the_branch():
    url, branch = tool.configured()
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"refs/heads/([\w-]+)", workflow)) == {branch}
    named = {
        path.name
        for path in ROOT.rglob("*.md")
        if ".venv" not in path.parts
        and "_build" not in path.parts
        and "github.io" in path.read_text(encoding="utf-8")
    }
    assert named <= ({"README.md"} if url else set())


def test_the_book_without_an_address_promises_nothing(book):
    html = book.html()
    assert not re.search(r'mybinder|colab|rel="canonical"|og:url|og:image', html)
    assert not (book.folder / "sitemap.xml").exists()
    assert 'property="og:title"' in html


@pytest.mark.parametrize(
    "wrong",
    ["github.com/a/b", "https://github.com/a/b.git", "https://github.com/a/b/", "https://example.org/a/b"],
)
def test_an_address_of_another_form_is_refused(wrong):
    with pytest.raises(
        ConfigError, match=r"repository: url in _config\.yml must be empty or https://github\.com/OWNER/NAME"
    ):
        tool.parts(wrong)


def test_a_site_of_a_user_stands_at_the_root():
    assert tool.published("https://github.com/Ada/ada.github.io") == "https://ada.github.io/"
