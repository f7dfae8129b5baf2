"""The planner's page: a question about serving a model, answered while it is asked.

A `PlannerPage` is shown in a notebook and in the book. Its data are the catalog's; its arithmetic
is `formulas.deployment`, traced (`trace`); `search.js` finds the answer as `memwall.planner` does,
and `planner.js` shows it.
"""

from __future__ import annotations

import functools
import html
import json
import math
from importlib import resources
from typing import Any

import anywidget
import traitlets

from .. import catalog, planner
from ..catalog import engines
from ..catalog.names import MEANT, endings, width_names
from ..core.checkpoint import FEEDS_IN_TURN, IN_TURN, MATRICES, PRODUCTS, LayerGroup
from ..core.nouns import Engine, Unknown
from ..core.units import human
from ..core.widths import stored_width
from ..experiments.questions import room_band
from ..formulas import forecast
from ..formulas.deployment import RESULTS
from ..formulas.forecast import CLASSES, PARTS
from ..views.table import table
from . import trace

# what people ask for most: the first is asked when the page opens
PRESETS: dict[str, dict[str, Any]] = {
    "Chat": {"rate": 20, "prompt": 2000, "output": 500, "cached": 0.0, "first_token": 2, "token_rate": 30},
    "Coding agent": {
        "users": 100, "prompt": 30_000, "output": 600, "cached": 0.9, "first_token": 4, "token_rate": 40,
    },
    "Long documents": {
        "rate": 0.5, "prompt": 60_000, "output": 1000, "cached": 0.0, "first_token": 30, "token_rate": 15,
    },
    "Overnight batch": {
        "users": 2000, "prompt": 4000, "output": 1000, "cached": 0.0, "first_token": 600, "token_rate": 1,
    },
}  # fmt: skip
MODEL = "Llama-3.3-70B"
EXPERTS = "DeepSeek-V3"
CHIPS = ("H100", "H200", "B200")
PART_NAMES = {
    "weights": "weights", "experts": "experts", "attention": "caches", "exchange": "exchange",
    "launches": "launches",
}  # fmt: skip


def _plain(value: Any) -> float | None:
    return None if isinstance(value, Unknown) else float(value)


def chip_data(chip: catalog.Chip) -> dict[str, Any]:
    """One chip as the page keeps it, in SI; None for what nobody published."""
    return {
        "name": chip.name, "vendor": chip.vendor, "kind": forecast.class_of(chip.kind),
        "bf16": float(chip.flops_bf16), "fp8": _plain(chip.flops_fp8), "fp4": _plain(chip.flops_fp4),
        "bandwidth": float(chip.chip_bandwidth),
        "capacity": float(chip.driver_capacity or chip.chip_capacity),
        "scale_up": _plain(chip.chip_scale_up), "scale_out": _plain(chip.chip_scale_out),
        "domain": _plain(chip.domain), "torus": float(chip.torus), "rent": _plain(chip.rent),
        "rent_low": _plain(chip.rent_low), "rent_high": _plain(chip.rent_high),
    }  # fmt: skip


def usable(chip: catalog.Chip) -> bool:
    """Whether enough is known of a chip to plan with it."""
    known = chip.flops_bf16 and not isinstance(chip.chip_bandwidth, Unknown)
    return bool(known and (chip.driver_capacity or chip.chip_capacity))


ENGINES = ("vLLM", "SGLang")


def engine_data(name: str) -> dict[str, Any]:
    """The newest rules of an engine on a small chip, on a large one, and the memory between them."""

    def rules(memory: float) -> dict[str, float | None]:
        found = engines.engine(name, memory)
        return {f: _plain(getattr(found, f)) for f in Engine.quantities()}

    newest = [r for r in catalog.table("engines") if r["name"] == name][-1]
    above = float(newest["large_gib"]) * 2**30
    return {"small": rules(0.0), "large": rules(above), "above": above}


@functools.cache
def data() -> dict[str, Any]:
    """All that the page knows: models, chips, widths, prices, constants, words."""
    prices = {p.name: p for p in catalog.prices()}
    group_fields = [f for f in LayerGroup.quantities() if f != "fp8_bytes"]
    defaults = {
        f: LayerGroup.__dataclass_fields__[f].default for f in group_fields if f != "layers"
    }
    widths = {r["name"]: stored_width(r["name"])._asdict() for r in catalog.table("widths")}
    models = [
        {
            "name": row["name"], "aliases": [a for a in row["aliases"].split("|") if a],
            "config": row["config"], "weights": row["weights"],
            "list": _listed(prices.get(row["priced_as"])),
        }
        for row in catalog.table("checkpoints")
    ]  # fmt: skip
    return {
        "slots": trace.slots(), "results": trace.results(), "groups": trace.GROUPS,
        "groupFields": group_fields, "group": defaults, "modelFields": trace.MODEL,
        "standsFor": trace.STANDS_FOR, "sameRate": trace.SAME_RATE,
        "models": models, "configs": _json("configs.json"), "families": _json("families.json"),
        "widths": widths, "widthsCalled": width_names(), "endings": endings(), "meant": MEANT, "matrices": MATRICES, "products": PRODUCTS,
        "chips": [chip_data(c) for c in catalog.chips().values() if usable(c)],
        "inTurn": IN_TURN, "feedsInTurn": FEEDS_IN_TURN,
        "engines": {name: engine_data(name) for name in ENGINES}, "noLarge": engines.NO_LARGE,
        "efficiency": {
            kind: {f: getattr(forecast.fitted(kind), f) for f in forecast.Efficiency.quantities()}
            for kind in CLASSES
        },
        "bands": {
            kind: {of: forecast.band(kind, of) for of in ("tpot", "ttft")} for kind in CLASSES
        },
        "rooms": room_band(), "users": list(planner.USERS), "month": planner.MONTH, "presets": PRESETS,
        "first": {"model": MODEL, "experts": EXPERTS, "chips": CHIPS}, "words": RESULTS,
        "parts": {name: PART_NAMES.get(name, name) for name in PARTS},
    }  # fmt: skip


def _listed(price: catalog.Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    fields = ("input", "cache_read", "output")
    return {"name": price.name, **{f: _plain(getattr(price, f)) for f in fields}}


def _json(name: str) -> Any:
    text = resources.files("memwall.core").joinpath("data", name).read_text(encoding="utf-8")
    found = json.loads(text)
    if isinstance(found, dict):
        found.pop("about", None)
    return found


def _in_json(value: Any) -> Any:
    """JSON has no infinity: a null in the defaults of a layer, which the page turns back."""
    if isinstance(value, dict):
        return {k: _in_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_in_json(v) for v in value]
    return "Infinity" if isinstance(value, float) and math.isinf(value) else value


def data_script() -> str:
    """The script `planner-data.js`: what the page knows."""
    text = json.dumps(_in_json(data()), ensure_ascii=False, separators=(",", ":"))
    reviver = '(k,x)=>x==="Infinity"?Infinity:x'
    quoted = json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
    return f"var memwallPlannerData = JSON.parse({quoted}, {reviver});\n"


def source(name: str) -> str:
    """A script or style of the library, as written."""
    return resources.files("memwall").joinpath(*name.split("/")).read_text(encoding="utf-8")


def scripts() -> dict[str, str]:
    """The page's own scripts and style by file name, to be served once."""
    return {
        "deployment.js": trace.code(), "planner-data.js": data_script(),
        "planner-config.js": source("views/explorer/config.js"), "planner-search.js": source("planner_page/search.js"),
        "planner.js": source("planner_page/planner.js"), "planner.css": source("planner_page/planner.css"),
    }  # fmt: skip


class PlannerPage(anywidget.AnyWidget):
    """The planner as a notebook shows it: live in the book and in Jupyter, a table elsewhere."""

    _esm = traitlets.Unicode()
    _css = source("planner_page/planner.css")

    def __init__(self) -> None:
        parts = [source("views/explorer/explorer.js"), *(text for name, text in scripts().items() if name.endswith(".js"))]  # fmt: skip
        super().__init__(
            _esm="\n".join([*parts, "export default { render: memwallPlanner.render };"])
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        found, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        plain = "\n".join(f"{asked}: {said}" for asked, said in examples())
        return found | {"text/html": self.html(), "text/plain": plain}, metadata

    def html(self) -> str:
        """The place where `planner.js` mounts the page; without scripts, three answers."""
        return f'<div class="mw-planner" id="planner" data-chapters="">{still()}</div>'


@functools.cache
def examples() -> tuple[tuple[str, str], ...]:
    """What the page answers at its first three presets: the question in words, and the sentence."""
    found = []
    for name, asked in list(PRESETS.items())[:3]:
        best = planner.alternatives(MODEL, chips=CHIPS, **asked)[0]
        load = f"{asked['users']} users at once" if "users" in asked else f"{asked['rate']:g} requests a second"  # fmt: skip
        words = f"{name}: {load}, {human(asked['prompt'])} tokens in, {human(asked['output'])} out, {asked['token_rate']} token/s each"
        found.append((words, planner.in_a_sentence(best)))
    return tuple(found)


def still() -> str:
    """The examples as a table, for a page without scripts."""
    made = table(
        ("what is asked", "the cheapest of " + ", ".join(CHIPS)),
        examples(),
        f"{MODEL}: three answers",
    )
    return f'<div class="mw-plan-still">{made._repr_html_()}<p><small>{html.escape("A still: the planner itself needs JavaScript.")}</small></p></div>'
