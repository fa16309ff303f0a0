"""From a YAML file to scenarios: one for each cell of its matrix, or all that is wrong, line by line."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import typing
from collections.abc import Mapping as MappingABC
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from harness.errors import UsageError
from harness.scenario import tree as t
from harness.scenario.check import check
from harness.scenario.model import Scenario
from harness.scenario.tree import Mapping, Node, Place, Problem, Problems, Scalar, Sequence
from harness.scenario.words import listed, nearest, quoted

MAX_CELLS = 2000
MAX_WORK = 2_000_000
"""Cells times values: what one file may come to."""
MAX_TEXT = 65536

Loc = tuple[str | int, ...]


def load(path: str | Path, overrides: MappingABC[str, str] | None = None) -> list[Scenario]:
    """The scenarios of a file, one for each cell of its matrix, in the order of the matrix.

    ``overrides`` are ``key.path`` -> text, as after ``--set``.  Raises UsageError with one line
    ``file:line:column: what is wrong`` for each thing that is.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(t.MAX_BYTES + 1)
    except OSError as e:
        raise UsageError(f"{path}: {(e.strerror or 'cannot be read').lower()}") from None
    except ValueError:
        raise UsageError(f"{quoted(path)}: no name of a file") from None
    return loads(t.decode(data, str(path)), str(path), overrides)


def loads(text: str, file: str = "scenario", overrides: MappingABC[str, str] | None = None) -> list[Scenario]:
    """As load(), of a text."""
    root = t.parse(text, file)
    if root is None:
        raise Problems([Problem(Place(file, 1, 1), "an empty file")])
    if not isinstance(root, Mapping):
        raise Problems([Problem(root.place, "wanted a mapping: name, hosts, flows ...")])
    for key, value in (overrides or {}).items():
        root = _override(root, key, value)
    cells = _cells(root, file)
    out: list[Scenario] = []
    problems: list[Problem] = []
    for cell in cells:
        values, expanded = cell
        scenario, wrong = _scenario(expanded, values, file)
        problems += wrong
        if scenario is not None:
            out.append(scenario)
        if len(problems) > 10 * t.MAX_PROBLEMS:
            break
    if problems:
        raise Problems(problems)
    return out


# --- one cell --------------------------------------------------------------------------------------


def _scenario(root: Mapping, cell: dict[str, str], file: str) -> tuple[Scenario | None, list[Problem]]:
    data = t.plain(root)
    if cell:
        data["cell"] = dict(cell)
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as e:
        problems = _problems(root, e)
        errors = e.errors(include_url=False)
        if all(error["type"] == "extra_forbidden" and len(error["loc"]) > 1 for error in errors):
            # Unknown keys hide nothing: what else is wrong is told as well, beyond what they belong to.
            for error in errors:
                _drop(data, error["loc"])
            around = [error["loc"][:-1] for error in errors]
            with contextlib.suppress(ValidationError):
                problems += _faults(root, Scenario.model_validate(data), around)
        return None, problems
    faults = _faults(root, scenario)
    return (None, faults) if faults else (scenario.in_file(file), [])


def _drop(data: Any, loc: Loc) -> None:
    for step in loc[:-1]:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(data, dict):
        data.pop(loc[-1], None)


def _faults(root: Mapping, scenario: Scenario, but: list[Loc] | None = None) -> list[Problem]:
    """What check() finds, with its places; ``but`` not within these."""
    out = []
    for fault in check(scenario):
        if any(fault.path[: len(loc)] == loc for loc in but or ()):
            continue
        key, value, _ = _find(root, fault.path)
        node: Node = key if fault.key and key is not None else value
        place = t.within(node, fault.offset) if isinstance(node, Scalar) else node.place
        subject = ""
        if (
            key is not None
            and isinstance(fault.path[-1], str)
            and fault.message.startswith(("does ", "is after", "would ", "makes ", "lasts ", "starts "))
        ):
            subject = f"{fault.path[-1]} "
        out.append(Problem(place, subject + fault.message))
    return out


def _find(root: Mapping, loc: Loc) -> tuple[Scalar | None, Node, Loc]:
    """Key and value at a place of the model, or the innermost that the document has; and the rest of the way.

    Steps that only the model knows (the branch of a union, the long form of a short one) are passed over.
    """
    key: Scalar | None = None
    node: Node = root
    for n, step in enumerate(loc):
        if step == "[key]":
            return key, key if key is not None else node, ()
        if isinstance(node, Mapping) and str(step) in node.items:
            key, node = node.items[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        elif isinstance(node, Mapping):
            return key, node, loc[n:]
    return key, node, ()


def _problems(root: Mapping, error: ValidationError) -> list[Problem]:
    out: list[Problem] = []
    errors = error.errors(include_url=False)
    unknown = [(e["loc"][:-1], str(e["loc"][-1])) for e in errors if e["type"] == "extra_forbidden"]
    for e in errors:
        loc = tuple(e["loc"])
        key, node, rest = _find(root, loc)
        place = node.place
        kind, ctx = e["type"], e.get("ctx", {})
        name = str(loc[-1]) if loc else ""
        if kind == "extra_forbidden":
            known = _free_keys(root, loc[:-1])
            place = key.place if key is not None else place
            hint = nearest(name, known) or (f" (known: {listed(known, 40)})" if known else "")
            message = f"unknown key {quoted(name)}{hint}"
        elif kind == "missing":
            if any(
                where == loc[:-1] and f"'{name}'" in nearest(word, _free_keys(root, where))
                for where, word in unknown
            ):
                continue  # it is there, misspelt
            place = key.place if key is not None and len(loc) > 1 else place
            message = f"the key {quoted(name)} is missing"
        elif kind == "literal_error":
            choices = re.findall(r"'([^']*)'", str(ctx.get("expected", "")))
            given = e.get("input")
            message = f"wanted {' or '.join(choices)}"
            if isinstance(given, str):
                message = (
                    f"{quoted(given)} is not {'one of ' if len(choices) > 1 else ''}{', '.join(choices)}"
                )
                message += nearest(given, choices)
            elif given is None:
                message = f"is empty, {message}"
        elif kind == "dnh":
            message = str(ctx.get("message", ""))
            if isinstance(node, Mapping) and not rest and loc:
                named = key is not None and isinstance(loc[-1], str)
                place = key.place if key is not None and named else node.place
                message = f"{'.'.join(str(step) for step in loc[0 if not named else -1 :])}: {message}"
        else:
            message = _plain_words(kind, ctx, e.get("input"), loc)
        out.append(Problem(place, message))
    return out


def _plain_words(kind: str, ctx: dict[str, Any], given: object, loc: Loc) -> str:
    name = next((str(step) for step in reversed(loc) if isinstance(step, str) and step != "[key]"), "")
    what = f"{name}: " if name else ""
    said = "nothing" if given is None else quoted(given) if isinstance(given, str | int | float) else ""
    said = said or ("a list" if isinstance(given, list | tuple) else "a mapping")
    limit = ctx.get("ge", ctx.get("gt", ctx.get("le", ctx.get("lt"))))
    match kind:
        case "model_type" | "dict_type" | "model_attributes_type":
            known = _keys(loc)
            return f"{what}wanted a mapping{f' with {listed(known)}' if known else ''}, found {said}"
        case "tuple_type" | "list_type" | "sequence_type":
            return f"{what}wanted a list, found {said}"
        case "string_type":
            return f"{what}wanted text, found {said}"
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return f"{what}wanted a whole number, found {said}"
        case "float_parsing" | "float_type":
            return f"{what}wanted a number, found {said}"
        case "bool_parsing" | "bool_type":
            return f"{what}wanted yes or no, found {said}"
        case "greater_than_equal":
            return f"{what}{said} is too small, at least {limit}"
        case "less_than_equal":
            return f"{what}{said} is too large, at most {limit}"
        case "too_short":
            return f"{what}is empty"
        case "too_long":
            return f"{what}has {ctx.get('actual_length')} of at most {ctx.get('max_length')}"
        case "string_too_long":
            return f"{what}text is too long (at most {ctx.get('max_length')} characters)"
    return f"{what}wanted something else than {said}"


def _keys(loc: Loc) -> list[str]:
    """The keys that the model knows at a place."""
    here: Any = Scenario
    for step in loc:
        here = _inner(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = next((f for n, f in here.model_fields.items() if step in (f.alias or n, n)), None)
            if field is None:
                return []
            here = field.annotation
        elif get_origin(here) is dict:
            here = get_args(here)[1]
        elif get_origin(here) is tuple:
            here = get_args(here)[0]
        else:
            return []
    here = _inner(here)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [f.alias or n for n, f in here.model_fields.items()]
    return []


def _free_keys(root: Mapping, loc: Loc) -> list[str]:
    """The keys that the model knows at a place and the document does not have there."""
    _, node, _ = _find(root, loc)
    return [k for k in _keys(loc) if not (isinstance(node, Mapping) and k in node.items)]


def _inner(annotation: Any) -> Any:
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin is typing.Union or str(origin) == "<class 'types.UnionType'>":
            annotation = next((a for a in get_args(annotation) if a is not type(None)), None)
        else:
            return annotation


# --- dotted paths ----------------------------------------------------------------------------------

_REST = (("sysctl", None), ("kernel", "tunables"), ("expect",), ("regress",), ("matrix",), ("cell",), ("routes", None))
"""Where the rest of a path is one key, dots and all (None: any word)."""


def _steps(path: str, place: Place) -> list[str]:
    """The keys of a dotted path; a key with dots in it may stand in quotes."""
    steps: list[str] = []
    rest = path
    while rest:
        if any(
            len(steps) == len(prefix) and all(p in (None, s) for p, s in zip(prefix, steps, strict=True))
            for prefix in _REST
        ):
            steps.append(
                rest[1:-1] if len(rest) > 1 and rest[0] == rest[-1] == '"' and '"' not in rest[1:-1] else rest
            )
            return steps
        found = re.match(r'(?:"([^"]+)"|([^."]+))(?:\.|$)', rest)
        if not found or len(steps) > t.MAX_DEPTH:
            raise Problems([Problem(place, f"{quoted(path)} is no path of keys (flows.gold.udp)")])
        steps.append(found[1] or found[2])
        rest = rest[found.end() :]
    if not steps or path.endswith("."):
        raise Problems([Problem(place, f"{quoted(path)} is no path of keys (flows.gold.udp)")])
    return steps


def _with(node: Node | None, steps: list[str], value: Node, place: Place, done: tuple[str, ...] = ()) -> Node:
    """The tree with another value at a path; what is not there on the way is made."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(node, Sequence):
        if not step.isdigit() or len(step) > 6 or int(step) >= len(node.items):
            raise Problems(
                [
                    Problem(
                        place,
                        f"{'.'.join(done)} has no item {quoted(step)} (0 to {len(node.items) - 1})",
                    )
                ]
            )
        items = list(node.items)
        items[int(step)] = _with(items[int(step)], rest, value, place, (*done, step))
        return Sequence(items, node.place)
    if isinstance(node, Scalar) and not node.null:
        # The short form of something that has a long one.
        raise Problems(
            [Problem(place, f"{'.'.join(done)} is {quoted(node.text)}, there is no {quoted(step)} in it")]
        )
    old = node.items if isinstance(node, Mapping) else {}
    if done in (("flows",), ("hosts",)) and rest and step not in old:
        raise Problems([Problem(place, f"no {quoted(step)} in {done[0]}{nearest(step, old)}")])
    key = old[step][0] if step in old else Scalar(step, place)
    inner = old[step][1] if step in old else None
    return Mapping(
        {**old, step: (key, _with(inner, rest, value, place, (*done, step)))},
        node.place if isinstance(node, Mapping) else place,
    )


def _override(root: Mapping, key: str, text: str) -> Mapping:
    place = Place(f"--set {key}")
    value: Node
    if strange := t.stray(key) or t.stray(text):
        raise Problems([Problem(place, strange)])
    if text.lstrip()[:1] in ("[", "{", '"', "'") and text.strip():
        parsed = t.parse(text, place.source)
        value = _moved(parsed, place) if parsed is not None else Scalar("", place)
    else:
        value = Scalar(text, place, null=text.strip() in ("", "~", "null"))
    axes = root.get("matrix")
    if isinstance(axes, Mapping) and key in axes.items:
        # An axis of the matrix that is set has this one value.
        one = value if isinstance(value, Sequence) else Sequence([value], place)
        return typing.cast(Mapping, _with(root, ["matrix", key], one, place))
    steps = _steps(key, place)
    if steps[0] not in _keys(()):
        known = [*_keys(()), *(axes.items if isinstance(axes, Mapping) else ())]
        raise Problems([Problem(place, f"unknown key {quoted(steps[0])}{nearest(steps[0], known)}")])
    return typing.cast(Mapping, _with(root, steps, value, place))


def _moved(node: Node, place: Place) -> Node:
    """The tree with one place for all of it."""
    if isinstance(node, Scalar):
        return Scalar(node.text, place, node.style, node.null)
    if isinstance(node, Sequence):
        return Sequence([_moved(n, place) for n in node.items], place)
    return Mapping({k: (Scalar(s.text, place), _moved(v, place)) for k, (s, v) in node.items.items()}, place)


# --- matrix ----------------------------------------------------------------------------------------

_HOLE = re.compile(r"\$\{([^{}\n]*)\}")


def _cells(root: Mapping, file: str) -> list[tuple[dict[str, str], Mapping]]:
    """(values, tree without the matrix) for each cell."""
    axes = root.get("matrix")
    bare = Mapping({k: v for k, v in root.items.items() if k not in ("matrix", "but")}, root.place)
    if axes is None or (isinstance(axes, Scalar) and axes.null):
        if (but := root.get("but")) is not None:
            raise Problems([Problem(but.place, "but: there is no matrix to choose cells of")])
        return [({}, bare)]
    if not isinstance(axes, Mapping):
        raise Problems([Problem(axes.place, "matrix: wanted a mapping of names to lists of values")])
    problems: list[Problem] = []
    values: dict[str, list[Node]] = {}
    for name, (key, node) in axes.items.items():
        items = node.items if isinstance(node, Sequence) else [node]
        if not items:
            problems.append(Problem(node.place, f"matrix: {quoted(name)} has no values"))
        for item in items:
            if not isinstance(item, Scalar) or item.null:
                problems.append(
                    Problem(item.place, f"matrix: a value of {quoted(name)} must be text or a number")
                )
        values[name] = list(items)
        if not _is_path(name) and not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
            problems.append(
                Problem(key.place, f"{quoted(name)} is neither a path (flows.gold.udp) nor a name")
            )
    names = [n for n in values if not _is_path(n)]
    used = {h for s in t.scalars(bare) for h in _HOLE.findall(s.text)}
    used |= {h for k in _key_texts(bare) for h in _HOLE.findall(k)}
    for name in names:
        if name not in used:
            key = axes.items[name][0]
            problems.append(
                Problem(
                    key.place, f"nothing uses ${{{name}}}{nearest(name, used) or nearest(name, _keys(()))}"
                )
            )
    for scalar in t.scalars(bare):
        for hole in _HOLE.finditer(scalar.text):
            if hole[1] not in names and names:
                message = f"${{{hole[1]}}} is not in the matrix{nearest(hole[1], names)}"
                problems.append(Problem(t.within(scalar, hole.start()), message))
    count = math.prod(len(v) for v in values.values())
    work = count * sum(1 for _ in t.scalars(bare))
    if count > MAX_CELLS or work > MAX_WORK:
        problems.append(Problem(axes.place, f"the matrix makes {count} cells, too many for one file"))
    if problems:
        raise Problems(problems)
    exceptions = _exceptions(root.get("but"), values)
    out = []
    for combination in itertools.product(*values.values()):
        cell = dict(zip(values, combination, strict=True))
        tree: Node = bare
        for name, value in cell.items():
            if _is_path(name):
                place = axes.items[name][0].place
                steps = _steps(name, place)
                if steps[0] not in _keys(()):
                    raise Problems(
                        [Problem(place, f"unknown key {quoted(steps[0])}{nearest(steps[0], _keys(()))}")]
                    )
                tree = _with(tree, steps, value, place)
        texts = {n: v.text for n, v in cell.items() if isinstance(v, Scalar)}
        for chosen, instead in exceptions:
            if all(texts[n] == value for n, value in chosen.items()):
                for key, value in instead:
                    tree = _with(tree, _steps(key.text, key.place), value, key.place)
        filled = _filled(tree, {n: texts[n] for n in names}) if names else tree
        out.append((texts, typing.cast(Mapping, filled)))
    return out


def _exceptions(but: Node | None, axes: typing.Collection[str]) -> list[tuple[dict[str, str], list[tuple[Scalar, Node]]]]:
    """(values that choose cells, [(path, what is there instead)]) of each entry of ``but``."""
    out: list[tuple[dict[str, str], list[tuple[Scalar, Node]]]] = []
    problems: list[Problem] = []
    if but is not None and not isinstance(but, Sequence):
        problems.append(Problem(but.place, "but: wanted a list"))
    for item in but.items if isinstance(but, Sequence) else []:
        chosen: dict[str, str] = {}
        instead: list[tuple[Scalar, Node]] = []
        for name, (key, value) in item.items.items() if isinstance(item, Mapping) else []:
            if name in axes and isinstance(value, Scalar):
                chosen[name] = value.text
            elif _steps(name, key.place)[0] in _keys(()):
                instead.append((key, value))
            else:
                problems.append(Problem(key.place, f"unknown key {quoted(name)}{nearest(name, [*axes, *_keys(())])}"))
        if not chosen or not instead:
            problems.append(Problem(item.place, "but: wanted a value of the matrix and a path with what is there instead"))
        out.append((chosen, instead))
    if problems:
        raise Problems(problems)
    return out


def _is_path(name: str) -> bool:
    return "." in name or name in _keys(())


def _key_texts(node: Node) -> typing.Iterator[str]:
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _key_texts(item)
    elif isinstance(node, Mapping):
        for key, (_, value) in node.items.items():
            yield key
            yield from _key_texts(value)


def _filled(node: Node, values: dict[str, str]) -> Node:
    """The tree with ${name} replaced in texts and keys."""
    if isinstance(node, Sequence):
        return Sequence([_filled(n, values) for n in node.items], node.place)
    if isinstance(node, Mapping):
        items: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.items.values():
            name = _filled_text(key, values)
            if name in items:
                raise Problems([Problem(key.place, f"the key {quoted(name)} is there already")])
            items[name] = (Scalar(name, key.place, key.style), _filled(value, values))
        return Mapping(items, node.place)
    if "${" not in node.text:
        return node
    return Scalar(_filled_text(node, values), node.place, node.style, False, node.lines)


def _filled_text(scalar: Scalar, values: dict[str, str]) -> str:
    text = _HOLE.sub(lambda m: values.get(m[1], m[0]), scalar.text)
    if len(text) > MAX_TEXT:
        raise Problems([Problem(scalar.place, f"the matrix makes a text of {len(text)} characters of this")])
    return text
