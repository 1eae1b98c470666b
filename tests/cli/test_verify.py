"""tuff verify against files: what it measures, what it reads, what it refuses."""

import json
import unittest

from command import CommandTest
from tensors import field_bytes, npy_bytes, npz_bytes, tensor_proto

CPU = ("--device", "cpu")
NAN = float("nan")


class Verify(CommandTest):
    def setUp(self):
        super().setUp()
        inputs = {"x": npy_bytes([1, 2, 3, 4], (2, 2)), "y": npy_bytes([10, 20, 30, 40], (2, 2))}
        (self.folder / "in.npz").write_bytes(npz_bytes(inputs, True))

    def expect(self, sums, tops=(22, 44)):
        arrays = {"sum": npy_bytes(sums, (2, 2)), "max/of:rows": npy_bytes(tops, (2, 1))}
        (self.folder / "out.npz").write_bytes(npz_bytes(arrays, False))

    def measured(self, code, *words):
        """The outputs by name, as --json gives them."""
        got, out, err = self.tuff("verify", "small.graph", "-i", "in.npz", "--expect", "out.npz", "--json", *words, *CPU)
        self.assertEqual(got, code, err)
        result = json.loads(out)
        self.assertEqual(result["passed"], code == 0)
        return {output["name"]: output for output in result["outputs"]}

    def test_right_expectations(self):
        self.expect([11, 22, 33, 44])
        for output in self.measured(0).values():
            self.assertEqual((output["max_abs"], output["max_rel"], output["share_of_tolerance"]), (0, 0, 0))
            self.assertAlmostEqual(output["cosine"], 1)
            self.assertEqual(output["top1_agreement"], 1)

    def test_a_wrong_expectation_is_measured(self):
        self.expect([11, 10, 33, 44])
        outputs = self.measured(1, "--atol", "1", "--rtol", "0.5")
        wrong = outputs["sum"]
        self.assertEqual((wrong["max_abs"], wrong["max_rel"], wrong["top1_agreement"]), (12, 1.2, 0.5))
        self.assertEqual(wrong["share_of_tolerance"], 2)  # 12 of 1 + 0.5 * 10
        self.assertEqual((wrong["beyond_tolerance"], wrong["elements"]), (1, 4))
        self.assertAlmostEqual(wrong["cosine"], (121 + 220 + 1089 + 1936) / (3630 * 3246) ** 0.5)
        self.assertTrue(outputs["max/of:rows"]["passed"])

    def test_a_nan_is_not_lost_behind_later_numbers(self):
        self.expect([11, NAN, 33, 44])
        wrong = self.measured(1, "--atol", "1e9")["sum"]
        self.assertEqual([wrong[key] for key in ("max_abs", "max_rel", "share_of_tolerance")], [None] * 3)
        self.expect([11, float("inf"), 33, 44])
        self.assertIsNone(self.measured(1, "--atol", "1e9")["sum"]["share_of_tolerance"])

    def test_nan_where_nan_is_due(self):
        inputs = {"x": npy_bytes([1, NAN, 3, 4], (2, 2)), "y": npy_bytes([10, 20, 30, 40], (2, 2))}
        (self.folder / "in.npz").write_bytes(npz_bytes(inputs, True))
        self.expect([11, NAN, 33, 44], (NAN, 44))
        self.assertEqual(self.measured(0)["sum"]["max_abs"], 0)

    def test_a_folder_as_onnx_keeps_them(self):
        data = self.folder / "test_data_set_0"
        data.mkdir()
        # The order tells which is which; the names inside need not be the model's.
        (data / "input_0.pb").write_bytes(tensor_proto([1, 2, 3, 4], (2, 2), "other"))
        (data / "input_1.pb").write_bytes(tensor_proto([10, 20, 30, 40], (2, 2), raw=False))
        (data / "output_0.pb").write_bytes(tensor_proto([11, 22, 33, 44], (2, 2)))
        (data / "output_1.pb").write_bytes(tensor_proto([22, 44], (2, 1), raw=False))
        words = ("verify", "small.graph", "-i", "test_data_set_0", "--expect", "test_data_set_0", *CPU)
        self.passes(*words)
        (data / "output_1.pb").write_bytes(tensor_proto([22, 45], (2, 1)))
        code, out, err = self.tuff(*words)
        self.assertEqual(code, 1, err)
        self.assertIn("FAIL max/of:rows: max abs 1", out)
        (data / "output_2.pb").write_bytes(tensor_proto([1], (1,)))
        self.refuses(2, "the model has 2", *words)
        (data / "output_2.pb").unlink()
        (data / "output_1.pb").unlink()
        self.refuses(2, "has no output 'max/of:rows'", *words)
        (data / "output_0.pb").unlink()
        self.refuses(3, "output_0.pb': No such file", *words)

    def test_one_pb_file_by_the_name_that_it_holds(self):
        (self.folder / "a.pb").write_bytes(tensor_proto([1, 2], (1, 2), "y"))
        (self.folder / "x.pb").write_bytes(tensor_proto([1, 2], (1, 2)))
        self.passes("run", "small.graph", "-i", "a.pb", "-i", "x.pb", *CPU)

    def test_a_pb_file_cut_at_any_byte_is_refused(self):
        whole = tensor_proto([1, 2], (1, 2), "x")
        for length in range(len(whole)):
            (self.folder / "cut.pb").write_bytes(whole[:length])
            self.refuses(3, "'cut.pb'", "run", "small.graph", "-i", "x=cut.pb", "--random-inputs", "1", *CPU)

    def test_pb_files_that_are_not_what_they_say(self):
        whole = tensor_proto([1, 2], (1, 2), "x")
        for content, message in (
            (tensor_proto([1, 2], (1, 3)), "holds 8 bytes of elements, and its shape [1, 3] needs 12"),
            (tensor_proto([1, 2], (2**63 - 1, 2**63 - 1)), "is no readable TensorProto"),
            (tensor_proto([1, 2], (1, 2), data_type=8), "ONNX's data type 8, which is not read"),
            (whole + field_bytes(13, b""), "lie in another file"),
            (whole + b"\xff" * 11, "is no field"),
        ):
            (self.folder / "bad.pb").write_bytes(content)
            self.refuses(3, message, "run", "small.graph", "-i", "x=bad.pb", "--random-inputs", "1", *CPU)

    def test_what_is_not_there(self):
        self.expect([11, 22, 33, 44])
        self.refuses(3, "none.npz': No such file", "verify", "small.graph", "-i", "in.npz", "--expect", "none.npz", *CPU)
        self.refuses(3, "none.npz': No such file", "verify", "small.graph", "-i", "none.npz", "--expect", "out.npz", *CPU)


if __name__ == "__main__":
    unittest.main()
