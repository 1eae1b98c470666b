"""tuff inspect, explain, compile and devices: what can be looked at without running."""

import json
import os
import unittest

from command import CommandTest


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
        self.refuses(2, "'--precision' takes model or f16_storage, not 'f8'", *words, "--precision", "f8")

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

    @unittest.skipUnless(os.environ.get("TUFF_CRASHING_LIBRARY"), "needs a library that crashes when it is loaded")
    def test_a_driver_that_crashes_is_a_sentence(self):
        icd = self.folder / "crash.json"
        library = os.environ["TUFF_CRASHING_LIBRARY"]
        icd.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": {"library_path": library, "api_version": "1.1.0"}}))
        self.refuses(3, "driver of this machine crashed", "devices", VK_ICD_FILENAMES=str(icd), VK_DRIVER_FILES=str(icd))


if __name__ == "__main__":
    unittest.main()
