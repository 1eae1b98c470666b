"""Compiles every kernel of the given models with another vendor's compiler and judges what it says of them.

check_pipelines.py PIPELINE_STATISTICS WITH_DRIVER TARGET JSON_FOLDER MODEL...; of MODEL:f16 what memory keeps is f16. With
--contraction instead: the first model in exact mode must hold no fused multiply-add, and without the decorations that forbid
them must hold some.
check_pipelines.py --renew JSON_FOLDER writes expected.json anew from what the last runs left there.
Out: JSON_FOLDER/TARGET.json, each kernel's registers, spills, occupancy and instructions under the names of READ and DRIVERS
beside the driver's own, and what bounds it by the cost model; a line for each model. Of a model that the device cannot run: what it
lacks. Status 1 if a kernel does not compile, takes more than the device's limits, spills where nothing may, has too few waves
where memory bounds it, or does worse than expected.json; 77 where the driver is not there.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

EXPECTED = pathlib.Path(__file__).with_name("expected.json")
RENEW = "python3 tests/farm/check_pipelines.py --renew"
# What Tuff reads of the driver's statistics itself, under their names in observations.
READ = ("registers", "spills", "occupancy")
# What else is looked at, and what is told on stderr alone. Ours on the left, the driver's on the right.
DRIVERS = {
    "radeon": {"scratch_bytes": "Scratch size", "instructions": "Instructions"},
    "nouveau": {"scratch_bytes": "SLM size", "instructions": "Instruction count"},
    "intel": {"scratch_bytes": "Scratch Memory Size", "instructions": "Instructions"},
    "freedreno": {"instructions": "Instruction Count"},
    "v3d": {"registers": "max-temps", "scratch_bytes": "Spill Size", "instructions": "Instruction Count"},
    "mali": {"registers": "registers", "spills": "spills", "occupancy": "threads", "instructions": "inst"},
}
# What a register and an occupancy are.
UNITS = {
    "radeon": ("vector registers, one word a lane", "waves a SIMD"),
    "nouveau": ("words a lane", "warps a multiprocessor"),
    "intel": ("32 bytes a thread, as many as live at once before scheduling", "lanes a thread"),
    "freedreno": ("four words a lane", "waves a core"),
    "v3d": ("words a lane, as many as live at once", "threads a processor"),
    "mali": ("words a lane: the 32 or 64 that a thread gets, as no exact number is told", "threads to 64 registers"),
}
# Where a spill is wrong whatever expected.json says, and where more registers are.
NO_SPILLS = ("radeon", "nouveau", "intel")
MOST_REGISTERS = {"freedreno": 64, "v3d": 64}
# Waves a SIMD that hide the latency of memory, where that bounds a kernel: 256 lanes, half of what a SIMD holds, are 8 waves of
# 32 on RDNA and 4 of 64 on GCN; with the lanes of a wave and the SIMDs of a compute unit, which tell whether there are so many.
MEMORY_WAVES = {"radeon/navi21": (8, 32, 2), "radeon/polaris10": (4, 64, 4)}
# Mali tells all on stderr, in a line a compiled shader, and v3d its registers, where it is asked to.
PRINTED = re.compile(r"^SHADER-DB\b.* shader: (.*)$", re.MULTILINE)
PRINTING = {"V3D_DEBUG": "shaderdb"}


def printed_statistics(text):
    """"5 inst, 2 threads, 0:0 spills:fills" as a dictionary; of several lines (a compiler's tries) the last."""
    lines, found = PRINTED.findall(text), {}
    for part in lines[-1].split(", ") if lines else []:
        numbers, names = part.split(" ", 1)
        found.update(zip(names.split(":"), numbers.split(":")))
    return found


def read_fields(driver, kernel):
    told = kernel["statistics"]
    if driver == "mali" and "threads" in told:
        told["registers"] = str(64 // int(told["threads"]))
    for field in READ:
        kernel[field] = kernel["usage"].get(field)
    for field, name in DRIVERS[driver].items():
        kernel[field] = int(told[name]) if name in told else None


def compile_model(program, with_driver, target, model):
    path, _, precision = model.partition(":")
    command = [with_driver, f"farm/{target}", program, path, *([f"--{precision}"] if precision else [])]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **PRINTING})
    if done.returncode == 77:
        print(done.stderr.strip())
        sys.exit(77)
    refused = re.search(r"^UNSUPPORTED: .*", done.stderr, re.MULTILINE)
    if done.returncode != 0 and refused:
        return {"unsupported": refused[0]}
    if done.returncode != 0:
        print(f"WRONG {model}: status {done.returncode}: {done.stderr.strip()[-600:]}")
        return None
    compiled = json.loads(done.stdout)
    _, *printed = re.split(r"^kernel .*\n", done.stderr, flags=re.MULTILINE)
    for kernel, text in zip(compiled["kernels"], printed, strict=True):
        kernel["statistics"].update(printed_statistics(text))
        read_fields(target.split("/")[0], kernel)
    return compiled


def summary_of(kernels):
    return {
        "kernels": len(kernels),
        "registers": max(k["registers"] for k in kernels),
        "spills": sum(k["spills"] for k in kernels),
        "occupancy": min(k["occupancy"] for k in kernels),
    }


def waves_wanted(target, kernel, compute_units):
    """Of a kernel that memory bounds: as many waves a SIMD as hide its latency, or as its workgroups have."""
    if target not in MEMORY_WAVES or kernel["bound"] != "memory":
        return 0
    most, lanes, simds = MEMORY_WAVES[target]
    waves = kernel["workgroups"] * -(-kernel["invocations"] // lanes)
    return min(most, -(-waves // (compute_units * simds)))


def wrongs_of(target, compiled):
    """What is wrong by itself: statistics that the driver no longer tells, limits, spills, too few waves."""
    driver = target.split("/")[0]
    for kernel in compiled["kernels"]:
        name = f"{kernel['name']} ({kernel['schedule']})"
        untold = [field for field in {*READ, *DRIVERS[driver]} if kernel[field] is None]
        yield from (f"{name}: the driver does not tell {field}." for field in untold)
        if untold:
            continue
        for limit, most in compiled["limits"].items():
            if kernel[limit] > most:
                yield f"{name} takes {kernel[limit]} {limit}; the device has {most}."
        if driver in NO_SPILLS and (kernel["spills"] or kernel["scratch_bytes"]):
            yield f"{name} spills {kernel['spills']} registers and has {kernel['scratch_bytes']} bytes of scratch."
        if kernel["registers"] > MOST_REGISTERS.get(driver, kernel["registers"]):
            yield f"{name} takes {kernel['registers']} registers, more than {MOST_REGISTERS[driver]}."
        wanted = waves_wanted(target, kernel, compiled["compute_units"])
        if kernel["occupancy"] < wanted:
            yield f"{name} is bound by memory; it has {kernel['occupancy']} waves a SIMD, wanted are {wanted}."


def compare(found, expected):
    """Sentences on what is worse, and on what is better, than expected.json has it."""
    worse, better = [], []
    for field, sign in (("registers", 1), ("spills", 1), ("occupancy", -1)):
        difference = sign * (found[field] - expected[field])
        if difference:
            (worse if difference > 0 else better).append(f"{field} {found[field]}, expected {expected[field]}")
    return worse, better


def check_models(program, with_driver, target, folder, models):
    expected = json.loads(EXPECTED.read_text()).get(target, {"models": {}})
    unit_of_registers, unit_of_occupancy = UNITS[target.split("/")[0]]
    report = {"target": target, "units": {"registers": unit_of_registers, "occupancy": unit_of_occupancy}, "models": {}}
    failed, renewable, path = 0, False, folder / f"{target.replace('/', '_')}.json"
    path.unlink(missing_ok=True)
    for model in models:
        stem = pathlib.Path(model).stem + "_f16" * model.endswith(":f16")
        compiled = compile_model(program, with_driver, target, model)
        if not compiled:
            failed += 1
            continue
        if "unsupported" in compiled:
            report["models"][stem] = compiled
            wrong = expected["models"].get(stem) != compiled
            print("WRONG" if wrong else "ok   ", f"{stem} {compiled['unsupported']}")
            failed += wrong
            continue
        kernels = compiled["kernels"]
        report.update({name: compiled[name] for name in ("device", "driver", "limits")})
        wrongs, better, found = list(wrongs_of(target, compiled)), [], None
        if all(k[field] is not None for k in kernels for field in ("registers", "spills", "occupancy")):
            found = summary_of(kernels)
        report["models"][stem] = {**(found or {}), "compiled": kernels}
        if "driver" in expected and expected["driver"] != compiled["driver"]:
            print(f"      not compared: expected.json is of {expected['driver']}, this is {compiled['driver']}")
        elif "registers" not in expected["models"].get(stem, {}):
            wrongs.append(f"expected.json has no {stem} on {target}; {RENEW} {folder} adds it.")
        elif found:
            worse, better = compare(found, expected["models"][stem])
            wrongs += worse
        figures = f"at most {found['registers']} registers, at least {found['occupancy']} {unit_of_occupancy}, " \
                  f"{found['spills']} spills" if found else "figures missing"
        print("WRONG" if wrongs else "ok   ", f"{stem} {len(kernels)} kernels compile: {figures}, slowest",
              f"{max(k['compile_ms'] for k in kernels)} ms")
        for line in wrongs + [f"better: {b}" for b in better]:
            print("     ", line)
        failed += bool(wrongs)
        renewable = renewable or bool(better)
    path.write_text(json.dumps(report, indent=1) + "\n")
    if renewable:
        print(f"Some figures are better than expected.json; to keep them so: {RENEW} {folder}")
    return failed


def renew(folder):
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    for path in sorted(folder.glob("*.json")):
        report = json.loads(path.read_text())
        old = expected.get(report["target"], {})
        models = old["models"] if old.get("driver") == report["driver"] else {}
        for name, model in report["models"].items():
            if "registers" in model or "unsupported" in model:
                models[name] = {field: value for field, value in model.items() if field != "compiled"}
        expected[report["target"]] = {"driver": report["driver"], "models": models}
    rows = []
    for target, of in sorted(expected.items()):
        models = ",\n".join(f"   {json.dumps(name)}: {json.dumps(row)}" for name, row in of["models"].items())
        driver = json.dumps(of["driver"])
        rows.append(f' {json.dumps(target)}: {{\n  "driver": {driver},\n  "models": {{\n{models}\n  }}\n }}')
    EXPECTED.write_text("{\n" + ",\n".join(rows) + "\n}\n")


# Drivers that run here never fuse a product and a sum, so that only another vendor's machine code shows that the
# decorations of exact mode are there and matter.
FUSED = re.compile(r"\bv_(?:dual_)?(?:pk_)?(?:fma|fmac|mad|mac)[a-z]*_f(?:16|32)")
PRODUCT = re.compile(r"\bv_(?:dual_)?mul_f32")


def check_contraction(program, with_driver, target, model):
    counts = {}
    for options in (["--exact"], ["--exact", "--undecorated"]):
        command = [with_driver, f"farm/{target}", program, model, *options]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "RADV_DEBUG": "asm"})
        if done.returncode:
            print(done.stderr.strip()[-600:])
            sys.exit(77 if done.returncode == 77 else 1)
        code = done.stdout + done.stderr
        counts[options[-1]] = len(FUSED.findall(code)), len(PRODUCT.findall(code))
    (fused, products), (undecorated, _) = counts["--exact"], counts["--undecorated"]
    wrong = fused != 0 or products == 0 or undecorated == 0
    print(("WRONG" if wrong else "ok   "), f"{fused} fused multiply-adds and {products} products decorated, {undecorated} fused not")
    return wrong


def main():
    if sys.argv[1] == "--renew":
        renew(pathlib.Path(sys.argv[2]))
        return 0
    program, with_driver, target, folder, *models = sys.argv[1:]
    if models[0] == "--contraction":
        return 1 if check_contraction(program, with_driver, target, models[1]) else 0
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return 1 if check_models(program, with_driver, target, folder, models) else 0


if __name__ == "__main__":
    sys.exit(main())
