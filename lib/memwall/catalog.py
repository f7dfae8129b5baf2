"""The catalog: chips, models, memory devices, prices and measurements, each with its source.

Facts live in `data/*.csv` and nowhere else. A row without source, URL, date and
confidence is refused. A `Chip` becomes a `System` by saying how many and at which
precision; a catalog model becomes a `Model` by saying how its weights and its cache
are stored.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any

from .nouns import Model, Noun, System, Unknown, quantity, suggest
from .units import (
    BYTES_PER_ELEMENT,
    GB,
    GBIT,
    HOUR,
    TB,
    Bytes,
    BytesPerSecond,
    Count,
    DollarsPerByte,
    DollarsPerSecond,
    FlopPerSecond,
    InputError,
)

PROVENANCE = ("source", "url", "date", "confidence")
CONFIDENCE = ("high", "medium", "low")


def table(name: str) -> list[dict[str, str]]:
    """All rows of `data/<name>.csv` as dictionaries of text, provenance checked."""
    path = resources.files(__package__) / "data" / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for line, row in enumerate(rows, start=2):
        check_provenance(row, f"{name}.csv line {line}")
    return rows


def check_provenance(row: dict[str, str], where: str) -> None:
    """Refuse a fact without source, URL, date and a known confidence."""
    missing = [key for key in PROVENANCE if not (row.get(key) or "").strip()]
    if missing:
        raise InputError(
            f"{where} has no {', '.join(missing)}: a fact needs {', '.join(PROVENANCE)}"
        )
    if not row["url"].startswith(("https://", "http://")):
        raise InputError(f"{where}: url {row['url']!r} is not a web address")
    if row["confidence"] not in CONFIDENCE:
        raise InputError(f"{where}: confidence {row['confidence']!r} is none of {CONFIDENCE}")


@dataclass(frozen=True)
class Chip(Noun):
    """One accelerator: dense FLOP/s by precision, HBM, and its two networks in one direction."""

    name: str
    flops_bf16: FlopPerSecond = quantity("F_{16}", "dense bf16 FLOP/s of one chip")
    flops_fp8: FlopPerSecond = quantity("F_{8}", "dense fp8 FLOP/s of one chip")
    flops_fp4: FlopPerSecond = quantity("F_{4}", "dense fp4 FLOP/s of one chip")
    chip_bandwidth: BytesPerSecond = quantity("W_1", "HBM bandwidth of one chip")
    chip_capacity: Bytes = quantity("C_1", "HBM capacity of one chip")
    chip_scale_up: BytesPerSecond = quantity("W_{up,1}", "scale-up link of one chip, one direction")
    chip_scale_out: BytesPerSecond = quantity(
        "W_{out,1}", "network card of one chip, one direction"
    )
    domain: Count = quantity("G_{dom}", "chips in a scale-up domain")
    rent: DollarsPerSecond = quantity(r"\$_1", "rent of one chip, middle of the range seen")
    vendor: str = ""

    def precisions(self) -> list[str]:
        """Precisions whose dense rate is known, widest first."""
        return [p for p in ("bf16", "fp8", "fp4") if getattr(self, f"flops_{p}")]

    def flops(self, precision: str) -> Any:
        """Dense FLOP/s of one chip at a precision it has."""
        wanted = {"fp16": "bf16"}.get(precision, precision)
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
            name=f"{n:g} × {self.name} ({precision})" if isinstance(n, int | float) else self.name,
        )


@dataclass(frozen=True)
class MemoryDevice(Noun):
    """A place to keep a KV cache: how much it holds, how fast it gives it back, what it costs."""

    name: str
    tier: str
    capacity: Bytes = quantity("C", "capacity")
    bandwidth: BytesPerSecond = quantity("W", "read bandwidth")
    dollars_per_byte: DollarsPerByte = quantity(r"\$_B", "purchase price per byte")


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
            chip_bandwidth=_number(r["bandwidth_tb_per_s"], TB),
            chip_capacity=_number(r["capacity_gb"], GB),
            chip_scale_up=_number(r["scale_up_gb_per_s_one_way"], GB),
            chip_scale_out=_number(r["scale_out_gbit_per_s_one_way"], GBIT),
            domain=_number(r["domain_chips"]),
            rent=_middle(r["rent_usd_per_hour_low"], r["rent_usd_per_hour_high"], 1 / HOUR),
            vendor=r["vendor"],
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
def _model_rows() -> dict[str, dict[str, str]]:
    return {r["name"]: r for r in table("models")}


def chip(name: str) -> Chip:
    """The catalog's chip of that name, alias or unambiguous beginning: chip("H100")."""
    return chips()[_find(name, "chip", "chips")]


def model(name: str, weights: str = "", cache: str = "bf16") -> Model:
    """The catalog's model of that name: model("DeepSeek-V3", weights="fp8", cache="bf16").

    `weights` defaults to the precision the weights were released in (fp8 where that is not
    known); `cache` is how KV-cache elements are stored. Facts nobody published are `Unknown`.
    """
    row = _model_rows()[_find(name, "model", "models")]
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


def memory_device(name: str) -> MemoryDevice:
    """The catalog's memory device of that name or unambiguous beginning."""
    return memory_devices()[_find(name, "memory device", "memory")]


def bytes_per_element(precision: str) -> float:
    """Stored bytes of one number: bf16 2, fp8 1, fp4 0.5."""
    if precision not in BYTES_PER_ELEMENT:
        hint = suggest(precision, BYTES_PER_ELEMENT)
        raise InputError(
            f"unknown precision {precision!r}; known: {', '.join(BYTES_PER_ELEMENT)}.{hint}"
        )
    return BYTES_PER_ELEMENT[precision]


def _find(name: str, kind: str, table_name: str) -> str:
    """The catalog name meant by a name, an alias, or a beginning that only one entry has."""
    if not isinstance(name, str):
        raise InputError(f"a {kind} is asked for by name, not {name!r}")
    names: dict[str, str] = {}
    for row in table(table_name):
        for known in [row["name"], *filter(None, row.get("aliases", "").split("|"))]:
            names[known.lower()] = row["name"]
    if name.lower() in names:
        return names[name.lower()]
    begins = sorted({names[n] for n in names if name and n.startswith(name.lower())})
    if len(begins) == 1:
        return begins[0]
    if begins:
        raise InputError(f"{name!r} could be {', '.join(begins)}: say which {kind}")
    known = [r["name"] for r in table(table_name)]
    raise InputError(
        f"unknown {kind} {name!r}.{suggest(name, [*names, *known])} Known: {', '.join(known)}"
    )
