"""Reading a model's config.json: which layers it has and what its weights are.

`data/families.json` says for every family of models how the keys become layers and parts, in
the six words of `rules`. This module looks the family up, asks its rules about each layer,
and adds up. What has no rule is an error that names it; nothing is guessed.

Where configurations are silent, what engines do is taken:
- index keys are kept in 8 bit with a 4-byte scale for 128 of them, whatever the cache's width;
- states of gated delta, KDA and lightning layers are 32 bit; of Mamba layers as the configuration
  says, else 16; the short convolutions before them keep 16 bit;
- an 8-bit cache of latents chosen by an index keeps their rotary part in 16 bit, with scales: 656
  bytes for 576 elements, and 584 for the 512 of a compressed layer, as vLLM stores them;
- Gemma 4's global layers make keys and values from one projection, but normalise them apart, so
  both are kept.
Tied embeddings count once, as the head. The predictor of further tokens is a part of its own,
outside `n_total` and inside `weight_bytes`, since it lies in the files. Towers that read pictures
are inside both where their size can be derived, and named in `notes` where it cannot.

>>> tiny = {"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8, "vocab_size": 10,
...         "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 64}
>>> checkpoint = from_config(tiny)
>>> int(checkpoint.n_total)  # 2 x 10 x 8, 2 layers of 4 x 64 + 3 x 128 + 16, a last norm of 8
1480
"""

from __future__ import annotations

import fnmatch
import functools
import json
import math
import os
import re
from collections import defaultdict
from importlib import resources
from pathlib import Path
from typing import Any

from ..core.checkpoint import Checkpoint, LayerGroup, Part
from ..core.nouns import suggest
from ..core.units import InputError
from . import rules
from .rules import Missing
from .storage import Storage, storage

LARGEST_FILE = 32 * 2**20
DEEPEST = 32


@functools.cache
def tables() -> dict[str, Any]:
    """`data/families.json`: kinds of layers, families, vision towers, keys that do not matter."""
    text = (resources.files("memwall.core") / "data" / "families.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@functools.cache
def family(name: str) -> dict[str, Any]:
    """A family's rules with those of the families it is like, its own first."""
    own = tables()["families"][name]
    whole = family(own["like"]) if "like" in own else {}
    merged = {
        part: {**whole.get(part, {}), **own.get(part, {})}
        for part in ("let", "mixers", "feeds", "notes")
    }
    return {**merged, "unmoved": [*whole.get("unmoved", ()), *own.get("unmoved", ())]}


@functools.cache
def model_types() -> dict[str, str]:
    """Every model_type that has rules, with the family whose rules they are."""
    found = {}
    for name, own in tables()["families"].items():
        for model_type in (name, *own.get("models", ())):
            found[model_type] = name
    return {k: v for k, v in found.items() if k not in tables()["templates"]}


def from_config(
    source: str | os.PathLike[str] | dict[str, Any],
    cache: str = "bf16",
    quantisation: dict[str, Any] | None = None,
    name: str | None = None,
) -> Checkpoint:
    """The checkpoint that a configuration describes, read from a file or a dictionary.

    source: path of a config.json, or what it holds. cache: how keys and values will be kept,
    16 or 8 bit (`"bf16"`, `"fp8"`). quantisation: the block of a hf_quant_config.json; one that
    lies beside the file is found by itself. name: what to call the model.
    Raises: InputError for a file that is none, a family or a key without a rule, and values
    that are missing, negative or absurd; the message names them.
    """
    if isinstance(source, dict):
        config = source
    else:
        path = Path(source)
        config = read(path)
        name = name or _file_name(path)
        quantisation = quantisation or _beside(path)
    _shallow(config)
    return _Reader(config, quantisation, name).checkpoint().stored(cache)


def read(path: Path) -> dict[str, Any]:
    """The object in a JSON file; anything else is an error that says what it is."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(
                f"{path.name} has {path.stat().st_size:,} bytes: no configuration is that large"
            )
        config = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise InputError(f"{path.name} is nested too deeply to be a configuration") from None
    except ValueError as error:
        raise InputError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise InputError(f"{path.name} holds a {type(config).__name__}, not an object with keys")
    return config


def _shallow(config: dict[str, Any]) -> None:
    level: list[Any] = [config]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in (value.values() if isinstance(value, dict) else value)
                 if isinstance(inner, dict | list)]  # fmt: skip
        if not level:
            return
    raise InputError(f"the configuration is nested more than {DEEPEST} deep")


def _file_name(path: Path) -> str:
    stem = path.stem.removesuffix("config").rstrip("_-.") or path.resolve().parent.name
    return stem.replace("--", "/")


def _beside(path: Path) -> dict[str, Any] | None:
    stem = path.stem.removesuffix("config").removesuffix("_")
    for other in ("hf_quant_config.json", f"{stem}_hf_quant_config.json" if stem else ""):
        if other and (path.parent / other).is_file():
            return read(path.parent / other)
    return None


class _Scope:
    """Answers names: the rules of a layer, of its family, of its kind, then the keys."""

    def __init__(
        self, levels: list[dict[str, Any]], keys: list[dict[str, Any]], given: dict[str, Any]
    ) -> None:
        self.levels, self.keys, self.given = levels, keys, given
        self.below: dict[str, int] = {}

    def __call__(self, name: str) -> Any:
        if name in self.given:
            return self.given[name]
        start = self.below.get(name, 0)
        for level in range(start, len(self.levels)):
            if name in self.levels[level]:
                self.below[name] = level + 1
                try:
                    value = self.value(self.levels[level][name])
                finally:
                    self.below[name] = start
                return _limited(name, self.levels[level][name], value)
        return self.key(name)

    def value(self, rule: Any) -> Any:
        return rules.evaluate(rules.parse(rule), self) if isinstance(rule, str) else rule

    def key(self, name: str) -> Any:
        places = self.keys if name == "tie_word_embeddings" else self.keys[:1]
        value = next((place[name] for place in places if place.get(name) is not None), None)
        if value is None:
            return Missing(name)
        return value if name in tables()["signed"] else rules.plausible(name, value)

    def number(self, rule: Any) -> Any:
        value = self.value(rule)
        if isinstance(value, Missing):
            raise InputError(f"{value.name} is missing")
        if not isinstance(value, bool | int | float) or value < 0:
            raise InputError(f"{rule!r} gives {value!r:.60} where a number of at least 0 is needed")
        return value


def _limited(name: str, rule: Any, value: Any) -> Any:
    most = tables()["limits"].get(name)
    if most is None or isinstance(value, Missing) or value == math.inf:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = number and float(value).is_integer()
    if not whole or not 1 <= value <= most:
        said = "" if str(rule) == name or not isinstance(rule, str) else f" (from {rule})"
        raise InputError(
            f"{name}{said} = {value!r:.60} is out of range: a whole number from 1 to {most:,}"
        )
    return int(value)


class _Reader:
    def __init__(
        self, config: dict[str, Any], quantisation: dict[str, Any] | None, name: str | None
    ) -> None:
        self.outer = config
        self.text = next(
            (config[k] for k in tables()["texts"] if isinstance(config.get(k), dict)), config
        )
        if self.text is config and isinstance(config.get("thinker_config"), dict):
            thinker = config["thinker_config"]
            self.outer = {**thinker, "model_type": config.get("model_type")}
            self.text = thinker.get("text_config", thinker)
        self.model_type, self.family_name = self.which()
        self.family = family(self.family_name)
        self.name = name or str(
            config.get("_name_or_path") or config.get("name_or_path") or self.model_type
        )
        self.notes: list[str] = []
        self.storage = self.stored(quantisation)
        self.parts: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        self.groups: dict[tuple[Any, ...], int] = defaultdict(int)
        self.routed: dict[str, Any] = {}
        self.routed_layers = 0

    def which(self) -> tuple[str, str]:
        """The model_type, and the family whose rules read it."""
        known = model_types()
        stated = [self.text.get("model_type"), self.outer.get("model_type")]
        for model_type in stated:
            if isinstance(model_type, str):
                for spelling in (
                    model_type,
                    model_type.removesuffix("_text"),
                    model_type.lower().replace("-", "_"),
                ):
                    if spelling in known:
                        return model_type, known[spelling]
        found = next((m for m in stated if m), None)
        if found is None:
            raise InputError("model_type is missing: no rule says how to read this configuration")
        raise InputError(f"model_type {found!r:.80} has no rules.{suggest(str(found)[:80], known)}")

    def stored(self, quantisation: dict[str, Any] | None) -> Storage:
        blocks = [
            place.get(key)
            for place in (self.text, self.outer)
            for key in ("quantization_config", "compression_config", "quantization")
        ]
        block = quantisation or next((b for b in blocks if b), None)
        stated = [
            place.get(key) for place in (self.text, self.outer) for key in ("dtype", "torch_dtype")
        ]
        dtype = next((d for d in stated if d is not None), None)
        if dtype is None:
            self.notes.append("no dtype is stated: weights taken to be 16 bit")
        names = tables()["storage"]
        spelling = str("auto" if dtype is None else dtype).removeprefix("torch.")
        if spelling not in names["dtypes"]:
            raise InputError(
                f"dtype {dtype!r:.60} has no rule: known are {', '.join(names['dtypes'])}"
            )
        width = names["dtypes"][spelling]
        promised = re.search(r"(?i)(?<![a-z])(nvfp4|fp8)(?![a-z0-9])", self.name.rsplit("/", 1)[-1])
        if not block and promised:
            algorithm = promised[1].upper()
            self.notes.append(
                f"the name says {algorithm} and the file has no quantisation block (it may lie in hf_quant_config.json): all linear layers but the head taken to be {algorithm}"
            )
            block = {"quant_algo": algorithm}
        return storage({**self.outer, **self.text}, block, width, names)

    def scope(self, *levels: dict[str, Any], **given: Any) -> _Scope:
        """Names as a layer sees them: its own rules, the family's, its kind's, the keys."""
        own, *kind = levels or ({},)
        return _Scope([own, self.family["let"], *kind], [self.text, self.outer], given)

    def checkpoint(self) -> Checkpoint:
        plain = self.scope()
        layers = self.sized(plain, "layers")
        d, vocab = self.sized(plain, "d"), self.sized(plain, "vocab")
        self.check_keys()
        predictors = int(plain.number("predictors"))
        for key in tables()["per_layer"]:
            found = self.text.get(key)
            if isinstance(found, list | str) and not layers <= len(found) <= layers + max(
                predictors, 16
            ):
                raise InputError(f"{key} has {len(found)} entries for {layers} layers")
        for i in range(layers):
            self.layer(i, *self.kinds(i))
        self.predict(layers, predictors)
        tied = plain.value("tied")
        looked_up = (
            vocab * d + plain.number("positions") * d + self.optional(plain, "extra_embedding")
        )
        if tied:
            self.add("head", "lm_head", -1, vocab * d, vocab * d, self.storage.plain)
            looked_up -= vocab * d
        else:
            self.add("head", "lm_head", -1, vocab * d, vocab * d)
        self.add("embedding", "embed_tokens", -1, looked_up, 0)
        self.add("dense", "per_layer_projection", -1, *[self.optional(plain, "extra_dense")] * 2)
        last = plain.number("final_norm") + self.optional(plain, "head_bias") * vocab
        self.add("norm", "norm", -1, last, last)
        self.see()
        for key, note in self.family["notes"].items():
            if self.text.get(key):
                self.notes.append(f"{key}: {note}")
        if not sum(n for n, _, _ in self.parts.values()) < 1e18:
            raise InputError("the sizes multiply to an absurd number of parameters")
        facts = {"experts": 1, "experts_active": 1, "expert_width": None, **self.routed}
        return Checkpoint(
            name=self.name,
            groups=tuple(LayerGroup(layers=count, **dict(group)) for group, count in self.groups.items()),
            parts=tuple(
                Part(parameters=n, active=a, bytes_per_param=b / n, arithmetic=arithmetic, kind=kind)
                for (kind, arithmetic), (n, a, b) in self.parts.items() if n
            ),
            layers=layers, d_model=d, context_max=plain.value("context") or None,
            routed_layers=self.routed_layers, notes=tuple(self.notes), **facts,
        )  # fmt: skip

    def sized(self, scope: _Scope, name: str) -> int:
        value = scope(name)
        if isinstance(value, Missing):
            raise InputError(f"{value.name} is missing")
        return int(value)

    def optional(self, scope: _Scope, name: str) -> Any:
        return scope.number(name) if name in self.family["let"] else 0

    def kinds(self, i: int) -> tuple[str, str]:
        scope = self.scope(i=i)
        return self.kind(scope, "mixer", i), self.kind(scope, "feed", i)

    def kind(self, scope: _Scope, which: str, i: int) -> str:
        name = scope.value(self.family["let"][which])
        if isinstance(name, Missing):
            raise InputError(f"{name.name} is missing: it says what layer {i} is")
        known = self.family[f"{which}s"]
        if not isinstance(name, str) or name not in known:
            raise InputError(
                f"layer {i} is {name!r:.60}, for which {self.model_type} has no rule: known are {', '.join(known)}"
            )
        return name

    def layer(self, i: int, mixer: str, feed: str, predictor: bool = False) -> None:
        """Add one layer: what it keeps to the groups, what it weighs to the parts."""
        for which, name in (("mixers", mixer), ("feeds", feed)):
            specs = self.family[which][name]
            for spec in specs if isinstance(specs, list) else [specs]:
                kind = tables()[which][spec["kind"]]
                scope = self.scope(
                    {k: v for k, v in spec.items() if k not in ("kind", "called")},
                    kind.get("defaults", {}),
                    i=i,
                )
                if "group" in kind and not predictor:
                    group = {field: scope.value(rule) for field, rule in kind["group"].items()}
                    for field, value in group.items():
                        if isinstance(value, Missing):
                            raise InputError(f"{value.name} is missing")
                        if field != "kind":
                            group[field] = max(
                                float(scope.number(kind["group"][field])),
                                1.0 if field == "kv_heads" else 0.0,
                            )
                    if "entry" in group and group["kv_heads"] > group["query_heads"]:
                        raise InputError(
                            f"{group['kv_heads']:g} key-value heads for {group['query_heads']:g} query heads"
                        )
                    self.groups[tuple(group.items())] += 1
                self.weigh(scope, kind, i, predictor, spec.get("called", ["", ""]))
        norms = self.scope(i=i).number("norms")
        self.add("predictor" if predictor else "norm", "norm", i, norms, norms, self.storage.plain)

    def weigh(
        self, scope: _Scope, kind: dict[str, Any], i: int, predictor: bool, called: list[str]
    ) -> None:
        for usual, (part, rule) in kind["weights"].items():
            module = usual.replace(*called)
            n = scope.number(rule)
            if not n:
                continue
            share = 1.0
            if part == "routed":
                experts, chosen = self.sized(scope, "experts"), self.sized(scope, "experts_active")
                if chosen > experts:
                    raise InputError(f"{chosen} experts are chosen of {experts}")
                share = chosen / experts
                self.routed = {
                    "experts": experts,
                    "experts_active": chosen,
                    "expert_width": self.sized(scope, "expert_width"),
                }
            self.add(
                "predictor" if predictor else part,
                module,
                i,
                n,
                n * share,
                self.storage.of(module, part, i),
            )
        if "router" in kind:
            self.routed_layers += not predictor
            n = scope.number(kind["router"])
            self.add(
                "predictor" if predictor else "router", "mlp.gate", i, n, n, self.storage.plain
            )
        n = scope.number(kind["small"])
        self.add("predictor" if predictor else "norm", "small", i, n, n, self.storage.plain)

    def add(self, part: str, module: str, i: int, n: Any, active: Any, width: Any = None) -> None:
        if not n:
            return
        width = width or self.storage.of(module, part, i)
        total = self.parts[part, width.arithmetic]
        total[0] += n
        total[1] += 0 if part in ("predictor", "vision") else active
        total[2] += n * width.bytes_per_param

    def predict(self, layers: int, predictors: int) -> None:
        """The layers that guess further tokens: each a layer like the last, and a projection."""
        if predictors > 64:
            raise InputError(f"{predictors} layers that predict further tokens are absurd")
        let = self.family["let"]
        for j in range(predictors):
            mixer, feed = self.kinds(layers - 1)
            scope = self.scope(i=layers - 1)
            mixer = scope.value(let["predictor_mixer"]) if "predictor_mixer" in let else mixer
            feed = scope.value(let["predictor_feed"]) if "predictor_feed" in let else feed
            self.layer(layers - 1, mixer, feed, predictor=True)
            extra = self.optional(scope, "predictor_extra")
            self.add("predictor", "eh_proj", layers + j, extra, 0, self.storage.plain)
            self.add(
                "predictor",
                "copies",
                layers + j,
                self.optional(scope, "predictor_copies"),
                0,
                self.storage.plain,
            )

    def see(self) -> None:
        """The tower that reads pictures, where its size follows from its configuration."""
        tower = self.outer.get("vision_config")
        known = {m: own for name, own in tables()["vision"].items() for m in (name, *own["models"])}
        for key in ("audio_config", "speech_config"):
            if self.outer.get(key):
                self.notes.append(f"weights of {key} are not counted")
        if not isinstance(tower, dict) or not tower:
            if (
                any(
                    k in self.outer
                    for k in ("vision_config", "image_token_id", "image_token_index")
                )
                or self.outer.get("model_type") == "llama4"
            ):
                self.notes.append("the tower that reads pictures is not described and not counted")
            return
        own = known.get(str(tower.get("model_type"))) or known.get(
            str(self.outer.get("model_type"))
        )
        try:
            if own is None:
                raise InputError(f"vision model_type {tower.get('model_type')!r:.60} has no rule")
            scope = _Scope([own["let"]], [tower, tower], {"text_d": self.sized(self.scope(), "d")})
            n = scope.number(own["parameters"])
        except InputError as error:
            self.notes.append(f"the tower that reads pictures is not counted: {error}")
            return
        self.add("vision", "vision", -1, n, 0, self.storage.plain)

    def check_keys(self) -> None:
        """Refuse a key that sounds like structure and that no rule reads."""
        table = tables()
        read_by_rules = {"num_hidden_layers", *self.family["notes"]}
        for rule in self.family["let"].values():
            read_by_rules |= rules.keys(rules.parse(rule)) if isinstance(rule, str) else set()
        for which in ("mixers", "feeds"):
            always = rules.parse(self.family["let"][which[:-1]])
            for name, specs in self.family[which].items():
                if always[0] == "text" and always[1] != name:
                    continue  # a kind that this family never has: its keys stay unread
                for spec in specs if isinstance(specs, list) else [specs]:
                    for rule in spec.values():
                        read_by_rules |= (
                            rules.keys(rules.parse(rule)) if isinstance(rule, str) else set()
                        )
        unmoved = [*self.family["unmoved"], *table["unmoved"]]
        for key, value in self.text.items():
            # what is off, or empty, changes nothing
            if not value:
                continue
            if key in read_by_rules or any(
                fnmatch.fnmatchcase(key, pattern) for pattern in unmoved
            ):
                continue
            if any(word in key.lower() for word in table["structural"]):
                raise InputError(
                    f"{key!r:.80} = {value!r:.60} has no rule for {self.model_type}: it may change sizes"
                )
