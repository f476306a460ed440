"""The schema of report.json: made of the records, shipped, and true of what is written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zhbert.score import schema
from zhbert.score.report import Report, write_report
from zhbert.score.schema import published, text_of

HOW = """report.schema.json is not what the records say. Write it anew:
python -c 'from zhbert.score.schema import text_of; from zhbert.score.sheet import Report
print(text_of(Report), end="")' > zhbert/score/report.schema.json"""
KINDS = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def faults(value: Any, rule: dict[str, Any], known: dict[str, Any], at: str = "") -> list[str]:
    """Return where a value is not what a schema allows; only what these schemas use is understood."""
    assert rule.keys() <= {
        "$schema", "$ref", "$defs", "anyOf", "description", "type", "properties", "required",
        "additionalProperties", "items", "minItems", "maxItems",
    }  # fmt: skip
    if "$ref" in rule:
        return faults(value, known[rule["$ref"].removeprefix("#/$defs/")], known, at)
    if "anyOf" in rule:
        tried = [faults(value, one, known, at) for one in rule["anyOf"]]
        return [] if [] in tried else tried[0]
    if rule["type"] == "null":
        return [] if value is None else [f"{at} is not null"]
    if not isinstance(value, KINDS[rule["type"]]) or (isinstance(value, bool) and rule["type"] != "boolean"):
        return [f"{at} is no {rule['type']}"]
    if rule["type"] == "array":
        size = [f"{at} has {len(value)}"] * (
            not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", 10**9)
        )
        return size + [
            x for i, one in enumerate(value) for x in faults(one, rule["items"], known, f"{at}[{i}]")
        ]
    if rule["type"] != "object":
        return []
    named, rest = rule.get("properties", {}), rule.get("additionalProperties", {})
    found = [f"{at}.{name} is missing" for name in rule.get("required", ()) if name not in value]
    for name, one in value.items():
        if name not in named and rest is False:
            found.append(f"{at}.{name} is unknown")
        else:
            found += faults(one, named.get(name, rest), known, f"{at}.{name}")
    return found


@pytest.fixture(params=["report", "several"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    write_report(request.getfixturevalue(request.param), tmp_path, forms=("schema",))
    assert (tmp_path / "report.schema.json").read_text("utf-8") == published()
    found: dict[str, Any] = json.loads((tmp_path / "report.json").read_text("utf-8"))
    return found


def test_the_shipped_schema_is_that_of_the_records() -> None:
    assert text_of(Report) == published(), HOW
    assert Path(schema.__file__).with_name("report.schema.json").is_file()


@pytest.mark.slow
def test_reports_are_what_the_schema_says(written: dict[str, Any]) -> None:
    rule = json.loads(published())
    assert faults(written, rule, rule["$defs"]) == []
    pytest.importorskip("jsonschema").validate(written, rule)  # where it is installed, the reference agrees


@pytest.mark.slow
def test_what_is_no_report_is_refused(report: Report, tmp_path: Path) -> None:
    write_report(replace(report, sections=report.sections[2:3]), tmp_path, forms=())
    rule = json.loads(published())

    def spoilt(change: Any) -> list[str]:
        value = json.loads((tmp_path / "report.json").read_text("utf-8"))
        change(value)
        with pytest.raises(pytest.importorskip("jsonschema").ValidationError):
            pytest.importorskip("jsonschema").validate(value, rule)
        return faults(value, rule, rule["$defs"])

    assert spoilt(lambda v: v.pop("title")) == [".title is missing"]
    assert spoilt(lambda v: v.update(titel="")) == [".titel is unknown"]
    assert spoilt(lambda v: v["sections"][0].update(n="40")) == [".sections[0].n is no integer"]
    assert spoilt(lambda v: v["sections"][0]["systems"][0]["facts"].update(seed=1)) == [
        ".sections[0].systems[0].facts.seed is no string"
    ]
