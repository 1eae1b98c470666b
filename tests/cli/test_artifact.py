"""Artifacts where a model is taken: run, verify, bench, inspect and explain, without a driver."""

import json
import unittest

from command import CommandTest
from tensors import npy_bytes, npz_bytes, read_npy

CPU = ("--device", "cpu")
# Some device with the guaranteed limits, and one that cannot run what needs 128 invocations.
DEVICE = 'name "some device"\n'
LEAST = 'name "least device"\nmax_workgroup_invocations 64\n'


class Artifact(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "some.txt").write_text(DEVICE)
        for name in ("small", "chain"):
            self.passes("compile", f"{name}.graph", "-o", f"{name}.tuff", "--for", "some.txt", "--no-cache")

    def test_run_knows_its_tensors_by_name(self):
        inputs = {"x": npy_bytes([1, 2], (1, 2)), "y": npy_bytes([10, 20], (1, 2))}
        (self.folder / "in.npz").write_bytes(npz_bytes(inputs, True))
        self.passes("run", "small.tuff", "-i", "in.npz", "-o", "out", *CPU)
        self.assertEqual(read_npy(self.folder / "out/sum.npy")[2], [11, 22])
        self.refuses(2, "'x' f32 [n, 2]", "run", "small.tuff", *CPU)
        self.refuses(2, "no input 'z'", "run", "small.tuff", "-i", "z=1", *CPU)

    def test_verify_with_and_without_expectations(self):
        out = self.passes("verify", "small.tuff", "--random-inputs", "3", "--dim", "n=5", *CPU)
        self.assertIn("ok   sum", out)
        self.assertIn(" of the bound", out)
        inputs = {"x": npy_bytes([1, 2], (1, 2)), "y": npy_bytes([10, 20], (1, 2))}
        (self.folder / "in.npz").write_bytes(npz_bytes(inputs, True))
        expected = {"sum": npy_bytes([11, 23], (1, 2)), "max/of:rows": npy_bytes([22], (1, 1))}
        (self.folder / "out.npz").write_bytes(npz_bytes(expected, False))
        code, out, err = self.tuff("verify", "small.tuff", "-i", "in.npz", "--expect", "out.npz", *CPU)
        self.assertEqual(code, 1, err)
        self.assertIn("FAIL sum: max abs 1", out)

    def test_bench_says_what_the_artifact_is(self):
        result = json.loads(self.passes("bench", "chain.tuff", "--runs", "1", "--json", *CPU))
        self.assertFalse(result["exact"])
        self.assertIn("artifact", result["stages_ns"])
        self.passes("compile", "chain.graph", "-o", "exact.tuff", "--exact", "--no-cache")
        self.assertTrue(json.loads(self.passes("bench", "exact.tuff", "--runs", "1", "--json", *CPU))["exact"])

    def test_what_was_compiled_can_be_looked_at_for_any_device(self):
        words = ("inspect", "small.tuff", "--as", "some.txt")
        self.assertEqual(self.passes(*words), self.passes("inspect", "small.graph", "--as", "some.txt"))
        model, artifact = (
            json.loads(self.passes("inspect", f"small.{kind}", "--as", "some.txt", "--stage=bound", "--dim", "n=5", "--json"))
            for kind in ("graph", "tuff")
        )
        self.assertEqual(model, artifact)
        self.assertIn('output %2 "sum"', self.passes(*words, "--stage=graph"))
        (self.folder / "least.txt").write_text(LEAST)
        self.refuses(3, "max_workgroup_invocations is 64", "inspect", "small.tuff", "--as", "least.txt")

    def test_what_cannot_be_answered_is_a_sentence(self):
        for stage in ("layout", "fusion", "kernels", "spirv"):
            message = f"keeps no stage '{stage}'"
            self.refuses(3, message, "inspect", "small.tuff", "--as", "some.txt", f"--stage={stage}")
        self.refuses(3, "keeps no stage 'explain'", "explain", "small.tuff", "--as", "some.txt")
        self.refuses(3, "there is no stage 'plan'", "inspect", "small.tuff", *CPU)
        self.refuses(3, "has no JSON", "inspect", "small.tuff", "--stage=graph", "--json", *CPU)
        for option in ("--exact", "--no-fuse"):
            self.refuses(2, f"'{option}' says how a model is compiled", "run", "small.tuff", "--random-inputs", "1", option, *CPU)
        self.refuses(2, "its own outputs alone", "verify", "small.tuff", "--random-inputs", "1", "--bisect", *CPU)
        (self.folder / "cut.tuff").write_bytes((self.folder / "small.tuff").read_bytes()[:-1])
        for verb in ("run", "bench", "verify", "inspect", "explain"):
            self.refuses(3, "CORRUPT: cut.tuff: ", verb, "cut.tuff", *CPU)
            self.refuses(3, "none.tuff", verb, "none.tuff", *CPU)


if __name__ == "__main__":
    unittest.main()
