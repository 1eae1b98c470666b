"""bench, verify and the cache, on whatever Vulkan device this machine has; skipped without one."""

import json
import os
import subprocess
import unittest

from command import CHAIN, CommandTest
from tensors import npy_bytes, npz_bytes, read_npy


def cache_warnings(err):
    """Others are the Vulkan loader's, of layers that the environment switches on."""
    return sum("warning: " in line and "warning: Vulkan: " not in line for line in err.splitlines())


class OnDevice(CommandTest):
    def setUp(self):
        super().setUp()
        devices = json.loads(self.passes("devices", "--json"))["devices"]
        if len(devices) < 2:
            self.skipTest("no Vulkan device")

    def test_bench_measures_what_it_says(self):
        result = json.loads(self.passes("bench", "small.graph", "--dim", "n=8", "--runs", "4", "--warmup", "1", "--json"))
        times = result["wall_ns"]
        self.assertTrue(0 < times["min"] <= times["p50"] <= times["p90"] <= times["p99"])
        self.assertEqual(result["runs"], 4)
        self.assertEqual(result["submit_count"], 1)
        self.assertGreaterEqual(result["dispatch_count"], 1)
        for key in ("first_run_ns", "load_ns", "compile_ns", "prepare_ns", "arena_bytes", "weight_bytes", "device", "driver"):
            self.assertIn(key, result)
        self.assertIn("run ", self.passes("bench", "chain.graph", "--runs", "1"))
        # The first run is split by predicted times, those that are counted by its own: far less than a minute.
        limited = json.loads(self.passes("bench", "chain.graph", "--submit-time-limit", "60000", "--runs", "2", "--json"))
        self.assertEqual(limited["submit_count"], 1)

    def test_verify_against_the_reference(self):
        for mode in ((), ("--exact",), ("--no-fuse",), ("--exact", "--no-fuse")):
            out = self.passes("verify", "chain.graph", "--random-inputs", "3", *mode)
            self.assertIn("ok   y", out)
            if "--exact" in mode:
                self.assertIn("bits same", out)

    def test_bisect_names_the_first_value_that_differs(self):
        # Fast mode takes max(0, -0) for -0, the reference for 0.
        (self.folder / "zeros.graph").write_text(
            """graph "zeros" {
  input %0 "x": f32[1, 2]
  input %1 "zero": f32[1, 2]
  %2 "negated": f32[1, 2] = map.neg %0 from "first"
  %3 "larger": f32[1, 2] = map.max %1, %2 from "second", "third"
  %4 "again": f32[1, 2] = map.neg %3 from "fourth"
  %5 "last": f32[1, 2] = map.neg %4 from "fifth"
  output %5 "y"
}
"""
        )
        zeros = {name: npy_bytes([0, 0], (1, 2)) for name in ("x", "zero")}
        (self.folder / "zeros.npz").write_bytes(npz_bytes(zeros, False))
        words = ("verify", "zeros.graph", "-i", "zeros.npz", "--bisect")
        self.assertNotIn("first beyond", self.passes(*words))
        self.passes(*words, "--exact")
        code, out, err = self.tuff(*words, "--bits")
        self.assertEqual(code, 1, err)
        self.assertIn("first beyond the tolerance: 'larger', of second, third: max abs 0", out)
        code, out, err = self.tuff(*words, "--bits", "--json")
        first = json.loads(out)["first_beyond"]
        self.assertEqual((first["value"], first["nodes"]), ("larger", "second, third"))

    def test_every_value_is_within_its_own_bound(self):
        out = self.passes("verify", "chain.graph", "--random-inputs", "3")
        self.assertRegex(out, r"ok   y: .*, 0\.\d+ of the bound, ")
        names = CHAIN.replace("%1:", '%1 "tanh":').replace("%2:", '%2 "product":')
        (self.folder / "named.graph").write_text(names)
        words = ("verify", "named.graph", "--random-inputs", "3", "--bisect")
        self.assertIn("each of 2 values from those before it: at most 0.", self.passes(*words))
        result = json.loads(self.passes(*words, "--json"))
        self.assertEqual((result["values"], result["worst_value"]["beyond_bound"]), (2, 0))
        self.assertIn(result["worst_value"]["nodes"], ("Tanh_0", "Mul_1"))
        self.assertNotIn("first_beyond_bound", result)

    def test_an_artifact_runs_as_its_model_does(self):
        (self.folder / "device.txt").write_text(self.passes("devices", "--text", "0"))
        self.passes("compile", "chain.graph", "-o", "chain.tuff", "--for", "device.txt")
        for source in ("graph", "tuff"):
            self.passes("run", f"chain.{source}", "--random-inputs", "5", "-o", source)
        self.assertEqual((self.folder / "graph/y.npy").read_bytes(), (self.folder / "tuff/y.npy").read_bytes())
        self.passes("verify", "chain.tuff", "--random-inputs", "5")
        self.assertEqual(self.passes("inspect", "chain.tuff"), self.passes("inspect", "chain.graph"))
        self.passes("compile", "chain.graph", "-o", "exact.tuff", "--for", "device.txt", "--exact")
        self.assertIn("bits same", self.passes("verify", "exact.tuff", "--random-inputs", "5"))

    def test_any_value_may_be_an_output(self):
        out = self.passes("run", "small.graph", "--random-inputs", "5", "--dim", "n=3", "--value", "max/of:rows")
        self.assertEqual(out, "max/of:rows: f32 [3, 1]\n")
        self.refuses(3, "There is no value 'none'", "run", "small.graph", "--random-inputs", "5", "--value", "none")

    def test_verify_against_files_and_its_exit_code(self):
        inputs = {"x": npy_bytes([1, 2], (1, 2)), "y": npy_bytes([10, 20], (1, 2))}
        (self.folder / "in.npz").write_bytes(npz_bytes(inputs, True))
        good = {"sum": npy_bytes([11, 22], (1, 2)), "max/of:rows": npy_bytes([22], (1, 1))}
        (self.folder / "good.npz").write_bytes(npz_bytes(good, False))
        bad = {**good, "sum": npy_bytes([11, 22.5], (1, 2))}
        (self.folder / "bad.npz").write_bytes(npz_bytes(bad, False))
        words = ("verify", "small.graph", "-i", "in.npz", "--expect")
        self.passes(*words, "good.npz")
        code, out, err = self.tuff(*words, "bad.npz")
        self.assertEqual(code, 1, err)
        self.assertIn("FAIL sum: max abs 0.5", out)
        self.assertIn("element 1: 22 instead of 22.5", out)
        self.passes(*words, "bad.npz", "--atol", "0.5")
        code, out, err = self.tuff(*words, "bad.npz", "--json")
        self.assertEqual(code, 1, err)
        result = json.loads(out)
        self.assertFalse(result["passed"])
        self.assertEqual([o["passed"] for o in result["outputs"]], [False, True])
        nan = {**good, "sum": npy_bytes([11, float("nan")], (1, 2))}
        (self.folder / "nan.npz").write_bytes(npz_bytes(nan, False))
        self.assertEqual(self.tuff(*words, "nan.npz", "--atol", "1000")[0], 1)

    def test_device_and_reference_write_the_same_files_in_exact_mode(self):
        words = ("run", "chain.graph", "--random-inputs", "5", "--exact")
        self.passes(*words, "-o", "gpu")
        self.passes(*words, "-o", "cpu", "--device", "cpu")
        self.assertEqual(read_npy(self.folder / "gpu/y.npy"), read_npy(self.folder / "cpu/y.npy"))

    def test_the_cache_is_kept_damaged_and_survived(self):
        words = ("run", "chain.graph", "--random-inputs", "5", "-o", "out", "--cache", "kernels")
        self.passes(*words)
        files = sorted((self.folder / "kernels").iterdir())
        self.assertTrue(any(f.suffix == ".spirv" for f in files))
        expected = read_npy(self.folder / "out/y.npy")
        for file in files:
            file.write_bytes(file.read_bytes()[:-1])
        code, out, err = self.tuff(*words)
        self.assertEqual(code, 0, err)
        self.assertEqual(cache_warnings(err), 1)
        self.assertEqual(read_npy(self.folder / "out/y.npy"), expected)
        code, out, err = self.tuff(*words)
        self.assertEqual(cache_warnings(err), 0)
        self.passes("run", "chain.graph", "--random-inputs", "5", "--no-cache")
        self.assertFalse((self.folder / "cache/tuff").exists())
        self.passes("run", "chain.graph", "--random-inputs", "5")
        self.assertTrue((self.folder / "cache/tuff").is_dir())

    def test_processes_share_a_cache_folder_without_a_word(self):
        # They start together, on an empty folder and on one that lacks an entry.
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        words = [os.environ["TUFF"], "run", "chain.graph", "--random-inputs", "5", "--no-fuse"]
        self.passes(*words[1:], "--no-cache", "-o", "alone")
        expected = read_npy(self.folder / "alone/y.npy")
        for turn in range(8):
            kernels = self.folder / f"kernels{turn // 2}"
            commands = [[*words, "--cache", str(kernels), "-o", f"out{i}"] for i in range(4)]
            running = [
                subprocess.Popen(c, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                for c in commands
            ]
            for i, process in enumerate(running):
                _, err = process.communicate()
                self.assertEqual(process.returncode, 0, err)
                self.assertEqual(cache_warnings(err), 0, err)
                self.assertEqual(read_npy(self.folder / f"out{i}/y.npy"), expected)
            self.assertEqual({file.suffix for file in kernels.iterdir()}, {".spirv", ".pipelines"})
            if turn % 2 == 0:
                min(kernels.iterdir()).unlink()

    def test_a_full_disk_costs_the_cache_and_no_run(self):
        # Every write past the first byte of a file fails, as on a full disk.
        limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh", os.environ["TUFF"]]
        words = ("run", "chain.graph", "--random-inputs", "5", "--cache", "kernels")
        done = subprocess.run([*limited, *words], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(cache_warnings(done.stderr), 1, done.stderr)
        self.assertEqual(list((self.folder / "kernels").iterdir()), [])
        done = subprocess.run([*limited, *words, "-o", "out"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("Cannot write 'out/y.npy': File too large", done.stderr)

    def test_a_gather_out_of_range_takes_the_nearest_element(self):
        (self.folder / "gather.graph").write_text(
            """graph "gather" {
  input %0 "x": f32[4]
  input %1 "at": i32[6]
  %2: f32[6] = gather %0, %1 {axis=0} from "Gather_0"
  output %2 "y"
}
"""
        )
        inputs = {"x": npy_bytes([10, 11, 12, 13], (4,)), "at": npy_bytes([0, -1, 4, 2**31 - 1, -5, -(2**31)], (6,), "<i4")}
        (self.folder / "in.npz").write_bytes(npz_bytes(inputs, False))
        for device in ((), ("--device", "cpu")):
            self.passes("run", "gather.graph", "-i", "in.npz", "-o", "out", *device)
            self.assertEqual(read_npy(self.folder / "out/y.npy")[2], [10, 13, 13, 13, 10, 10])

    @unittest.skipIf(os.geteuid() == 0, "root writes everywhere")
    def test_a_read_only_cache_is_one_warning(self):
        (self.folder / "kernels").mkdir(mode=0o500)
        code, out, err = self.tuff("run", "chain.graph", "--random-inputs", "5", "--cache", "kernels")
        self.assertEqual(code, 0, err)
        self.assertEqual(cache_warnings(err), 1)


if __name__ == "__main__":
    unittest.main()
