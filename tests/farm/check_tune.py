"""tuff tune with another vendor's compiler: what it says of registers is written, and what it spills is left by the plan.

check_tune.py TUFF WITH_DRIVER TARGET FOLDER. A submit does nothing there, so that no schedule is faster and only the figures
decide. Status 77 where the driver is not there.
"""

import pathlib
import re
import subprocess
import sys

# Attention with rows of 256 values, of which an invocation holds as many as the device's rates let it.
NETWORK = """graph "network" {
  input %0 "q": f32[2, 256, 32]
  input %1 "k": f32[2, 256, 32]
  input %2 "v": f32[2, 256, 256]
  %3: f32[2, 256, 256] = contract %0, %1 {a=[0, 1, 3] b=[0, 2, 3] out=[0, 1, 2]} from "scores"
  %4: f32[2, 256, 1] = reduce.max %3 {axes=[2]} from "softmax"
  %5: f32[2, 256, 256] = broadcast %4 from "softmax"
  %6: f32[2, 256, 256] = map.sub %3, %5 from "softmax"
  %7: f32[2, 256, 256] = map.exp %6 from "softmax"
  %8: f32[2, 256, 1] = reduce.sum %7 {axes=[2]} from "softmax"
  %9: f32[2, 256, 256] = broadcast %8 from "softmax"
  %10: f32[2, 256, 256] = map.div %7, %9 from "softmax"
  %11: f32[2, 256, 256] = contract %10, %2 {a=[0, 1, 2] b=[0, 2, 4] out=[0, 1, 4]} from "weighted"
  output %11 "attended"
}
"""
LINE = re.compile(r'^compiled "([^"]*)" "([^"]*)" registers (\d+) spills (\d+) occupancy (\d+) shared_bytes \d+$', re.MULTILINE)
SCHEDULE = re.compile(r"^// kernel \S+: attend, (.*?)(?:, not the predicted '([^']*)', which spills (\d+) on this driver, observed)?$",
                      re.MULTILINE)


class Tuff:
    def __init__(self, program, with_driver, target, folder):
        self.command, self.folder = [with_driver, f"farm/{target}", program], folder

    def __call__(self, verb, *words):
        done = subprocess.run([*self.command, verb, "network.graph", *words], check=False, capture_output=True, text=True,
                              cwd=self.folder)
        if done.returncode:
            print(done.stderr.strip()[-600:])
            sys.exit(77 if done.returncode == 77 else 1)
        return done.stdout

    def attend(self, observations):
        return SCHEDULE.search(self("inspect", "--stage=kernels", "--observations", observations)).groups()


def main():
    program, with_driver, target, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.graph").write_text(NETWORK)
    tuff = Tuff(program, with_driver, target, folder)
    failed = False

    def check(holds, sentence):
        nonlocal failed
        print("ok   " if holds else "WRONG", sentence)
        failed = failed or not holds

    # With the rates as they are nothing spills; with registers that the device does not have, the predicted schedule does.
    for registers in (None, 4096):
        rate = f"rate registers_per_lane {registers}\n" if registers else ""
        (folder / "rates.txt").write_text(rate)
        predicted, *_ = tuff.attend("rates.txt")
        tuff("tune", "-o", "gpu.txt", "--observations", "rates.txt", "--budget", "4", "--no-rates", "--no-cache")
        text = (folder / "gpu.txt").read_text()
        figures = {schedule: [int(n) for n in rest] for key, schedule, *rest in LINE.findall(text) if key.startswith("attend ")}
        check(len(figures) > 1 and text.count("\ncompiled ") == len(LINE.findall(text)), f"{len(figures)} schedules have figures")
        check(all(r > 0 and o > 0 for r, _, o in figures.values()), "registers and occupancy are there")
        planned, instead_of, spills = tuff.attend("gpu.txt")
        check(planned in figures and figures[planned][1] == 0, f"the plan's '{planned}' does not spill")
        if registers is None:
            check(planned == predicted and instead_of is None, "it is the predicted one")
        else:
            check(instead_of == predicted and figures[predicted][1] == int(spills) > 0,
                  f"the predicted '{predicted}' spills {spills}")
        check("\nschedule " not in text, "nothing counts as faster where nothing runs")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
