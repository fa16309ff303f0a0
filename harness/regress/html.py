"""Comparisons and histories as one self-contained HTML page each: they fetch nothing."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.regress import picture, terminal
from harness.regress.model import Metric, Report


def render(template: str, **values: Any) -> str:
    """A page of this room's templates; values are escaped."""
    environment = Environment(
        loader=PackageLoader("harness.regress", ""), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template(template).render(**values)
    return text.encode("utf-8", "replace").decode("utf-8")


def page(report: Report) -> str:
    """The page of a comparison, distributions side by side."""

    def strips(m: Metric) -> Markup:
        return Markup(picture.strips((("base", m.base), ("candidate", m.candidate)), m.unit))

    n = len(report.regressions)
    title = f"{n} regression{'s' if n > 1 else ''}" if n else "no regression"
    return render("compare.html.j2", title=title, r=report, t=terminal, strips=strips)
