"""The JSON Schema of a scenario's YAML (``dnh-scenario/1``), for editors and other programs.

It knows keys, types, choices and units.  What needs the whole scenario (is there such a host, can this
expectation ever hold) is for ``harness.scenario.load`` to say.
"""

from __future__ import annotations

from typing import Any

from harness.scenario import expect as x
from harness.scenario.model import SCHEMA, Scenario

ID = f"https://dnh.invalid/schema/{SCHEMA.replace('/', '-')}.json"

_EXAMPLE = {
    "name": "weighted fairness through a router",
    "hosts": {
        "client": {"lan": "10.0.1.1/24"},
        "router": {"lan": "10.0.1.2/24", "wan": "10.0.2.1/24"},
        "server": {"wan": "10.0.2.2/24"},
    },
    "sysctl": {"router": {"net.inet.ip.forwarding": 1}},
    "ipfw": {
        "router": "pipe 1 config bw 10Mbit/s delay 20ms\nadd 100 pipe 1 udp from any to any out xmit wan\n"
    },
    "flows": {"gold": {"udp": "20Mbit/s", "from": "client", "to": "server:5001", "for": "5s"}},
    "expect": {"verdict": "pass", "gold.rate": "10Mbit/s +- 1%"},
}


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario."""
    schema = Scenario.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = ID
    schema["title"] = f"dnh scenario ({SCHEMA})"
    schema["examples"] = [_EXAMPLE]
    parts = schema["$defs"]
    _short_forms(parts)
    _expect(schema["properties"])
    _as_written(schema)
    parts["Flow"]["oneOf"] = [{"required": [kind]} for kind in ("udp", "tcp", "ping")]
    parts["Event"]["oneOf"] = [{"required": [when]} for when in ("at", "every")]
    parts["Event"]["dependentRequired"] = {key: ["every"] for key in ("from", "until", "count")}
    return schema


def _short_forms(parts: dict[str, Any]) -> None:
    """An attachment may be an address, or a list of them, or nothing."""
    long = parts["Attachment"]
    address = long["properties"]["address"]["anyOf"]
    parts["Attachment"] = {
        "description": long.pop("description"),
        "anyOf": [*address, {"type": "null"}, long],
        "examples": ["10.0.1.1/24"],
    }


def _expect(properties: dict[str, Any]) -> None:
    verdict = {"enum": list(x.VERDICTS)}
    text = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    said = {
        "panic.message": "what the panic says: /regular expression/ or a part of the text",
        "panic.function": "the function that it happened in: a name or /regular expression/",
        "panic.signature": "the panic's signature, or its readable half",
        "panic.kind": "double-fault, trap, kassert, ...",
        "panic.cycle": "functions that repeat on a spent stack, in the order of the calls",
        "panic.point": "a point of interception on the stack: dummynet, dummynet_l2, if_output",
        "console": "what the console says, or with 'not' never says: /regular expression/ or text",
    }
    properties["expect"] |= {
        "properties": {
            "verdict": {
                "description": "the verdict that is expected; several where it is not settled",
                "anyOf": [verdict, {"type": "array", "items": verdict, "minItems": 1}],
            },
            "reports": {
                "description": "may the kernel report lock orders or leaks without the verdict being fail?",
                "enum": ["none", "allowed"],
            },
            **{key: {"description": description, **text} for key, description in said.items()},
        },
        "examples": [{"verdict": "pass", "gold.rate / bronze.rate": "2 +- 2%", "gold.delay.p99": "< 200ms"}],
    }


def _as_written(node: Any) -> None:
    """What fits no pattern is no name; numbers may be in quotes; the matrix may fill any text: ${name}."""
    if isinstance(node, dict):
        if node.get("type") in ("integer", "boolean") and "enum" not in node:
            words = r"^\d+$" if node["type"] == "integer" else "^(yes|no|true|false|on|off)$"
            node["type"] = [node["type"], "string"]
            node["pattern"] = words
        if len(keys := node.get("patternProperties", {})) == 1:
            [(pattern, value)] = keys.items()
            del node["patternProperties"]
            node |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
        if isinstance(node.get("pattern"), str):
            node["pattern"] = rf"{node['pattern']}|\$\{{[A-Za-z]\w*\}}"
        for value in node.values():
            _as_written(value)
    elif isinstance(node, list):
        for value in node:
            _as_written(value)
