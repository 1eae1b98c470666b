"""Runs the command as a user would, in a folder that goes when the test ends."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SMALL = """graph "small" {
  symbol n in 1..64 step 1
  input %0 "x": f32[n, 2]
  input %1 "y": f32[n, 2]
  %2: f32[n, 2] = map.add %0, %1 from "Add_0"
  %3: f32[n, 1] = reduce.max %2 {axes=[1]} from "Max_1"
  output %2 "sum"
  output %3 "max/of:rows"
}
"""

# What some passes need: several nodes that become one kernel.
CHAIN = """graph "chain" {
  input %0 "x": f32[1, 64]
  %1: f32[1, 64] = map.tanh %0 from "Tanh_0"
  %2: f32[1, 64] = map.mul %1, %0 from "Mul_1"
  output %2 "y"
}
"""


class CommandTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "small.graph").write_text(SMALL)
        (self.folder / "chain.graph").write_text(CHAIN)

    def tuff(self, *words, **environment):
        """Exit code, stdout, stderr. The user's cache folder is the test's own."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), **environment}
        done = subprocess.run(
            [os.environ["TUFF"], *map(str, words)], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        self.assertIn(done.returncode, (0, 1, 2, 3), done.stderr)
        return done.returncode, done.stdout, done.stderr

    def passes(self, *words, **environment):
        code, out, err = self.tuff(*words, **environment)
        self.assertEqual(code, 0, err)
        return out

    def refuses(self, expected_code, expected_message, *words, **environment):
        code, out, err = self.tuff(*words, **environment)
        self.assertEqual(code, expected_code, err)
        self.assertIn(expected_message, err)
        return err
