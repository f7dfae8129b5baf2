"""The planner's arithmetic for a page: `formulas.deployment` traced once over slots, as JavaScript.

Any checkpoint is a vector of the same slots: up to `GROUPS` groups of layers, and the parts of the
weights by what a layout does with them and by the width in which they are multiplied. So one
function, printed from the formulas, serves every model, chip, layout and workload; a page fills
the vector and calls it.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from ..core.algebra import javascript
from ..core.checkpoint import Checkpoint, LayerGroup, Part
from ..core.nouns import Engine, Layout, Noun, System, Unknown, Workload
from ..core.units import InputError
from ..formulas.deployment import RESULTS, Deployment, deployment
from ..formulas.forecast import PARTS, Efficiency
from ..formulas.layout import sglang_share

GROUPS = 6
WIDTHS = ("bf16", "fp8", "fp4")
SAME_RATE = {"int8": "fp8"}
# kinds of parts that every formula treats alike, by the one that stands for them
STANDS_FOR = {
    "attention": "attention", "shared": "shared", "dense": "dense", "head": "head", "norm": "norm",
    "router": "norm", "latent": "latent", "embedding": "embedding", "vision": "embedding",
    "routed": "routed",
}  # fmt: skip
PART = ("parameters", "active", "bytes_per_param")
MODEL = ("layers", "d_model", "experts", "experts_active", "routed_layers", "launches")
NOUNS: dict[str, type[Noun]] = {
    "system": System, "layout": Layout, "workload": Workload, "engine": Engine,
    "efficiency": Efficiency,
}  # fmt: skip


def _kinds() -> list[tuple[str, str]]:
    """Every kind of part with a slot, and its width; what is never quantised, or never multiplied, needs only one."""
    cut = ("attention", "shared", "dense", "head", "latent", "routed")
    return [*((k, w) for k in cut for w in WIDTHS), ("norm", "bf16"), ("embedding", "bf16")]


@functools.cache
def slots() -> tuple[str, ...]:
    """The names of the vector's places, in their order."""
    fields = [f for f in LayerGroup.quantities() if f != "fp8_bytes"]
    return (
        *(f"group{i}.{f}" for i in range(GROUPS) for f in fields),
        *(f"{kind}.{width}.{f}" for kind, width in _kinds() for f in PART),
        *(f"model.{f}" for f in MODEL),
        *(f"{noun}.{f}" for noun, cls in NOUNS.items() for f in cls.quantities()),
    )


def model_slots(checkpoint: Checkpoint) -> dict[str, float]:
    """What a checkpoint puts into its slots; a slot it does not name is 0. planner.js does the same."""
    if len(checkpoint.groups) > GROUPS:
        raise InputError(
            f"{checkpoint.name} has {len(checkpoint.groups)} kinds of layers; the page counts {GROUPS}"
        )
    found: dict[str, float] = {}
    # a group that is not there has no layers, and is otherwise like one with nothing in it
    nothing = LayerGroup(layers=1.0)
    for i in range(GROUPS):
        group = checkpoint.groups[i] if i < len(checkpoint.groups) else nothing
        for f in LayerGroup.quantities():
            if f != "fp8_bytes":
                found[f"group{i}.{f}"] = float(getattr(group, f))
        if group is nothing:
            found[f"group{i}.layers"] = 0.0
    # a part that is not there has no parameters, of some width
    found |= {f"{kind}.{width}.bytes_per_param": 1.0 for kind, width in _kinds()}
    stored: dict[str, float] = {}
    for part in checkpoint.parts:
        if part.kind not in STANDS_FOR:  # the predictor, which no engine loads unasked
            continue
        kind = STANDS_FOR[part.kind]
        width = (
            "bf16"
            if kind in ("embedding", "norm")
            else SAME_RATE.get(part.arithmetic, part.arithmetic)
        )
        at = f"{kind}.{width}"
        for f in ("parameters", "active"):
            found[f"{at}.{f}"] = found.get(f"{at}.{f}", 0.0) + float(getattr(part, f))
        stored[at] = stored.get(at, 0.0) + float(part.parameters) * float(part.bytes_per_param)
    for at, size in stored.items():
        whole = found[f"{at}.parameters"]
        found[f"{at}.bytes_per_param"] = size / whole if whole else 1.0
    for f in MODEL:
        value = getattr(checkpoint, f)
        found[f"model.{f}"] = 1.0 if isinstance(value, Unknown) else float(value)
    return found


def vector(checkpoint: Checkpoint, **nouns: Noun) -> list[float]:
    """The whole vector of a deployment, as the page fills it."""
    found = model_slots(checkpoint)
    for noun, value in nouns.items():
        for f in NOUNS[noun].quantities():
            given = getattr(value, f)
            found[f"{noun}.{f}"] = math.nan if isinstance(given, Unknown) else float(given)
    return [found.get(name, 0.0) for name in slots()]


def results() -> list[str]:
    """The names of what the traced function gives, in its order."""
    return [*RESULTS, *(f"step.{p}" for p in PARTS), *(f"prompt.{p}" for p in PARTS)]


def flat(found: Deployment) -> list[Any]:
    """A deployment's results in the order of `results`."""
    parts = [*found.step_parts.values(), *found.prompt_parts.values()]
    return [*(getattr(found, name) for name in RESULTS), *parts]


def _made(cls: type[Noun], prefix: str, **more: Any) -> Any:
    """A noun whose fields are the symbols of their slots: v[12] is printed as it stands."""
    import sympy

    place = {name: i for i, name in enumerate(slots())}
    fields = {f: place[f"{prefix}.{f}"] for f in cls.quantities() if f"{prefix}.{f}" in place}
    return cls(**{f: sympy.Symbol(f"v[{i}]", positive=True) for f, i in fields.items()}, **more)


def _symbolic(routed: bool) -> Deployment:
    import sympy

    parts = tuple(
        _made(Part, f"{kind}.{width}", arithmetic=width, kind=kind)
        for kind, width in _kinds()
        if routed or kind != "routed"
    )
    sizes = {f: sympy.Symbol(f"v[{slots().index(f'model.{f}')}]", positive=True) for f in MODEL}
    if not routed:
        sizes["routed_layers"] = 0
    groups = tuple(_made(LayerGroup, f"group{i}") for i in range(GROUPS))
    checkpoint = Checkpoint("model", groups, parts, **sizes)
    # unevaluated: SymPy would spend a minute on comparing every maximum's arguments
    with sympy.evaluate(False):
        return deployment(checkpoint, **{noun: _made(cls, noun) for noun, cls in NOUNS.items()})


@functools.cache
def code() -> str:
    """The script `deployment.js`: deployments without experts and with them, and SGLang's share."""
    import sympy

    bodies = []
    for routed in (False, True):
        named, values = sympy.cse(list(map(sympy.sympify, flat(_symbolic(routed)))), order="none")
        lines = [f"const {name}={javascript(value)};" for name, value in named]
        lines += [f"out[{i}]={javascript(value)};" for i, value in enumerate(values)]
        bodies.append("(v,out)=>{\n" + "\n".join(lines) + "\n}")
    with sympy.evaluate(False):
        own = sglang_share(*(_made(NOUNS[n], n) for n in ("engine", "system", "layout")))
    bodies.append(f"(v)=>{javascript(sympy.sympify(own))}")
    return (
        "/* Printed by SymPy from formulas/deployment.py: v holds a deployment's slots, out its results. */\n"
        f"var memwallDeployment = [{', '.join(bodies)}];\n"
    )
