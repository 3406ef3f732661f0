#!/usr/bin/env python3
"""Judges objects as an API server would that has our CRDs: defaults, schema, CEL.

usage: judge.py CRD-FOLDER CASES.yaml   (needs the packages PyYAML and cel-python)

A case is a YAML document whose first line is "# VERDICT: WHAT"; after a line "# becomes" a second
version follows, and the change is judged. Prints one JSON list: [{"what", "verdict", "errors"}].
"""
import json
import pathlib
import re
import sys

import celpy
import yaml
from celpy import celtypes

ENVIRONMENT = celpy.Environment()
PROGRAMS = {}


def find_all(text, pattern):
    return celtypes.ListType([celtypes.StringType(part) for part in re.findall(pattern, str(text))])


def split(text, separator):
    return celtypes.ListType([celtypes.StringType(part) for part in str(text).split(separator)])


# What Kubernetes adds to CEL, as far as our rules use it.
FUNCTIONS = {
    "split": split,
    "findAll": find_all,
}


def holds(rule, value, old):
    if rule not in PROGRAMS:
        PROGRAMS[rule] = ENVIRONMENT.program(ENVIRONMENT.compile(rule), functions=FUNCTIONS)
    scope = {"self": celpy.json_to_cel(value)}
    if old is not None:
        scope["oldSelf"] = celpy.json_to_cel(old)
    return bool(PROGRAMS[rule].evaluate(scope))


class Judge:
    def __init__(self):
        self.errors = []

    def error(self, path, text):
        self.errors.append(f"{path}: {text}")

    def fill(self, schema, value):
        """Sets defaults, as a server does before it looks."""
        if isinstance(value, dict):
            for name, field in schema.get("properties", {}).items():
                if name not in value and "default" in field:
                    value[name] = field["default"]
                if name in value:
                    self.fill(field, value[name])
        elif isinstance(value, list):
            for item in value:
                self.fill(schema.get("items", {}), item)

    def visit(self, schema, value, path, old=None):
        kind = schema.get("type")
        if schema.get("x-kubernetes-int-or-string"):
            if isinstance(value, bool) or not isinstance(value, (int, str)):
                return self.error(path, "must be an integer or a string")
        elif not self.has_type(kind, value):
            return self.error(path, f"must be of type {kind}")
        if not self.bounds(schema, value, path):
            return None
        if isinstance(value, dict):
            self.fields(schema, value, path, old)
        elif isinstance(value, list):
            self.items(schema, value, path)
        for rule in schema.get("x-kubernetes-validations", []):
            # A rule that compares with an earlier version is not asked when there is none.
            if "oldSelf" in rule["rule"] and old is None:
                continue
            try:
                if not holds(rule["rule"], value, old):
                    self.error(path, rule["message"])
            except celpy.CELEvalError as error:
                self.error(path, f"{rule['message']} ({error.args[0]})")
        return None

    @staticmethod
    def has_type(kind, value):
        types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
        if kind == "integer" and isinstance(value, bool):
            return False
        return isinstance(value, types[kind])

    def bounds(self, schema, value, path):
        checks = [
            ("minimum", lambda limit: value < limit),
            ("maximum", lambda limit: value > limit),
        ] if isinstance(value, int) else [
            ("minLength", lambda limit: len(value) < limit),
            ("maxLength", lambda limit: len(value) > limit),
            ("pattern", lambda pattern: not re.search(pattern, value)),
        ] if isinstance(value, str) else [
            ("minItems", lambda limit: len(value) < limit),
            ("maxItems", lambda limit: len(value) > limit),
            ("maxProperties", lambda limit: isinstance(value, dict) and len(value) > limit),
        ]
        broken = [name for name, fails in checks if name in schema and fails(schema[name])]
        if "enum" in schema and value not in schema["enum"]:
            broken.append("enum")
        for name in broken:
            self.error(path, f"{name} {schema[name]}")
        return not broken

    def fields(self, schema, value, path, old):
        for name in schema.get("required", []):
            if name not in value:
                self.error(f"{path}.{name}", "is required")
        known = schema.get("properties", {})
        for name, entry in value.items():
            if path == "" and name in ("apiVersion", "kind", "metadata"):
                continue
            field = known.get(name, schema.get("additionalProperties"))
            if field is None:
                self.error(f"{path}.{name}", "unknown field")
                continue
            earlier = old.get(name) if isinstance(old, dict) else None
            self.visit(field, entry, f"{path}.{name}", earlier)

    def items(self, schema, value, path):
        for index, item in enumerate(value):
            self.visit(schema["items"], item, f"{path}[{index}]")
        kind = schema.get("x-kubernetes-list-type")
        keys = schema.get("x-kubernetes-list-map-keys", [])
        seen = []
        for index, item in enumerate(value):
            key = [item.get(name) for name in keys] if kind == "map" else item
            if kind in ("set", "map") and key in seen:
                self.error(f"{path}[{index}]", "duplicate")
            seen.append(key)


def schemas(folder):
    found = {}
    for file in sorted(pathlib.Path(folder).glob("*.yaml")):
        crd = yaml.safe_load(file.read_text())["spec"]
        for version in crd["versions"]:
            key = (f"{crd['group']}/{version['name']}", crd["names"]["kind"])
            found[key] = version["schema"]["openAPIV3Schema"]
    return found


def main():
    known = schemas(sys.argv[1])
    verdicts = []
    text = pathlib.Path(sys.argv[2]).read_text()
    for case in re.split(r"^---\n", text, flags=re.MULTILINE):
        head = re.match(r"# ([a-z ]+): (.+)\n", case)
        if not head:
            continue
        versions = [yaml.safe_load(part) for part in case.split("# becomes\n")]
        judge = Judge()
        for thing in versions:
            judge.fill(known[thing["apiVersion"], thing["kind"]], thing)
        last = versions[-1]
        old = versions[0] if len(versions) > 1 else None
        judge.visit(known[last["apiVersion"], last["kind"]], last, "", old)
        verdicts.append({"what": head[2], "verdict": head[1], "errors": judge.errors})
    print(json.dumps(verdicts))


main()
