"""The catalog: chips, models, memory devices, prices and measurements, each with its source.

Facts live in `data/*.csv` and nowhere else. A row without source, URL, date and
confidence is refused. A `Chip` becomes a `System` by saying how many and at which
precision; a catalog model becomes a `Model` by saying how its weights and its cache
are stored. A `Checkpoint` is read from the configuration of its release, in `data/configs.json`.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ..core.checkpoint import Checkpoint
from ..core.facts import find, table
from ..core.nouns import Model, Noun, System, Unknown, quantity
from ..core.units import (
    GB,
    GBIT,
    HOUR,
    TB,
    Bytes,
    BytesPerSecond,
    Count,
    DollarsPerByte,
    DollarsPerSecond,
    DollarsPerToken,
    FlopPerSecond,
    InputError,
    Kilograms,
    Metres,
    NonNegative,
    Tokens,
    Watts,
)
from ..core.widths import bytes_per_element
from .config import from_config
from .names import named


@dataclass(frozen=True)
class Chip(Noun):
    """One accelerator: dense FLOP/s by precision, memory, and its two networks in one direction.

    `chip_capacity` is what is printed on the box, `driver_capacity` what a driver reports: the
    H100's 80 GB are 85.5e9 bytes. `kind` is "server" (a module of a box or rack), "card",
    "consumer", "unified" (memory shared with the processor) or "sram".
    """

    name: str
    flops_bf16: FlopPerSecond = quantity("F_{16}", "dense bf16 FLOP/s of one chip")
    flops_fp8: FlopPerSecond = quantity("F_{8}", "dense fp8 FLOP/s of one chip")
    flops_fp4: FlopPerSecond = quantity("F_{4}", "dense fp4 FLOP/s of one chip")
    flops_int8: FlopPerSecond = quantity("F_{i8}", "dense int8 operations a second of one chip")
    chip_bandwidth: BytesPerSecond = quantity("W_1", "HBM bandwidth of one chip")
    chip_capacity: Bytes = quantity("C_1", "memory of one chip as printed on the box")
    driver_capacity: Bytes = quantity("C_{drv,1}", "memory of one chip as its driver reports it")
    chip_scale_up: BytesPerSecond = quantity("W_{up,1}", "scale-up link of one chip, one direction")
    chip_scale_out: BytesPerSecond = quantity(
        "W_{out,1}", "network card of one chip, one direction"
    )
    domain: Count = quantity("G_{dom}", "chips in a scale-up domain")
    rent: DollarsPerSecond = quantity(r"\$_1", "rent of one chip, middle of the range seen")
    rent_low: DollarsPerSecond = quantity(r"\$_{1,low}", "lowest rent of one chip seen")
    rent_high: DollarsPerSecond = quantity(r"\$_{1,high}", "highest rent of one chip seen")
    torus: NonNegative = quantity(
        "D_{torus}", "dimensions of the scale-up torus, 0 for a switch or mesh"
    )
    in_network: NonNegative = quantity(
        "b_{net}", "1 if the scale-up switch adds up (NVLink SHARP), or 0"
    )
    vendor: str = ""
    kind: str = ""

    def precisions(self) -> list[str]:
        """Floating-point precisions whose dense rate is known, widest first."""
        return [p for p in ("bf16", "fp8", "fp4") if getattr(self, f"flops_{p}")]

    def flops(self, precision: str) -> Any:
        """Dense FLOP/s of one chip at a precision it has."""
        wanted = {"fp16": "bf16"}.get(precision, precision)
        if wanted == "int8" and self.flops_int8:
            return self.flops_int8
        if wanted not in self.precisions():
            raise InputError(
                f"{self.name} has no {precision!r} rate in the catalog; it has "
                f"{', '.join(self.precisions()) or 'none'}"
            )
        return getattr(self, f"flops_{wanted}")

    def system(
        self, chips: Any = None, precision: str = "fp8", dollars_per_hour: Any = None
    ) -> System:
        """`chips` of them working on one token together (default: a whole scale-up domain).

        `dollars_per_hour` is the rent of one chip; left out, it is the catalog's, if known.
        """
        n = self.domain if chips is None else chips
        rent = self.rent if dollars_per_hour is None else dollars_per_hour / HOUR

        def times_n(value: Any) -> Any:
            return value if isinstance(value, Unknown) else n * value

        return System(
            flops=n * self.flops(precision),
            bandwidth=times_n(self.chip_bandwidth),
            capacity=times_n(self.chip_capacity),
            scale_up=times_n(self.chip_scale_up),
            scale_out=times_n(self.chip_scale_out),
            chips=n,
            dollars_per_second=times_n(rent),
            domain=self.domain,
            bf16_flops=times_n(self.flops_bf16),
            torus=self.torus,
            name=f"{n:g} × {self.name} ({precision})" if isinstance(n, int | float) else self.name,
        )

    def machine(self, chips: Any, dollars_per_hour: Any = None) -> System:
        """So many of them as a deployment needs: what a driver reports, and rates for every width.

        A width that a chip cannot multiply runs at the next wider one. A chip whose network card is
        not known is taken to reach outside at its link's rate; a domain that is not known joins all
        of them, as cards in one box are.
        """
        wide = self.flops_bf16
        narrow = self.flops_fp8 or wide
        rent = self.rent if dollars_per_hour is None else dollars_per_hour / HOUR
        # boxes of one chip are joined by their cards alone
        link = self.chip_scale_up or self.chip_scale_out
        if not link and isinstance(chips, int | float) and chips == 1:
            link = self.chip_bandwidth  # one chip alone exchanges nothing

        def times(value: Any) -> Any:
            return value if isinstance(value, Unknown) else chips * value

        return System(
            flops=times(narrow),
            bandwidth=times(self.chip_bandwidth),
            capacity=times(self.driver_capacity or self.chip_capacity),
            scale_up=times(link),
            scale_out=times(self.chip_scale_out or link),
            chips=chips,
            dollars_per_second=times(rent),
            domain=self.domain or chips,
            bf16_flops=times(wide),
            fp8_flops=times(narrow),
            fp4_flops=times(self.flops_fp4 or narrow),
            torus=self.torus,
            name=f"{chips:g} × {self.name}" if isinstance(chips, int | float) else self.name,
        )


@dataclass(frozen=True)
class MemoryDevice(Noun):
    """A place to keep a KV cache: how much it holds, how fast it gives it back, what it costs."""

    capacity: Bytes = quantity("C", "capacity")
    bandwidth: BytesPerSecond = quantity("W", "read bandwidth")
    dollars_per_byte: DollarsPerByte = quantity(r"\$_B", "purchase price per byte")
    name: str = "device"
    tier: str = ""


@dataclass(frozen=True)
class Price(Noun):
    """One line of a provider's price list: dollars a token, for prompts of a range of lengths."""

    input: DollarsPerToken = quantity(r"\$_{in}", "a token read for the first time")
    output: DollarsPerToken = quantity(r"\$_{out}", "a token generated")
    cache_read: DollarsPerToken = quantity(r"\$_{hit}", "a token found in the cache")
    cache_write_5m: DollarsPerToken = quantity(r"\$_{5min}", "a token read and kept 5 minutes")
    cache_write_1h: DollarsPerToken = quantity(r"\$_{1h}", "a token read and kept an hour")
    storage: DollarsPerSecond = quantity(r"\$_{keep}", "keeping one token for a second")
    context_from: Tokens = quantity("L_0", "shortest prompt of this line")
    context_to: Tokens = quantity("L_1", "longest prompt of this line, where the list steps")
    provider: str = ""
    name: str = "price"
    as_of: str = ""
    date: str = ""


@dataclass(frozen=True)
class Rack(Noun):
    """A scale-up domain as furniture: packages and dies, power, mass, copper; or a room's limit.

    `kind` is "domain" for a machine, "hall" or "cabinet" for what a building can take.
    """

    packages: Count = quantity("G", "GPU packages in one scale-up domain")
    dies_per_package: Count = quantity("n_{die}", "compute dies in a package")
    marketed: Count = quantity("G_{ad}", "the number in its name")
    power: Watts = quantity("P", "power, middle of the range seen")
    mass: Kilograms = quantity("m", "mass")
    cables: Count = quantity("n_{wire}", "scale-up cables")
    cable_length: Metres = quantity("l", "length of all scale-up cables")
    optics_extra: Watts = quantity("P_{opt}", "extra power had the cables been optical")
    cooling: str = ""
    kind: str = "domain"
    name: str = "rack"


def _number(text: str, scale: float = 1.0) -> float | None:
    return float(text) * scale if text else None


def _middle(low: str, high: str, scale: float) -> float | None:
    return (float(low) + float(high)) / 2 * scale if low and high else None


@functools.cache
def chips() -> dict[str, Chip]:
    """Every chip of the catalog by name."""
    return {
        r["name"]: Chip(
            name=r["name"],
            flops_bf16=_number(r["bf16_dense_tflops"], 1e12),
            flops_fp8=_number(r["fp8_dense_tflops"], 1e12),
            flops_fp4=_number(r["fp4_dense_tflops"], 1e12),
            flops_int8=_number(r["int8_dense_tops"], 1e12),
            chip_bandwidth=_number(r["bandwidth_tb_per_s"], TB),
            chip_capacity=_number(r["capacity_gb"], GB),
            driver_capacity=_number(r["driver_capacity_gb"], GB),
            chip_scale_up=_number(r["scale_up_gb_per_s_one_way"], GB),
            chip_scale_out=_number(r["scale_out_gbit_per_s_one_way"], GBIT),
            domain=_number(r["domain_chips"]),
            rent=_middle(r["rent_usd_per_hour_low"], r["rent_usd_per_hour_high"], 1 / HOUR),
            rent_low=_number(r["rent_usd_per_hour_low"], 1 / HOUR),
            rent_high=_number(r["rent_usd_per_hour_high"], 1 / HOUR),
            torus=float(r["torus"]),
            in_network=float(r["in_network"]),
            vendor=r["vendor"],
            kind=r["kind"],
        )
        for r in table("chips")
    }


@functools.cache
def memory_devices() -> dict[str, MemoryDevice]:
    """Every memory device of the catalog by name; the chips' own HBM is under `chips`."""
    return {
        r["name"]: MemoryDevice(
            name=r["name"],
            tier=r["tier"],
            capacity=_number(r["capacity_gb"], GB),
            bandwidth=_number(r["read_gb_per_s"], GB),
            dollars_per_byte=_number(r["usd_per_gb"], 1 / GB),
        )
        for r in table("memory")
    }


@functools.cache
def prices() -> tuple[Price, ...]:
    """Every line of the price lists, in the order of the table; a model may have several lines."""
    dollars = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")

    def line(r: dict[str, str]) -> Price:
        quantities: dict[str, Any] = {field: _number(r[field], 1e-6) for field in dollars}
        return Price(
            **quantities,
            storage=_number(r["storage_per_mtok_hour"], 1e-6 / HOUR),
            context_from=_number(r["context_from"]),
            context_to=_number(r["context_to"]),
            provider=r["provider"],
            name=r["name"],
            as_of=r["as_of"],
            date=r["date"],
        )

    return tuple(map(line, table("prices")))


@functools.cache
def racks() -> dict[str, Rack]:
    """Every rack, hall and cabinet of the catalog by name."""
    return {
        r["name"]: Rack(
            name=r["name"],
            kind=r["kind"],
            packages=_number(r["packages"]),
            dies_per_package=_number(r["dies_per_package"]),
            marketed=_number(r["marketed"]),
            power=_middle(r["power_kw_low"], r["power_kw_high"], 1e3),
            mass=_number(r["mass_kg"]),
            cables=_number(r["cables"]),
            cable_length=_number(r["cable_km"], 1e3),
            optics_extra=_number(r["optics_extra_kw"], 1e3),
            cooling=r["cooling"],
        )
        for r in table("racks")
    }


@functools.cache
def _model_rows() -> dict[str, dict[str, str]]:
    return {r["name"]: r for r in table("models")}


def chip(name: str) -> Chip:
    """The catalog's chip of that name, alias or unambiguous beginning: chip("H100")."""
    return chips()[find(name, "chip", "chips")]


def model(name: str, weights: str = "", cache: str = "bf16") -> Model:
    """The catalog's model of that name: model("DeepSeek-V3", weights="fp8", cache="bf16").

    `weights` defaults to the precision the weights were released in (fp8 where that is not
    known); `cache` is how KV-cache elements are stored. Facts nobody published are `Unknown`.
    """
    return _model(find(name, "model", "models"), weights, cache)


@functools.lru_cache(maxsize=1024)
def _model(name: str, weights: str, cache: str) -> Model:
    row = _model_rows()[name]
    total, active = float(row["total_params_b"]) * 1e9, float(row["active_params_b"]) * 1e9
    width = [float(row[k]) if row[k] else 0 for k in ("heads", "key_width", "value_width")]
    elements = _number(row["cache_elements_per_token"])
    return Model(
        name=row["name"],
        n_total=total,
        n_active=active,
        bytes_per_param=bytes_per_element(weights or row["released_weights"] or "fp8"),
        kv_bytes_per_token=elements and elements * bytes_per_element(cache),
        layers=_number(row["layers"]),
        d_model=_number(row["d_model"]),
        experts=_number(row["experts"]),
        experts_active=_number(row["experts_active"]),
        attention_width=width[0] * (width[1] + width[2]) or None,
    )


def models() -> dict[str, Model]:
    """Every model of the catalog by name, weights as released and a bf16 cache."""
    return {name: model(name) for name in _model_rows()}


def training_tokens(name: str) -> Any:
    """Tokens that the catalog's model read in pre-training, or `Unknown`."""
    found = find(name, "model", "models")
    tokens = _number(_model_rows()[found]["train_tokens_t"], 1e12)
    return Unknown("training_tokens", found) if tokens is None else tokens


def checkpoint(name: str, weights: str = "", cache: str = "bf16") -> Checkpoint:
    """The released checkpoint that a name means (`names.named`), layers and parts.

    `weights` stores it anew ("fp8", "nvfp4", "awq", "Q4_K_M": `Checkpoint.with_weights`); left
    out, or as it was released, it is the release. `cache` is how keys and values are kept.

    >>> small = checkpoint("Qwen2.5-7B")
    >>> round(small.n_total), [(g.kind, g.layers) for g in small.groups]
    (7615616512, [('full', 28)])
    """
    meant = named(name)
    return _checkpoint(meant.name, weights or meant.weights, cache)


@functools.lru_cache(maxsize=1024)
def _checkpoint(name: str, weights: str, cache: str) -> Checkpoint:
    row = _checkpoint_rows()[name]
    released = from_config(configuration(row["config"] or name), cache, name=name)
    if weights and weights.lower() != row["weights"]:
        return released.with_weights(weights)
    return released


def checkpoints() -> tuple[str, ...]:
    """The names of all checkpoints, in the order of the table."""
    return tuple(_checkpoint_rows())


def released_weights(name: str) -> str:
    """The format that a checkpoint's weights were released in: "bf16", "fp8", "fp4+fp8"."""
    return _checkpoint_rows()[find(name, "checkpoint", "checkpoints")]["weights"]


@functools.cache
def _checkpoint_rows() -> dict[str, dict[str, str]]:
    return {r["name"]: r for r in table("checkpoints")}


@functools.cache
def _configurations() -> dict[str, dict[str, Any]]:
    text = (resources.files("memwall.core") / "data" / "configs.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def configuration(name: str) -> dict[str, Any]:
    """The keys of a release's config.json that say what it is; "like" another, with its own over them."""
    own = dict(_configurations()[name])
    return {**configuration(own.pop("like")), **own} if "like" in own else own


def memory_device(name: str) -> MemoryDevice:
    """The catalog's memory device of that name or unambiguous beginning."""
    return memory_devices()[find(name, "memory device", "memory")]


def rack(name: str) -> Rack:
    """The catalog's rack of that name, alias or unambiguous beginning: rack("NVL72")."""
    return racks()[find(name, "rack", "racks")]
