"""How long the quickstart takes and how much memory: the whole recipe, in a fresh folder and process.

Prints a table of stages and, as its last line, one JSON object. Changed keys are passed on to the recipe:
`python benchmarks/quickstart.py encoder.steps=600`.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from _machine import ROOT, commit, machine


def main() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "zhbert", "run", "quickstart", *sys.argv[1:], "-o", folder + "/run"]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        manifests = sorted(Path(folder, "run").glob("*/manifest.json"), key=lambda p: p.stat().st_mtime)
        seconds = {p.parent.name: json.loads(p.read_text("utf-8"))["seconds"] for p in manifests}
        report = json.loads(Path(folder, "run", "report", "report.json").read_text("utf-8"))
    for name, value in seconds.items():
        print(f"{value:8.1f} s  {name}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    facts = {
        "machine": machine(),
        "commit": commit(),
        "seconds": round(sum(seconds.values()), 1),
        "peak_mb": round(peak),
        "scores": {section["name"]: headline(section) for section in report["sections"]},
    }
    print(json.dumps(facts, ensure_ascii=False))


def headline(section: dict) -> dict:
    """Return every system's headline figure, and what the first gains over the others."""
    name = section["headline"]
    figures = {s["name"]: {f["name"]: f["of"]["value"] for f in s["figures"]} for s in section["systems"]}
    compared = [c for c in section["comparisons"] if c["metric"] == name]
    gains = {c["second"]: [round(c["difference"][k], 4) for k in ("value", "low", "high")] for c in compared}
    return {"metric": name, **{s: round(of[name], 4) for s, of in figures.items()}, "gain over": gains}


if __name__ == "__main__":
    main()
