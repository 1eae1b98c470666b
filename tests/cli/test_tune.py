"""tuff tune, and the verbs that take what it writes, on whatever Vulkan device this machine has; skipped without one."""

import json
import re
import unittest

from command import CommandTest

# A convolution and a product: kernels with schedules to choose from, large enough to be timed.
NETWORK = """graph "network" {
  input %0 "x": f32[1, 16, 30, 30]
  input %1 "rows": f32[64, 128]
  %2: f32[32, 16, 3, 3] = constant random(seed=1, scale=0.1) from "conv"
  %3: f32[1, 32, 28, 28] = window.conv %0, %2 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv"
  %4: f32[128, 96] = constant random(seed=2, scale=0.1) from "product"
  %5: f32[64, 96] = contract %1, %4 {a=[0, 1] b=[1, 2] out=[0, 2]} from "product"
  output %3 "image"
  output %5 "product"
}
"""
ENTRY = re.compile(r'schedule "([^"]*)" "([^"]*)"\n')


class Tune(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "network.graph").write_text(NETWORK)
        if len(json.loads(self.passes("devices", "--json"))["devices"]) < 2:
            self.skipTest("no Vulkan device")

    def outputs(self, folder, *words):
        self.passes("run", "network.graph", "--random-inputs", "7", "-o", folder, *words)
        return {file.name: file.read_bytes() for file in sorted((self.folder / folder).iterdir())}

    def test_exact_bits_are_the_same_in_every_schedule(self):
        plain = self.outputs("plain", "--exact")
        profile = ("profile", "network.graph", "--runs", "1", "--warmup", "0", "--json", "--exact")
        kernels = json.loads(self.passes(*profile))["kernels"]
        self.assertEqual(len({k["tuning_key"] for k in kernels}), 2)
        for choice in range(0, max(len(k["alternatives"]) for k in kernels), 3):
            lines = []
            for k in kernels:
                schedule = k["alternatives"][min(choice, len(k["alternatives"]) - 1)]
                self.assertNotEqual(schedule, k["schedule"])
                lines.append(f'schedule "{k["tuning_key"]}" "{schedule}"\n')
            (self.folder / "other.txt").write_text("".join(lines))
            explained = self.passes("explain", "network.graph", "--exact", "--observations", "other.txt")
            self.assertEqual(explained.count("  [tuned] "), 2)
            self.assertEqual(self.outputs(f"other_{choice}", "--exact", "--observations", "other.txt"), plain)

    def test_what_is_written_is_taken_and_changes_no_bits(self):
        plain = self.outputs("plain", "--exact")
        words = ("tune", "network.graph", "-o", "gpu.txt", "--budget", "3", "--share", "100", "--exact")
        result = json.loads(self.passes(*words, "--json"))
        self.assertGreaterEqual(result["rounds"], 1)
        self.assertGreaterEqual(result["schedules_timed"], 2)
        text = (self.folder / "gpu.txt").read_text()
        self.assertTrue(text.startswith("# tuff tune: " + result["device"]))
        for rate in ("dram_bytes_per_us", "fma_per_us", "launch_ns"):
            self.assertGreater(result["rates"][rate], 0)
            self.assertEqual(f"rate {rate} {result['rates'][rate]}\n" in text, result["rates"]["kept"])
        self.assertFalse((self.folder / "gpu.txt.part").exists())
        entries = dict(ENTRY.findall(text))
        self.assertEqual({k["key"]: k["schedule"] for k in result["kernels"]}, entries)
        # Drivers that run here tell nothing of registers; one that does has a line for each.
        self.assertEqual(text.count("\ncompiled "), len(result["compiled"]))
        for kernel in result["kernels"]:
            self.assertLess(kernel["ratio"], 1)
            self.assertGreater(kernel["after_ns"], 0)
        if entries:
            self.assertLess(result["run"]["ratio"], 1)
        tuned = ("--exact", "--observations", "gpu.txt")
        self.assertEqual(self.outputs("tuned", *tuned), plain)
        explained = self.passes("explain", "network.graph", *tuned)
        self.assertEqual(explained.count("  [tuned] "), len(entries))
        self.assertNotIn("[refused]", explained)
        for schedule in entries.values():
            self.assertIn(schedule + ", tuned", self.passes("inspect", "network.graph", "--stage=kernels", *tuned))

    def test_tuning_goes_on_from_what_there_was(self):
        (self.folder / "old.txt").write_text('# a remark\nrate launch_ns 4000\nschedule "of another network" "tile"\n')
        words = ("network.graph", "-o", "new.txt", "--budget", "1", "--no-rates", "--observations", "old.txt")
        table = self.passes("tune", *words)
        self.assertRegex(table, r"^timed +\d+ schedules of \d kinds of kernels in \d+ rounds\n")
        self.assertIn("written      new.txt\n", table)
        self.assertRegex(table, r"\ncompiled     (the driver says nothing of registers|\d+ schedules, of which the driver spills \d+)\n")
        text = (self.folder / "new.txt").read_text()
        self.assertIn('rate launch_ns 4000\nschedule "of another network" "tile"\n', text)
        self.assertNotIn("a remark", text)
        self.passes("bench", "network.graph", "--runs", "2", "--observations", "new.txt")

    def test_nothing_to_tune_is_no_error(self):
        self.assertIn("kept         nothing", self.passes("tune", "chain.graph", "-o", "gpu.txt", "--budget", "1"))
        self.assertTrue((self.folder / "gpu.txt").read_text().startswith("# tuff tune: "))
        self.passes("run", "chain.graph", "--random-inputs", "1", "-o", "out", "--observations", "gpu.txt")

    def test_what_fails_leaves_the_file(self):
        (self.folder / "gpu.txt").write_text("rate launch_ns 1\n")
        self.refuses(3, "IO: Cannot open 'nothing.onnx'", "tune", "nothing.onnx", "-o", "gpu.txt")
        (self.folder / "wrong.txt").write_text("schedule 3\n")
        wrong = ("tune", "network.graph", "-o", "gpu.txt", "--observations", "wrong.txt")
        self.refuses(3, "observations, line 1: a quoted string was expected", *wrong)
        self.assertEqual((self.folder / "gpu.txt").read_text(), "rate launch_ns 1\n")

    def test_bad_input_is_told(self):
        self.refuses(2, "Say with '-o FILE'", "tune", "network.graph")
        self.refuses(2, "whole number from 1", "tune", "network.graph", "-o", "gpu.txt", "--budget", "0")
        self.refuses(2, "whole number from 1 to 100", "tune", "network.graph", "-o", "gpu.txt", "--share", "101")
        self.refuses(3, "Cannot write 'none/gpu.txt", "tune", "network.graph", "-o", "none/gpu.txt")
        self.refuses(3, "Cannot open 'none.txt'", "run", "network.graph", "-o", "out", "--observations", "none.txt")
        self.refuses(2, "tune the model that it was made of", "tune", "network.tuff", "-o", "gpu.txt")
        (self.folder / "gpu.txt").write_text("")
        self.refuses(2, "'--observations' says how", "run", "network.tuff", "-o", "out", "--observations", "gpu.txt")
        cpu = ("tune", "network.graph", "-o", "gpu.txt", "--device", "cpu")
        self.refuses(3, "runs no kernels that could be profiled", *cpu)
        self.assertIn("--budget SECONDS", self.passes("tune", "--help"))


if __name__ == "__main__":
    unittest.main()
