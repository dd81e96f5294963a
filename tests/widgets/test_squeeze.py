"""The shorter text is the same program: strings and templates untouched, tokens apart."""

import json

import pytest

from optkit.widgets.bundle import bundle, read
from optkit.widgets.squeeze import squeeze, squeeze_css

PROGRAM = r"""
// a comment with a 'quote and a `tick
const text = "two  spaces // no comment", other = 'it\'s  /* none */';
const pattern = /["'`/  ]+\/\/ (?:a  b)[/ "]/giu; /* over
   two lines */
let a = 1, b = 2;
const sum = a + +b, less = a - -b, more = a++ + b, quotient = a / b / 2;
const deep = `x  ${ [a,  b].map((v) => v  *  2).join(",  ") }  // y`;
const plain = `$ and  { } ${text.length}`;
const f = async (x) => { return x
  in { 1: 2 } };
function g() {
  return /=  /.test("=  ") ? "yes  " : typeof a
}
class C { #p = 3; get  p() { return this.#p; } static  s = 4 }
const name_with$ = new C().p, o = { "a b": 1, get  c() { return 2 }, [`k ${1}`]: 3 };
"""
ANSWER = """
answer([text, other, pattern.source, pattern.flags, a, sum, less, more, quotient, deep, plain,
  g(), name_with$, C.s, o, await f(1)]);
"""


def test_a_program_full_of_traps_says_the_same(run_node):
    short = squeeze(PROGRAM) + "\n"
    assert run_node(short + ANSWER) == run_node(PROGRAM + ANSWER)
    assert "comment with" not in short and "two lines" not in short
    assert "a+ +b" in short and "a- -b" in short
    assert len(short) < 0.85 * len(PROGRAM)
    assert squeeze(short) + "\n" == short


def test_the_bundle_parses_and_is_as_short_as_it_gets(run_node, tmp_path):
    text = bundle()
    assert squeeze(text) + "\n" == text
    (tmp_path / "bundle.mjs").write_text(text, encoding="utf-8")
    file = json.dumps((tmp_path / "bundle.mjs").as_uri())
    assert run_node(f"answer(Object.keys((await import({file})).default));") == ["render"]


def test_generated_mathematics_computes_the_same(run_node, tmp_path):
    (tmp_path / "short.mjs").write_text(squeeze(read("mathematics.js")), encoding="utf-8")
    script = """
import * as long from "./mathematics.js";
const short = await import(given);
const bare = (key, value) => typeof value === "function" ? value.toString().replace(/\\s/g, "") : value;
const seen = ({ RULES, PROBLEMS, SCHEDULES, FORMULAS }) =>
  JSON.stringify([RULES, PROBLEMS, SCHEDULES, FORMULAS], bare);
answer(seen(long) === seen(short) && seen(long).length > 50000);
"""
    assert run_node(script, (tmp_path / "short.mjs").as_uri()) is True


def test_a_template_within_a_template_is_refused():
    with pytest.raises(ValueError, match="line 2: a template must hold no template"):
        squeeze("const a = 1;\nconst b = `x ${a ? `y ${a}` : 2}`;\n")


def test_a_style_sheet_keeps_what_means_something():
    css = (
        "/* a */\n@media (min-width: 1px) {\n  .a :hover, .a > .b { width: calc(1px + 2px) ; --x: {}; }\n}\n"
    )
    assert squeeze_css(css) == "@media (min-width:1px){.a :hover,.a > .b{width:calc(1px + 2px);--x:{}}}"
