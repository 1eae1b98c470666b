"""Compiles every kernel of the given models with another vendor's compiler and judges what it says of them.

check_pipelines.py PIPELINE_STATISTICS WITH_DRIVER TARGET JSON_FOLDER MODEL...; with --contraction instead: the first model
in exact mode must hold no fused multiply-add, and without the decorations that forbid them must hold some.
Out: JSON_FOLDER/TARGET-MODEL.json, a line for each model; status 1 if a kernel does not compile or, where the driver tells
of spills and its registers are counted (radeon, nouveau), if one spills. 77 where the driver is not there.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

SPILLS = {
    "radeon": ["Spilled SGPRs", "Spilled VGPRs", "Scratch size"],
    "nouveau": ["Spills to mem", "Spills to reg", "Fills from mem"],
}


def kernels_of(program, with_driver, target, model, *options):
    command = [with_driver, f"farm/{target}", program, model, *options]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 77:
        print(done.stderr.strip())
        sys.exit(77)
    if done.returncode != 0:
        print(f"WRONG {model}: status {done.returncode}: {done.stderr.strip()[-600:]}")
        return None
    return json.loads(done.stdout)["kernels"]


def spilling(kernel, names):
    statistics = kernel["statistics"]
    return [f"{name} {statistics[name]}" for name in names if int(statistics.get(name, 0)) > 0]


def check_models(program, with_driver, target, folder, models):
    failed, names = 0, SPILLS.get(target.split("/")[0], [])
    for model in models:
        kernels = kernels_of(program, with_driver, target, model)
        if not kernels:
            failed += 1
            continue
        stem = pathlib.Path(model).stem
        (folder / f"{target.replace('/', '_')}-{stem}.json").write_text(json.dumps(kernels, indent=1) + "\n")
        told = [k for k in kernels if any(name in k["statistics"] for name in names)]
        spills = [f"{k['name']} ({k['schedule']}): {', '.join(s)}" for k in kernels if (s := spilling(k, names))]
        wrong = bool(spills) or (bool(names) and len(told) != len(kernels))
        print(("WRONG" if wrong else "ok   "), stem, f"{len(kernels)} kernels compile, {len(told)} tell of spills, {len(spills)} spill",
              f"slowest {max(k['compile_ms'] for k in kernels)} ms", *spills, sep="\n      " if spills else " ")
        failed += wrong
    return failed


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
    program, with_driver, target, folder, *models = sys.argv[1:]
    if models[0] == "--contraction":
        return 1 if check_contraction(program, with_driver, target, models[1]) else 0
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return 1 if check_models(program, with_driver, target, folder, models) else 0


if __name__ == "__main__":
    sys.exit(main())
