"""tuff run: inputs from files, outputs to files."""

import unittest

from command import CommandTest
from tensors import npy_bytes, npz_bytes, read_npy, write_npy

CPU = ("--device", "cpu")

# y = x + 0.2 over pictures two wide.
BRIGHTER = """graph "brighter" {
  input %0 "x": f32[1, 3, 1, 2]
  %1: f32[1, 3, 1, 2] = constant splat(0.2) from "b"
  %2: f32[1, 3, 1, 2] = map.add %0, %1 from "Add_0"
  output %2 "y"
}
"""

# y = -x, of whose columns n are there.
SIZED = """graph "sized" {
  input %0 "x": f32[2, 3]
  input %1 "n": i32[]
  %2: f32[2, 3] = map.neg %0 from "Neg_0"
  %3: i32[] = map.abs %1 from "Abs_0"
  output %2 "y" axis 1 sized by "y.size"
  output %3 "y.size"
}
"""


class Run(CommandTest):
    def check_outputs(self):
        self.assertEqual(read_npy(self.folder / "out/sum.npy"), ("<f4", (2, 2), [11, 22, 33, 44]))
        # What a path cannot hold is replaced.
        self.assertEqual(read_npy(self.folder / "out/max_of_rows.npy"), ("<f4", (2, 1), [22, 44]))

    def test_npy_by_name(self):
        write_npy(self.folder / "a.npy", [1, 2, 3, 4], (2, 2))
        write_npy(self.folder / "b.npy", [10, 20, 30, 40], (2, 2))
        self.passes("run", "small.graph", "-i", "x=a.npy", "-i", "y=b.npy", "-o", "out", *CPU)
        self.check_outputs()

    def test_npz_stored_and_deflated(self):
        arrays = {"x": npy_bytes([1, 2, 3, 4], (2, 2)), "y": npy_bytes([10, 20, 30, 40], (2, 2))}
        for compressed in (False, True):
            (self.folder / "in.npz").write_bytes(npz_bytes(arrays, compressed))
            self.passes("run", "small.graph", "-i", "in.npz", "-o", "out", *CPU)
            self.check_outputs()

    def test_fortran_order_and_a_long_header_are_read(self):
        write_npy(self.folder / "x.npy", [1, 3, 2, 4], (2, 2), fortran=True)
        write_npy(self.folder / "y.npy", [10, 20, 30, 40], (2, 2), version=2)
        self.passes("run", "small.graph", "-i", "x.npy", "-i", "y.npy", "-o", "out", *CPU)
        self.check_outputs()

    def test_a_size_that_the_data_decide_is_the_files(self):
        (self.folder / "sized.graph").write_text(SIZED)
        inputs = {"x": npy_bytes([1, 2, 3, 4, 5, 6], (2, 3)), "n": npy_bytes([-2], (), "<i4")}
        (self.folder / "in.npz").write_bytes(npz_bytes(inputs, False))
        (self.folder / "expect.npz").write_bytes(npz_bytes({"y": npy_bytes([-1, -2, -4, -5], (2, 2))}, False))
        for outputs in ((), ("--value", "y")):
            said = self.passes("run", "sized.graph", "-i", "in.npz", "-o", "out", *outputs, *CPU)
            self.assertIn("y: f32 [2, 2]\ny.size: i32 []\n", said)
            self.assertEqual(read_npy(self.folder / "out/y.npy"), ("<f4", (2, 2), [-1, -2, -4, -5]))
            self.assertEqual(read_npy(self.folder / "out/y.size.npy"), ("<i4", (), [2]))
        self.passes("verify", "sized.graph", "-i", "in.npz", "--expect", "expect.npz", *CPU)
        self.passes("verify", "sized.graph", "-i", "in.npz", *CPU)

    def test_pixels_in_and_out(self):
        (self.folder / "brighter.graph").write_text(BRIGHTER)
        # Two pixels of BGRA in a row that is padded to 12 bytes.
        write_npy(self.folder / "x.npy", [10, 20, 30, 255, 40, 50, 60, 0, 9, 9, 9, 9], (1, 1, 12), "|u1")
        self.passes("run", "brighter.graph", "-i", "x.npy", "-o", "out", "--input-image", "x=bgra,rows=12",
                    "--output-image", "y=rgb", *CPU)
        self.assertEqual(read_npy(self.folder / "out/y.npy"), ("|u1", (1, 1, 2, 3), [81, 71, 61, 111, 101, 91]))
        # Turned on its side, cut to one pixel, doubled.
        write_npy(self.folder / "x.npy", [0, 0, 0, 100, 100, 100], (1, 2, 1, 3), "|u1")
        self.passes("run", "brighter.graph", "-i", "x.npy", "-o", "out", "--output-image", "y=rgb", "--input-image",
                    "x=rgb,size=1x2,crop=0:1:1x1,turn=6,resize=linear,mean=100:50:0,scale=0.1", *CPU)
        self.assertEqual(read_npy(self.folder / "out/y.npy")[2], [51, 255, 255, 51, 255, 255])

    def test_what_is_said_of_pixels_is_checked(self):
        (self.folder / "brighter.graph").write_text(BRIGHTER)
        for text in ("x", "x=cmyk", "x=rgb,size=4", "x=rgb,turn=0", "x=rgb,mean=a", "x=rgb,mean=1:2:3:4:5", "x=rgb,wide=1"):
            self.refuses(2, "'--input-image' takes NAME=rgb", "inspect", "brighter.graph", "--stage=graph", "--input-image", text)
        self.refuses(3, "has no such output", "inspect", "brighter.graph", "--stage=graph", "--output-image", "x=rgb")

    def test_what_is_missing_is_listed(self):
        write_npy(self.folder / "x.npy", [1, 2], (1, 2))
        err = self.refuses(2, "Inputs are missing", "run", "small.graph", "-i", "x.npy", *CPU)
        self.assertIn("'y' f32 [n, 2]", err)
        self.assertNotIn("'x'", err)
        self.refuses(2, "has no input 'z'", "run", "small.graph", "-i", "z=1", *CPU)
        self.refuses(2, "give them with --dim", "run", "small.graph", "--random-inputs", "1", *CPU)

    def test_wrong_dtype_and_shape_are_told_by_name(self):
        write_npy(self.folder / "x.npy", [1, 2], (1, 2), "<f8")
        write_npy(self.folder / "y.npy", [1, 2, 3], (1, 3))
        words = ("run", "small.graph", "--random-inputs", "1", "--dim", "n=1", *CPU)
        self.refuses(3, "The input 'x' is f32, the tensor is f64", *words, "-i", "x.npy")
        self.refuses(3, "Input 'y' is [n, 2], the given shape is [1, 3]", *words, "-i", "y.npy")

    def test_random_inputs_depend_on_the_seed_alone(self):
        results = []
        for seed in (1, 1, 2):
            self.passes("run", "small.graph", "--random-inputs", seed, "--dim", "n=3", "-o", "out", *CPU)
            results.append(read_npy(self.folder / "out/sum.npy"))
        self.assertEqual(results[0], results[1])
        self.assertNotEqual(results[0], results[2])
        self.assertTrue(all(-2 <= v <= 2 for v in results[0][2]))

    def test_shapes_and_ranges_can_be_fixed_at_load(self):
        text = self.passes("inspect", "small.graph", "--stage=graph", *CPU)
        self.assertIn("f32[n, 2]", text)

    def test_damaged_files_are_refused(self):
        whole = npy_bytes([1, 2], (1, 2))
        path = self.folder / "x.npy"
        for size in range(len(whole)):
            path.write_bytes(whole[:size])
            if size in (0, 5, 9, 11, 40, len(whole) - 1):
                self.refuses(3, "CORRUPT", "run", "small.graph", "-i", "x.npy", "--random-inputs", "1", *CPU)
        path.write_bytes(npy_bytes([1, 2], (1, 2)).replace(b"(1, 2)", b"(-1,2)"))
        self.refuses(3, "CORRUPT", "run", "small.graph", "-i", "x.npy", "--random-inputs", "1", *CPU)

    def test_damaged_archives_are_refused(self):
        arrays = {"x": npy_bytes([1, 2], (1, 2)), "y": npy_bytes([1, 2], (1, 2))}
        for compressed in (False, True):
            whole = npz_bytes(arrays, compressed)
            path = self.folder / "in.npz"
            for size in (0, 10, len(whole) // 2, len(whole) - 1):
                path.write_bytes(whole[:size])
                self.refuses(3, "CORRUPT", "run", "small.graph", "-i", "in.npz", *CPU)
            flipped = bytearray(whole)
            flipped[60] ^= 1  # inside the first member
            path.write_bytes(flipped)
            self.refuses(3, "CORRUPT", "run", "small.graph", "-i", "in.npz", *CPU)

    def test_an_output_folder_that_cannot_be_is_told(self):
        (self.folder / "file").write_text("")
        self.refuses(3, "IO: Cannot create the folder", "run", "chain.graph", "--random-inputs", "1", "-o", "file/out", *CPU)


if __name__ == "__main__":
    unittest.main()
