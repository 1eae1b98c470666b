"""What was measured, as tables of Markdown and as JSON.

In: for each row the batches of each engine. Out: lines of text; plain dicts.
Invariant: a ratio is ncnn's time over Tuff's in one pair, and what is said of a row is the median of its pairs' ratios. A verdict
is given on ratios of this run alone: figures from another machine give a picture.
"""

import dataclasses
import statistics

from rows import ALL, MEAN_AIM


@dataclasses.dataclass
class Result:
    batches: dict  # by engine, in the order of the pairs
    cpu_layers: dict = dataclasses.field(default_factory=dict)  # of ncnn, by kind

    def median(self, engine, field):
        values = [getattr(batch, field) for batch in self.batches.get(engine, [])]
        return statistics.median(values) if values and None not in values else None

    def ratios(self, field):
        """ncnn's time over Tuff's in each pair."""
        pairs = zip(self.batches.get("ncnn", []), self.batches.get("tuff", []))
        times = [(getattr(a, field), getattr(b, field)) for a, b in pairs]
        return [a / b for a, b in times if a and b]

    def detail(self, key):
        batches = self.batches.get("tuff")
        return batches[0].details.get(key, "–") if batches else "–"


def milliseconds(value):
    return "–" if value is None else f"{value / 1e6:.1f}"


def markdown(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(map(str, cells)) + " |" for cells in lines]


def verdict(row, wall):
    aim = f"{row.aim}" + (f" ({row.note})" if row.note else "")
    return f"{aim}: {'met' if statistics.median(wall) >= row.aim else 'missed'}" if wall else aim


def row_cells(name, result, with_ncnn):
    row, wall, cpu = ALL[name], result.ratios("wall_ns"), result.ratios("cpu_ns")
    core_ns, known = result.median("tuff", "cpu_ns"), row.known_ncnn_core_ms
    ncnn_core = milliseconds(result.median("ncnn", "cpu_ns"))
    if not with_ncnn and known:
        ncnn_core = f"{known} (known)"
        cpu = [known * 1e6 / core_ns] if core_ns else []
    return [
        row.title,
        *(milliseconds(result.median(engine, "wall_ns")) for engine in ("tuff", "ncnn", "onnxruntime")),
        milliseconds(core_ns),
        ncnn_core,
        milliseconds(result.median("onnxruntime", "cpu_ns")),
        f"{statistics.median(wall):.2f} ({min(wall):.2f} to {max(wall):.2f})" if wall else "–",
        f"{statistics.median(cpu):.2f}" if cpu else "–",
        verdict(row, wall),
        f"{result.detail('dispatch_count')} in {result.detail('submit_count')}",
    ]


def summary(results):
    """The networks' mean and which rows miss their aim; None where no pair was measured."""
    medians = {name: statistics.median(result.ratios("wall_ns")) for name, result in results.items() if result.ratios("wall_ns")}
    if not medians:
        return None
    networks = [ratio for name, ratio in medians.items() if ALL[name].network]
    mean = statistics.geometric_mean(networks) if networks else None
    missed = [name for name, ratio in medians.items() if ratio < ALL[name].aim]
    return {
        "ratios": medians,
        "geometric_mean": mean,
        "missed": missed,
        "met": not missed and (mean is None or mean >= MEAN_AIM),
    }


def summary_lines(found):
    lines = []
    if found["geometric_mean"] is not None:
        mean = found["geometric_mean"]
        met = "met" if mean >= MEAN_AIM else "missed"
        lines.append(f"Geometric mean of the networks: {mean:.2f} times as fast as ncnn (aim {MEAN_AIM}: {met}).")
    count = len(found["ratios"])
    lines.append(f"{count - len(found['missed'])} of {count} rows meet their aim.")
    return lines


def cpu_layer_lines(results):
    """ncnn runs on the CPU what it has no Vulkan version of."""
    lines = []
    for name, result in results.items():
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(result.cpu_layers.items()))
        if kinds:
            lines.append(f"ncnn computes on the CPU, having no Vulkan version: {kinds} of {ALL[name].title}.")
    return lines


def table(results, with_ncnn):
    columns = ["model", "Tuff ms", "ncnn ms", "onnxruntime CPU ms", "Tuff core-ms", "ncnn core-ms", "onnxruntime core-ms"]
    columns += ["times as fast as ncnn (pairs)", "by core-ms", "aim, at least", "dispatches in submits"]
    lines = markdown(columns, [row_cells(name, result, with_ncnn) for name, result in results.items()])
    found = summary(results)
    notes = cpu_layer_lines(results) + (summary_lines(found) if found else [])
    return [*lines, "", *notes]


def first_table(rows):
    columns = ["first inference of SqueezeNet", "without cache, ms", "with cache, ms"]
    keys = ("without_cache_ns", "with_cache_ns")
    return markdown(columns, [[name, *(milliseconds(row[key]) for key in keys)] for name, row in rows.items()])


def host_table(result):
    columns = ["one run of 50 small kernels", "host thread, us", "wall, us"]
    rows = []
    for name in result.batches:
        times = [result.median(name, field) for field in ("host_ns", "wall_ns")]
        rows.append([name, *("–" if time is None else f"{time / 1e3:.0f}" for time in times)])
    return markdown(columns, rows)


def as_json(result):
    """Every batch, by engine."""
    batches = {engine: [vars(batch) for batch in some] for engine, some in result.batches.items()}
    return {"batches": batches, "ratios": result.ratios("wall_ns"), "ncnn_cpu_layers": result.cpu_layers}
