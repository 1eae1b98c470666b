"""tuff inspect, explain, compile and devices: what can be looked at without running."""

import json
import os
import pathlib
import unittest

from command import CommandTest

ICDS = pathlib.Path("/usr/share/vulkan/icd.d")


PRODUCT = """graph "product" {
  input %0 "x": f32[2, 2]
  %1 "w": f32[2, 2] = constant list(1, 2, 3, 4) from "w"
  %2: f32[2, 2] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from "MatMul_0"
  output %2 "y"
}
"""


class Stages(CommandTest):
    def described(self):
        (self.folder / "cpu.txt").write_text(self.passes("devices", "--text", self.device_count() - 1))
        return "--as", "cpu.txt"

    def device_count(self):
        return len(json.loads(self.passes("devices", "--json"))["devices"])

    def test_every_stage_prints(self):
        device = self.described()
        expected = {
            "graph": "map.tanh",
            "simplified": "map.tanh",
            "layout": "row-major",
            "fusion": "",
            "kernels": "#version 450",
            "plan": "step 0",
            "bound": "",
            "spirv": "OpEntryPoint",
        }
        for stage, part in expected.items():
            text = self.passes("inspect", "chain.graph", f"--stage={stage}", *device)
            self.assertIn(part, text)
            self.assertTrue(text.endswith("\n"))
        self.assertTrue(self.passes("explain", "chain.graph", *device))

    def test_what_is_kept_in_f16_is_listed(self):
        device = self.described()
        (self.folder / "product.graph").write_text(PRODUCT)
        words = ("explain", "product.graph", *device)
        self.assertNotIn("f16", self.passes(*words))
        lowered = self.passes(*words, "--precision", "f16_storage")
        self.assertIn("as asked:\n  w f32[2, 2] to f16\n", lowered)
        rounded = self.passes(*words, "--precision", "f16")
        self.assertIn("  w f32[2, 2] to f16\n", rounded)
        self.assertGreater(rounded.count(" to f16\n"), lowered.count(" to f16\n"))
        self.refuses(2, "'--precision' takes model, f16_storage or f16, not 'f8'", *words, "--precision", "f8")

    def test_a_model_compiles_ahead_to_the_same_bytes_each_time(self):
        _, device = self.described()
        said = self.passes("compile", "chain.graph", "-o", "a.tuff", "--for", device, "--no-cache")
        self.passes("compile", "chain.graph", "-o", "b.tuff", "--for", device, "--no-cache")
        artifact = (self.folder / "a.tuff").read_bytes()
        self.assertEqual(artifact, (self.folder / "b.tuff").read_bytes())
        self.assertIn(f"{len(artifact)} bytes, for 1 named devices", said)
        self.assertTrue(artifact.startswith(b"\x89TUFF"))
        self.refuses(2, "-o FILE", "compile", "chain.graph")
        self.refuses(3, "nowhere", "compile", "chain.graph", "-o", "nowhere/a.tuff")

    def test_the_plan_counts(self):
        device = self.described()
        fused = json.loads(self.passes("inspect", "chain.graph", "--stage=plan", "--json", *device))
        self.assertEqual(fused["dispatch_count"], 1)
        self.assertEqual(fused["submit_count"], 1)
        self.assertEqual(fused["barrier_count"], 0)
        unfused = json.loads(self.passes("inspect", "chain.graph", "--stage=plan", "--json", "--no-fuse", *device))
        self.assertEqual(unfused["dispatch_count"], 2)
        self.assertEqual(unfused["barrier_count"], 1)
        self.assertGreaterEqual(unfused["arena_bytes"], 256)
        for key in ("weight_bytes", "kernel_count", "step_count"):
            self.assertIn(key, fused)
        for plan in (fused, unfused):
            for key in ("bytes_read", "bytes_written", "multiply_adds", "predicted_ns"):
                self.assertEqual(plan[key], sum(dispatch[key] for dispatch in plan["dispatches"]))
            self.assertEqual([d["step"] for d in plan["dispatches"]], list(range(plan["dispatch_count"])))
            self.assertGreater(min(d["workgroup_count"] for d in plan["dispatches"]), 0)
            self.assertGreater(plan["compute_unit_count"], 0)
        # Of 256 bytes each: x and y; unfused the value between them, too, and x once more.
        self.assertEqual((fused["bytes_read"], fused["bytes_written"], fused["least_bytes"]), (256, 256, 512))
        self.assertEqual((unfused["bytes_read"], unfused["bytes_written"], unfused["least_bytes"]), (768, 512, 1024))

    def test_a_chain_of_100000_nodes_is_planned_and_runs(self):
        count = 100_000
        nodes = [f'  %{i + 1}: f32[4] = map.tanh %{i} from "Tanh_{i}"' for i in range(count)]
        text = ['graph "long" {', '  input %0 "x": f32[4]', *nodes, f'  output %{count} "y"', "}"]
        (self.folder / "long.graph").write_text("\n".join(text))
        plan = json.loads(self.passes("inspect", "long.graph", "--stage=plan", "--json", *self.described()))
        self.assertTrue(0 < plan["dispatch_count"] < count / 50)
        self.assertEqual(self.passes("run", "long.graph", "--random-inputs", "1", "--device", "cpu"), "y: f32 [4]\n")

    def test_sizes_come_from_dim(self):
        device = self.described()
        self.refuses(3, "needs a value for the dimensions 'n'", "inspect", "small.graph", "--stage=bound", *device)
        self.passes("inspect", "small.graph", "--stage=bound", "--dim", "n=5", *device)
        self.refuses(3, "has no JSON", "inspect", "small.graph", "--stage=graph", "--json", *device)

    def test_a_text_that_is_no_device_is_refused(self):
        (self.folder / "bad.txt").write_text("this is { no device")
        self.refuses(3, "bad.txt", "inspect", "chain.graph", "--as", "bad.txt")
        self.refuses(3, "IO: Cannot open 'none.txt'", "inspect", "chain.graph", "--as", "none.txt")

    def test_devices_end_with_the_cpu(self):
        devices = json.loads(self.passes("devices", "--json"))["devices"]
        self.assertEqual(devices[-1]["name"], "cpu")
        self.assertEqual(devices[-1]["kind"], "software")
        self.assertIn("cpu", self.passes("devices"))
        self.refuses(2, "whole number from 0", "devices", "--text", len(devices))

    def test_no_driver_is_a_sentence(self):
        out = self.passes("devices", VK_ICD_FILENAMES="/nonexistent/icd.json", VK_DRIVER_FILES="/nonexistent/icd.json")
        self.assertIn("cpu", out)

    def driver(self, variable):
        """The environment in which the library that the variable names is the only driver."""
        library = os.environ.get(variable)
        if not library:
            self.skipTest(f"{variable} is not set")
        icd = self.folder / "icd.json"
        icd.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": {"library_path": library, "api_version": "1.1.0"}}))
        return {"VK_ICD_FILENAMES": str(icd), "VK_DRIVER_FILES": str(icd)}

    def test_a_driver_that_crashes_is_a_sentence(self):
        crashing = self.driver("TUFF_CRASHING_LIBRARY")
        self.refuses(3, "driver of this machine crashed", "devices", **crashing)
        words = ("run", "chain.graph", "--random-inputs", "1")
        self.refuses(3, "driver of this machine crashed", *words, "--time-limit", "60", **crashing)

    def test_a_driver_that_never_answers_is_a_sentence(self):
        hanging = self.driver("TUFF_HANGING_LIBRARY")
        self.refuses(3, "did not end within 1 seconds", "devices", "--time-limit", "1", **hanging)
        words = ("--random-inputs", "1", "--time-limit", "1")
        for verb in ("run", "bench", "verify"):
            self.refuses(3, f"'tuff {verb}' did not end within 1 seconds", verb, "chain.graph", *words, **hanging)

    def test_a_drivers_compiler_that_never_ends_is_a_sentence(self):
        stalling = self.driver("TUFF_STALLING_LIBRARY")
        behind = [json.loads(icd.read_text())["ICD"]["library_path"] for icd in ICDS.glob("lvp_icd*.json")]
        if not behind:
            self.skipTest("no lavapipe (Debian: mesa-vulkan-drivers)")
        stalling["TUFF_DRIVER_BEHIND"] = behind[0]
        self.assertIn("llvmpipe", self.passes("devices", **stalling))
        words = ("run", "chain.graph", "--random-inputs", "1", "--time-limit", "3")
        self.refuses(3, "'tuff run' did not end within 3 seconds", *words, **stalling)

    def test_a_time_limit_changes_nothing_else(self):
        words = ("run", "chain.graph", "--random-inputs", "1", "--device", "cpu", "--time-limit")
        self.assertEqual(self.passes(*words, "60"), "y: f32 [1, 64]\n")
        self.refuses(2, "whole number from 1", *words, "0")
        self.refuses(3, "Cannot open 'none.onnx'", "run", "none.onnx", "--random-inputs", "1", "--time-limit=60")


if __name__ == "__main__":
    unittest.main()
