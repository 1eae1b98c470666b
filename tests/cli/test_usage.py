"""Exit codes, help and messages."""

import unittest

from command import CommandTest


class Usage(CommandTest):
    def test_each_verb_helps_with_examples(self):
        overview = self.passes("--help")
        for verb in ("run", "bench", "profile", "inspect", "explain", "verify", "devices"):
            self.assertIn(f"  {verb} ", overview)
            text = self.passes(verb, "--help")
            self.assertIn(f"tuff {verb} ", text)
            self.assertIn("Examples:", text)

    def test_wrong_usage_is_2(self):
        self.refuses(2, "Usage")
        self.refuses(2, "'fly' is no verb", "fly")
        self.refuses(2, "'--wings' is no option of 'tuff run'", "run", "small.graph", "--wings")
        self.refuses(2, "'--device' needs a value", "run", "small.graph", "--device")
        self.refuses(2, "'--exact' takes no value", "run", "small.graph", "--exact=yes")
        self.refuses(2, "One model is needed, 0 were given", "run")
        self.refuses(2, "One model is needed, 2 were given", "run", "a", "b")
        self.refuses(2, "not 'x=1by2'", "run", "small.graph", "--shape", "x=1by2")
        self.refuses(2, "not 'n=9..3'", "run", "small.graph", "--range", "n=9..3")
        self.refuses(2, "not 'n=many'", "run", "small.graph", "--dim", "n=many")
        self.refuses(2, "whole number from 1", "bench", "small.graph", "--runs", "0")
        self.refuses(2, "whole number from 1", "run", "small.graph", "--submit-time-limit", "0")
        self.refuses(2, "exclude each other", "run", "small.graph", "--cache", "c", "--no-cache")
        self.refuses(2, "There is no stage 'soup'", "inspect", "small.graph", "--stage=soup")

    def test_what_the_library_refuses_is_3_with_its_sentence(self):
        self.refuses(3, "IO: Cannot open 'nothing.onnx'", "run", "nothing.onnx", "--random-inputs", "1")
        (self.folder / "bad.onnx").write_bytes(b"\x00\x01\x02 not a model")
        self.refuses(3, "CORRUPT", "run", "bad.onnx", "--random-inputs", "1")
        self.refuses(3, "'no such device'", "run", "chain.graph", "--random-inputs", "1", "--device", "no such device")
        self.refuses(3, "outside its range 1 to 64", "run", "small.graph", "--random-inputs", "1", "--dim", "n=65",
                     "--device", "cpu")

    def test_software_is_said_once_and_on_stderr(self):
        code, out, err = self.tuff("run", "chain.graph", "--random-inputs", "1", "--device", "cpu")
        self.assertEqual(code, 0)
        self.assertEqual(err.count("computes on the CPU"), 1)
        self.assertNotIn("\033", err)
        self.assertEqual(out, "y: f32 [1, 64]\n")

    def test_version(self):
        self.assertRegex(self.passes("--version"), r"^tuff \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
