"""The benchmark's rows from their files to the report, at sizes that take no time; and what it says, from figures that are
written down here.

In: the command `tuff`, or nothing: then, and where ncnn or the driver is not there, what needs them is skipped.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock
from xml.etree import ElementTree

import engines
import numpy as np
import plot
import report
import rows
import run
from ncnn_graph import Graph, plain, tagged
from ncnn_writer import write_ncnn
from network import Network

TUFF = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None


def in_folder(test):
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    return pathlib.Path(folder.name)


def batches(*milliseconds):
    return [engines.Batch(time * 1e6, time * 1e6, time * 1e5, {"dispatch_count": 5, "submit_count": 1}) for time in milliseconds]


def result(ours, theirs, **more):
    return report.Result({"tuff": batches(*ours), "ncnn": batches(*theirs)}, **more)


class Writers(unittest.TestCase):
    def setUp(self):
        self.folder = in_folder(self)

    def lines(self, name):
        return (self.folder / f"{name}.param").read_text().splitlines()

    def test_a_blob_with_two_readers_is_split(self):
        graph = Graph()
        graph.input("x", (2, 3, 4))
        graph.layer("ReLU", "relu", ["x"], ["y"])
        graph.layer("BinaryOp", "add", ["x", "y"], ["z"], "0=0")
        graph.write(self.folder, "net", "z")
        self.assertEqual(
            self.lines("net"),
            [
                "7767517",
                "4 5",
                "Input in 0 1 in 0=4 1=3 2=2",
                "Split x_split 1 2 in x_split_0 x_split_1",
                "ReLU relu 1 1 x_split_0 y",
                "BinaryOp add 2 1 x_split_1 y out 0=0",
            ],
        )

    def test_weights_follow_in_order_and_a_tag_is_four_bytes_of_zero(self):
        graph = Graph()
        graph.input("x", (2,))
        two = np.array([1.0, 2.0])
        graph.layer("InnerProduct", "fc", ["x"], ["y"], "0=1 1=1 2=2", [tagged(two), plain(two[:1])])
        graph.write(self.folder, "net", "y")
        expected = bytes(4) + np.array([1, 2, 1], "<f4").tobytes()
        self.assertEqual((self.folder / "net.bin").read_bytes(), expected)

    def test_all_slices_of_a_value_are_one_layer(self):
        net = Network("halves", seed=1, input_shape=(6, 4, 4))
        parts = [net.slice("input", "low", 0, 2), net.slice("input", "high", 2, 6)]
        net.shuffle(net.concat("concat", *reversed(parts)), "shuffle", 3)
        write_ncnn(net, self.folder)
        self.assertEqual(
            self.lines("halves")[2:],
            [
                "Input in 0 1 in 0=4 1=4 2=6",
                "Slice low 1 2 in low high -23300=2,2,4 1=0",
                "Concat concat 2 1 high low concat 0=0",
                "ShuffleChannel shuffle 1 1 concat out 0=3",
            ],
        )

    def test_slices_that_leave_channels_out_are_refused(self):
        net = Network("part", seed=1, input_shape=(6, 4, 4))
        net.slice("input", "low", 0, 2)
        with self.assertRaisesRegex(ValueError, "low is not one of slices that are all of input"):
            write_ncnn(net, self.folder)

    def test_files_are_made_once_for_their_sources(self):
        with mock.patch.dict(rows.ALL, tiny=rows.gemm_row(4)), mock.patch.object(rows, "sources_hash", return_value="a"):
            self.assertFalse(rows.is_made(self.folder, "tiny", "a"))
            for suffix in rows.SUFFIXES:
                (self.folder / f"tiny{suffix}").touch()
            (self.folder / "tiny.made").write_text("a")
            self.assertTrue(rows.is_made(self.folder, "tiny", "a"))
            self.assertFalse(rows.is_made(self.folder, "tiny", "b"))


class Report(unittest.TestCase):
    def test_a_ratio_is_of_pairs_and_its_median_meets_the_aim_or_not(self):
        found = report.summary({"resnet18": result([10, 10, 20], [20, 30, 30]), "gemm_1024": result([10], [30])})
        self.assertEqual(found["ratios"], {"resnet18": 2.0, "gemm_1024": 3.0})
        self.assertEqual((found["geometric_mean"], found["missed"], found["met"]), (2.0, ["gemm_1024"], False))

    def test_a_table_has_the_aim_beside_the_ratio(self):
        slow = result([10, 10], [11, 15], cpu_layers={"GELU": 12})
        text = "\n".join(report.table({"vit_b32_384": slow, "conv3x3_64_56": result([10], [20])}, True))
        self.assertIn("| 1.30 (1.10 to 1.50) | 1.30 | 3.0: missed | 5 in 1 |", text)
        self.assertIn("| 2.00 (2.00 to 2.00) | 2.00 | 1.3 (2 with Winograd): met | 5 in 1 |", text)
        self.assertIn("on the CPU, having no Vulkan version: 12 GELU of ViT-B/32", text)
        self.assertIn("1 of 2 rows meet their aim.", text)

    def test_without_ncnn_a_known_figure_stands_in_and_there_is_no_verdict(self):
        alone = {"resnet18": report.Result({"tuff": batches(67)})}
        self.assertIn("| 469 (known) | – | – | 7.00 | 1.3 | 5 in 1 |", "\n".join(report.table(alone, False)))
        self.assertIsNone(report.summary(alone))


class Batches(unittest.TestCase):
    def test_a_batch_is_about_as_long_as_asked_and_has_a_median_where_it_can(self):
        counts = [run.run_count(milliseconds * 1e6, 0.5) for milliseconds in (10, 120, 500, 1600, 1700, 30000)]
        self.assertEqual(counts, [50, 5, 3, 3, 1, 1])


class Plot(unittest.TestCase):
    def test_a_chart_is_xml_with_a_bar_for_each_row(self):
        bars = [plot.Bar("A & B", [1.0, 2.5], 1.3), plot.Bar("C", [0.5], 1.3)]
        root = ElementTree.fromstring(plot.chart(bars, "title", "subtitle"))
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertLessEqual({"A & B", "1.75", "C", "0.50", "title"}, set(texts))
        fills = [element.get("fill") for element in root.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertEqual([fills.count(color) for color in (plot.MET, plot.MISSED)], [2, 2])  # a bar and the legend

    def test_ticks_are_at_most_ten(self):
        self.assertEqual([plot.tick_step(most) for most in (0.9, 3.5, 10, 11, 120)], [0.1, 0.5, 1, 2, 20])


class Measured(unittest.TestCase):
    """Whole runs of run.py."""

    def setUp(self):
        self.folder = in_folder(self)
        if not TUFF:
            self.skipTest("no command is given")
        try:
            import ncnn  # noqa: F401
        except ImportError:
            self.skipTest("ncnn is not installed")

    def run_rows(self, *names):
        options = ["--tuff", TUFF, "--models", self.folder / "models", "-o", self.folder / "out"]
        options += ["--pairs", "2", "--batch-seconds", "0.02", "--skip-first", "--only", *names]
        done = subprocess.run([sys.executable, run.__file__, *options], capture_output=True, text=True)
        self.assertTrue((self.folder / "out/results.json").exists(), done.stderr)
        measured = json.loads((self.folder / "out/results.json").read_text())
        if "missing" in measured["peers"]["ncnn"]:
            self.skipTest(measured["peers"]["ncnn"]["missing"])
        return done, measured

    def test_small_rows_are_compared_and_reported(self):
        names = list(rows.SMALL_ROWS)
        done, measured = self.run_rows(*names)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(list(measured["rows"]), names)
        for row in measured["rows"].values():
            self.assertEqual({name: len(some) for name, some in row["batches"].items()}, dict(tuff=2, ncnn=2, onnxruntime=2))
            self.assertEqual(row["ncnn_cpu_layers"], {})
        self.assertIn("| GEMM 48³ |", (self.folder / "out/results.md").read_text())
        self.assertTrue((self.folder / "out/ratios.svg").exists())

    def test_a_side_that_computes_something_else_is_an_error_and_not_a_row(self):
        models = self.folder / "models"
        rows.prepare(models, ["gemm_48"])
        weights = bytearray((models / "gemm_48.bin").read_bytes())
        weights[4:1028] = bytes(1024)
        (models / "gemm_48.bin").write_bytes(weights)
        done, measured = self.run_rows("gemm_48")
        self.assertEqual((done.returncode, measured["rows"]), (2, {}))
        self.assertIn("ncnn's output for gemm_48 is not onnxruntime's: FAIL", done.stdout)


if __name__ == "__main__":
    unittest.main()
