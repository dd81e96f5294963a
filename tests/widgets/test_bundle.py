"""The joined module: complete, in order, small, and refused where a module is written in another form."""

import gzip
import re

import pytest

from optkit.widgets import bundle as room
from optkit.widgets.__main__ import main


@pytest.fixture
def modules(monkeypatch):
    """A function that replaces the files of the playground."""
    room.bundle.cache_clear()

    def put(**texts):
        monkeypatch.setattr(room, "read", lambda name: texts[name.removesuffix(".js")])

    yield put
    room.bundle.cache_clear()


def test_modules_are_joined_in_the_order_of_their_need(modules):
    modules(
        element='import { a, b as c } from "./one.js";\nimport { d } from "./two.js";\n'
        "export const widget = a + c + d;\nexport function define() {}\n",
        one='import { d } from "./two.js";\n// a comment\nexport const a = d;\nexport const b = 2;\n',
        two="export const d = 1;\nconst a = 7;\n",
    )
    text = room.bundle()
    assert text.index("$two=") < text.index("$one=") < text.index("$element=")
    assert "const{a,b:c}=$one;" in text
    assert "import" not in text
    assert "comment" not in text
    assert text.endswith("export default $element.widget;\n")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"element": 'import { x } from "./one.js";\n', "one": "export const y = 1;\n"}, "does not export"),
        (
            {"element": 'import { x } from "./one.js";\n', "one": 'import { z } from "./element.js";\n'},
            "in a circle",
        ),
        ({"element": 'import * as x from "./one.js";\n', "one": ""}, "must import as in"),
        ({"element": "export default 3;\n"}, "must import as in"),
    ],
)
def test_another_form_is_refused(modules, texts, message):
    modules(**texts)
    with pytest.raises(ValueError, match=message):
        room.bundle()


def test_the_bundle_is_one_module_that_asks_for_nothing():
    text = room.bundle()
    assert len(gzip.compress(text.encode(), mtime=0)) < 51_000
    assert re.findall(r"^(?:import|export)\b[^\n]*", text, re.MULTILINE) == [
        "export default $element.widget;"
    ]
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    for word in ("innerHTML", "eval(", "document.write", "fetch(", "XMLHttpRequest"):
        assert word not in text


def test_main_writes_the_bundle_and_a_part(tmp_path):
    main([str(tmp_path / "all.mjs")])
    main([str(tmp_path / "part.mjs"), "--part", "mathematics"])
    assert (tmp_path / "all.mjs").read_text(encoding="utf-8") == room.bundle()
    assert "export const RULES" in (tmp_path / "part.mjs").read_text(encoding="utf-8")
