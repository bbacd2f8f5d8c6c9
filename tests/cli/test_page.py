"""What the page of a plan draws, in a browser where there is one."""

import re
import shutil
import subprocess

import pytest

from jwrules.cli import page

BROWSER = shutil.which("chromium")
SPILLS = """\
<script>
document.title = [...document.querySelectorAll("svg g text")].filter(text => {
  const box = text.parentNode.querySelector(".box").getBoundingClientRect(), its = text.getBoundingClientRect();
  return its.left < box.left || its.right > box.right;
}).length + " of " + document.querySelectorAll("svg g text:first-of-type").length;
</script>"""


def group(stage, what):
    return {"stage": stage, "what": what, "recipe": "r", "steps": [], "skipped": [], "options": [], "references": []}


def job(number, stage, name):
    one = {"stage": stage, "name": name, "group": number, "target": "T" * 60, "state": "missing", "reason": ""}
    return {**one, "products": [], "members": [], "mem_mb": 1, "cpu_s": 1.0, "association": "", "given": ""}


@pytest.mark.skipif(BROWSER is None, reason="there is no chromium")
@pytest.mark.parametrize("letter", ["W", "i", "8"])
def test_no_name_runs_over_its_box(tmp_path, letter):
    product = f"jw00042-c1001_{letter * 60}_nircam_f444w-f470n-sub640a210r"
    jobs = [job(0, "image2", "one"), job(1, "image3", product), job(1, "image3", "short")]
    content = {"groups": [group("image2", f"NIRCAM {letter * 60}"), group("image3", "")], "jobs": jobs}
    told = {"stages": [], "cannot": [], "blocked": [], "left_out": []}
    path = tmp_path / "plan.html"
    path.write_text(page.page({**content, **told}).replace("</body>", f"{SPILLS}</body>"), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--dump-dom", f"--user-data-dir={tmp_path}", path.as_uri()]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert re.findall("<title>(.*?)</title>", done.stdout)[0] == "0 of 3"
    assert f"{letter}…" in done.stdout
