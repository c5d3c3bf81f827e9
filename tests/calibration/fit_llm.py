"""Fit the constants of ``estimate_llm`` on measured serving energy, and say how wrong the estimates are on what was left out.

Run ``python tests/calibration/fit_llm.py`` with the measured rows at ``../shared/measured`` beside the project; without
them it says so and stops. What is fitted is the formulas of the tool themselves, on columns.

The loss is Huber's on the logarithm of estimate over measurement. Each architecture counts with the square root of its
rows, so that one model swept over many batches does not decide; each constant is drawn towards what physics gives
(``EXPECTED``) with the strength of one row-equivalent, so that leaving out an architecture moves it little. Rows of vLLM 0.5
carry a factor for that software, on everything and again on the step. Rows served with data-parallel attention (16 of
377) are left out of fitting, as no argument tells of it, and are scored.
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from kilowhat.tools.core.reference import Library
from kilowhat.tools.estimate_llm import ARITHMETIC, CONSTANTS, REQUEST, STEP

MEASURED = Path(__file__).resolve().parents[3] / "shared" / "measured"
ACCELERATORS = {"H100": "nvidia-h100-sxm", "B200": "nvidia-b200", "A100-40GB": "nvidia-a100-sxm-40gb"}

EXPECTED = {
    "step_s": (4.5e-4, 1.0),
    "weight_j": (0.42, 0.3),
    "utilisation": (0.615, 0.4),
    "cache_j": (0.0063, 0.5),
    "token_s": (3.7e-5, 0.6),
    "precision_exponent": (0.3, 0.1),
    "software": (1.49, 0.2),
    "software_step": (1.35, 0.4),
}
"""What each constant would be from data sheets and first principles, and how far (log-deviation; the exponent plainly) it may lie from there."""

NOISE = 0.3
"""Log-deviation of a row around a right formula: engine settings, clocks, lengths of prompts."""


def rows(name: str = "llm_dev.csv") -> dict[str, np.ndarray]:
    """Return the text rows of ML.ENERGY as columns."""
    with (MEASURED / name).open(encoding="utf-8") as file:
        told = [row for row in csv.DictReader(file) if row["modality"] == "text" and row["source"].startswith("mlenergy")]
    library = Library.load()
    power = {gpu: library.default("device-power", hardware=device).in_unit("W").value for gpu, device in ACCELERATORS.items()}
    peak = {gpu: library.default("device-peak-compute", hardware=device).in_unit("TFLOP/s").value for gpu, device in ACCELERATORS.items()}

    def numbers(column: str) -> np.ndarray:
        return np.array([float(row[column] or "nan") for row in told])

    columns = {
        "total_b": numbers("total_params_b"),
        "active_b": numbers("active_params_b"),
        "weight_bits": 8 * numbers("bytes_per_param"),
        "accelerators": numbers("n_gpus"),
        "batch": numbers("avg_batch"),
        "read_tokens": numbers("mean_input_tokens"),
        "fresh_tokens": numbers("mean_input_tokens"),
        "written_tokens": numbers("mean_output_tokens"),
        "power_w": np.array([power[row["gpu_model"]] for row in told]),
        "peak_tflop_per_s": np.array([peak[row["gpu_model"]] for row in told]),
        "measured_j": 3600 * numbers("energy_wh_per_request"),
        "itl_ms": numbers("median_itl_ms"),
        "data_parallel": numbers("dp"),
        "board_load": numbers("avg_power_w_per_gpu"),
        "old": np.array([float(row["source"] == "mlenergy-v2") for row in told]),
    }
    for column, label in (("family", "family"), ("gpu", "gpu_model")):
        columns[column] = np.array([row[label] for row in told])
    columns["architecture"] = np.array([f"{row['total_params_b']}/{row['active_params_b']}/{row['architecture']}" for row in told])
    return columns


def subset(columns: dict[str, np.ndarray], kept: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns with some of their rows."""
    return {name: column[kept] for name, column in columns.items()}


def request_energy_j(constants: dict[str, float], columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return the energy of a request on the boards, by the formulas of the tool."""
    values = {**columns, **constants, "precision": (columns["weight_bits"] / 16) ** constants["precision_exponent"]}
    values["arithmetic_j"] = 2 * columns["power_w"] / columns["peak_tflop_per_s"] / constants["utilisation"] / 1000
    values["step_s"] = constants["step_s"] * constants["software_step"] ** columns["old"]
    for formula in (STEP, ARITHMETIC, REQUEST):
        values[formula.name] = formula(**{name: values[name] for name in formula.inputs})
    return values[REQUEST.name] * constants["software"] ** columns["old"]


def errors(constants: dict[str, float], columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return the logarithm of estimate over measurement."""
    return np.log(request_energy_j(constants, columns) / columns["measured_j"])


def fit(columns: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the constants that fit the rows best."""
    columns = subset(columns, columns["data_parallel"] == 1)
    names, starts, widths = list(EXPECTED), *(np.array([told[place] for told in EXPECTED.values()]) for place in (0, 1))
    plain = np.array([name == "precision_exponent" for name in names])
    architectures, row_of, sizes = np.unique(columns["architecture"], return_inverse=True, return_counts=True)
    weight = sizes[row_of] ** -0.5
    scale = np.sqrt(weight / weight.mean() * 8 * len(architectures) / len(row_of)) / NOISE
    bend = 1.5

    def constants(moves: np.ndarray) -> dict[str, float]:
        return dict(zip(names, np.where(plain, starts + moves, starts * np.exp(moves)), strict=True))

    def residuals(moves: np.ndarray) -> np.ndarray:
        plain_residuals = scale * errors(constants(moves), columns)
        limit = bend * scale.mean() * NOISE
        huber = np.sign(plain_residuals) * np.sqrt(2 * limit**2 * (np.sqrt(1 + (plain_residuals / limit) ** 2) - 1))
        return np.concatenate([huber, moves / widths])

    return constants(least_squares(residuals, np.zeros(len(names))).x)


def left_out(columns: dict[str, np.ndarray], by: str) -> np.ndarray:
    """Return the errors of each row with constants fitted on the rows that differ in ``by``."""
    found = np.empty(len(columns["measured_j"]))
    for group in np.unique(columns[by]):
        inside = columns[by] == group
        found[inside] = errors(fit(subset(columns, ~inside)), subset(columns, inside))
    return found


def interval(error: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the ends of an 80 % interval, as factors, from the errors of the other groups alone."""
    low, high = np.empty(len(error)), np.empty(len(error))
    for group in np.unique(groups):
        inside = groups == group
        low[inside], high[inside] = spread_of(error[~inside])
    return low, high


def spread_of(error: np.ndarray) -> tuple[float, float]:
    """Return low and high of the factor that turns an estimate into a measurement: its 10 % and 90 % quantiles."""
    return float(np.exp(-np.quantile(error, 0.9))), float(np.exp(-np.quantile(error, 0.1)))


def figures(error: np.ndarray, low: np.ndarray | float = 1.0, high: np.ndarray | float = 1.0) -> dict[str, float]:
    """Return bias, median factor, shares within 1.5 and 2 times, and coverage and width of the interval."""
    size = np.abs(error)
    return {
        "rows": len(error),
        "bias": float(np.exp(error.mean())),
        "median_factor": float(np.exp(np.median(size))),
        "within_1_5": float((size <= math.log(1.5)).mean()),
        "within_2": float((size <= math.log(2)).mean()),
        "coverage": float(((np.log(low) <= -error) & (-error <= np.log(high))).mean()),
        "width": float(np.exp(np.mean(np.log(high) - np.log(low)))),
    }


def jackknife(columns: dict[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest value that each constant takes as one architecture after another is left out."""
    fits = [fit(subset(columns, columns["architecture"] != group)) for group in np.unique(columns["architecture"])]
    return {name: (min(found[name] for found in fits), max(found[name] for found in fits)) for name in EXPECTED}


def interactive(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return which rows are interactive servings: 16 requests or more at once, and a token every 50 ms."""
    return (columns["batch"] >= 16) & (columns["itl_ms"] <= 50)


def untold(columns: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the figures of interactive servings where the tool is told size and tokens alone, with its own interval.

    The estimate is moved to the constants fitted without the architecture of the row.
    """
    from kilowhat.tools import call

    kept = subset(columns, interactive(columns))
    found, low, high = (np.empty(len(kept["measured_j"])) for _ in range(3))
    deployed = {name: np.empty(len(found)) for name in ("accelerators", "batch")}
    for place in range(len(found)):
        told = {"total_parameters_b": "total_b", "active_parameters_b": "active_b", "input_tokens": "read_tokens", "output_tokens": "written_tokens"}
        estimate = call("estimate_llm", {name: float(kept[column][place]) for name, column in told.items()} | {"boundary": "accelerators"})
        energy = estimate.results[0]
        found[place], low[place], high[place] = energy.value * 3.6e6, (energy.low or 0) / energy.value, (energy.high or 0) / energy.value
        for name, column in deployed.items():
            column[place] = next(entry.value for entry in estimate.inputs if entry.name == name)
    library = Library.load()
    power, peak = (library.default(subject, hardware="nvidia-h100-sxm").quantity.value for subject in ("device-power", "device-peak-compute"))
    assumed = kept | deployed | {"power_w": np.full(len(found), power), "peak_tflop_per_s": np.full(len(found), peak), "weight_bits": np.full(len(found), 16.0), "old": np.zeros(len(found))}
    moved = np.empty(len(found))
    for group in np.unique(kept["architecture"]):
        inside = kept["architecture"] == group
        moved[inside] = request_energy_j(fit(subset(columns, columns["architecture"] != group)), subset(assumed, inside))
    return figures(np.log(moved / kept["measured_j"]), low, high)


def ecologits_energy_j(columns: dict[str, np.ndarray], *, count: bool, batch: bool) -> np.ndarray:
    """Return what ecologits computes for the GPUs alone: its energy per token times GPUs and tokens.

    The GPUs are those told, or as many as it takes itself; the batch is the one told, or its own of 64.
    """
    from ecologits.impacts.llm import BATCH_SIZE, GPU_ENERGY_ALPHA, GPU_ENERGY_BETA, GPU_ENERGY_GAMMA, GPU_MEMORY

    size = columns["batch"] if batch else BATCH_SIZE
    own = 2.0 ** np.ceil(np.log2(np.ceil(1.2 * columns["total_b"] * 2 / GPU_MEMORY)))
    per_token_wh = GPU_ENERGY_ALPHA * np.exp(GPU_ENERGY_BETA * size) * columns["active_b"] + GPU_ENERGY_GAMMA
    return 3600 * per_token_wh * columns["written_tokens"] * (columns["accelerators"] if count else own)


def narrow_weights(exponents: tuple[float, ...] = (0.25, 0.5, 0.9, 1.0), batch: float = 512.0) -> dict[str, list[float]]:
    """Return estimate over measurement of whole servers at 4 bits (MLPerf power), for each exponent on precision.

    Copies of 70 billion parameters are taken to sit on one accelerator, 405 billion on eight; the batch is assumed.
    """
    library = Library.load()
    constants = {name: library.fact(fact_id).quantity.value for name, (fact_id, _) in CONSTANTS.items()}
    shared = {"arithmetic_j": library.fact("nvidia-b200-serving-arithmetic").quantity.value, "power_w": library.default("device-power", hardware="nvidia-b200").quantity.value, "batch": batch}
    server = library.fact("llm-server-factor").quantity.value
    found = {}
    with (MEASURED / "mlperf_power.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["weights"] != "fp4" or not row["out_tokens"] or not row["assumed_in_tokens"]:
                continue
            size, read, written = (float(row[column]) for column in ("active_params_b", "assumed_in_tokens", "out_tokens"))
            told = constants | shared | {"active_b": size, "total_b": size, "accelerators": 1.0 if size < 100 else 8.0, "read_tokens": read, "fresh_tokens": read, "written_tokens": written}
            ratios = []
            for exponent in exponents:
                values = told | {"precision": (4 / 16) ** exponent}
                for formula in (STEP, ARITHMETIC, REQUEST):
                    values[formula.name] = formula.of(values)
                ratios.append(values[REQUEST.name] * server / written / float(row["system_j_per_unit"]))
            found[f"{row['model']} {row['scenario']}"] = ratios
    return found


def evaluation() -> dict[str, dict[str, float]]:
    """Return every figure that the README and the tests name, by what was left out."""
    columns = rows()
    modern = columns["old"] == 0
    by_architecture = left_out(columns, "architecture")
    error = by_architecture[modern]
    low, high = interval(error, columns["architecture"][modern])
    found = {"v3, architecture left out": figures(error, low, high)}
    shipped = shipped_error()
    found["v3, architecture left out, interval as shipped"] = figures(error, *shipped)
    found["v3, family left out"] = figures(left_out(columns, "family")[modern], *shipped)
    by_gpu = left_out(columns, "gpu")
    found["v3, GPU left out"] = figures(by_gpu[modern], *shipped_error("llm-model-error-unmeasured"))
    found["A100 (v2), GPU left out"] = figures(by_gpu[columns["gpu"] == "A100-40GB"], *shipped_error("llm-model-error-unmeasured"))
    found["v2, architecture left out"] = figures(by_architecture[~modern], *shipped)
    found["interactive, deployment not told"] = untold(columns)
    new = subset(columns, modern)
    asked = subset(columns, interactive(columns))
    for label, kept, told in (
        ("v3, ecologits told GPUs", new, {"count": True, "batch": False}),
        ("v3, ecologits told GPUs and batch", new, {"count": True, "batch": True}),
        ("interactive, ecologits, deployment not told", asked, {"count": False, "batch": False}),
    ):
        found[label] = figures(np.log(ecologits_energy_j(kept, **told) / kept["measured_j"]))
    return found


def shipped_error(fact_id: str = "llm-model-error") -> tuple[float, float]:
    """Return low and high of the error that the tool ships."""
    fact = Library.load().fact(fact_id)
    return float(fact.low or 1), float(fact.high or 1)


def main() -> int:
    """Print the constants with their range and the figures on what was left out."""
    if not (MEASURED / "llm_dev.csv").exists():
        print(f"Skipped: no measured rows at {MEASURED.parent.name}/{MEASURED.name} beside the project.")
        return 0
    columns = rows()
    found, ranges = fit(columns), jackknife(columns)
    library = Library.load()
    facts = {name: fact_id for name, (fact_id, _) in CONSTANTS.items()} | {"utilisation": "llm-utilisation", "precision_exponent": "llm-precision-exponent"}
    shipped = {name: library.fact(fact_id).quantity.value for name, fact_id in facts.items()}
    print(f"{'constant':20} {'fitted':>10} {'low':>10} {'high':>10} {'shipped':>10}")
    for name, value in found.items():
        print(f"{name:20} {value:10.3g} {ranges[name][0]:10.3g} {ranges[name][1]:10.3g} {shipped.get(name, math.nan):10.3g}")
    modern = columns["old"] == 0
    load = columns["board_load"][modern] / columns["power_w"][modern]
    batches = columns["batch"][interactive(columns)]
    print("concurrency of interactive servings, 10 %, median, 90 %:", np.quantile(batches, [0.1, 0.5, 0.9]).round(1))
    print("board load, 10 %, median, 90 %:", np.quantile(load, [0.1, 0.5, 0.9]).round(3))
    error = left_out(columns, "architecture")[modern]
    print("error factor, 10 % and 90 %, architecture left out:", np.round(spread_of(error), 3), "family left out:", np.round(spread_of(left_out(columns, "family")[modern]), 3))
    print("error factor, 10 % and 90 %, GPU left out:", np.round(spread_of(left_out(columns, "gpu")), 3))
    print("narrow weights, estimate over measurement at exponents 0.25, 0.5, 0.9, 1:")
    for label, ratios in narrow_weights().items():
        print(f"  {label:30}", np.round(ratios, 2))
    for label, figure in evaluation().items():
        print(f"{label:50}", "  ".join(f"{name} {value:.3f}" if name != "rows" else f"rows {value:.0f}" for name, value in figure.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
