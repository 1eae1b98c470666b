"""tuff profile: the table, the JSON and the page, on whatever Vulkan device this machine has; skipped without one."""

import html.parser
import json
import unittest

from command import CommandTest

# A product that an addition joins, then a kernel that only moves data, then one over rows. One node has a name that HTML and
# JSON must escape.
NETWORK = """graph "network" {
  symbol n in 1..64 step 1
  input %0 "x": f32[n, 16]
  input %1 "w": f32[16, 16]
  %2: f32[n, 16] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from "MatMul_0"
  %3: f32[n, 16] = map.add %2, %0 from "Add<1>&'quoted'"
  %4: f32[n, 1] = reduce.max %3 {axes=[1]} from "Max_2"
  output %3 "sum"
  output %4 "largest"
}
"""
VOID = {"meta", "br", "img", "link", "input", "hr", "circle", "rect", "path", "line"}


class Page(html.parser.HTMLParser):
    """A page's links, ids and text; fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.outside, self.text = [], [], [], [], {}
        self.rows = 0
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)

    def handle_starttag(self, tag, attributes):
        self.look(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def look(self, tag, attributes):
        self.rows += tag == "tr" and "tbody" in self.open
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)
            if name in ("src", "srcset", "action", "data", "poster") or (name == "href" and not value.startswith("#")):
                self.outside.append((tag, name, value))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        for tag in self.open:
            self.text[tag] = self.text.get(tag, "") + data


class Profile(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "network.graph").write_text(NETWORK)
        if len(json.loads(self.passes("devices", "--json"))["devices"]) < 2:
            self.skipTest("no Vulkan device")

    def profile(self, *words):
        return self.passes("profile", "network.graph", "--dim", "n=8", *words)

    def test_json_adds_up(self):
        for clock in ("device", "host"):
            extra = ("--host-clock",) if clock == "host" else ()
            result = json.loads(self.profile("--runs", "4", "--warmup", "1", "--json", "--exact", *extra))
            self.assertEqual((result["clock"], result["runs"], result["warmup"]), (clock, 4, 1))
            self.assertEqual((result["model"], result["options"]), ("network.graph", "--exact --dim n=8"))
            self.assertIn(result["tuff"], self.passes("--version"))
            for key in ("device", "driver"):
                self.assertTrue(result[key])
            self.assertTrue(0 < result["kernels_ns"] <= result["run_ns"])
            kernels = result["kernels"]
            self.assertEqual([k["nodes"] for k in kernels], ["MatMul_0, Add<1>&'quoted'", "Max_2"])
            self.assertEqual([k["step"] for k in kernels], [0, 1])
            self.assertAlmostEqual(sum(k["share"] for k in kernels), 1)
            self.assertEqual(kernels[0]["flops"], 2 * 8 * 16 * 16)
            self.assertEqual((kernels[0]["bytes_read"], kernels[0]["bytes_written"]), (4 * (8 * 16 + 16 * 16), 4 * 8 * 16))
            for k in kernels:
                time_ns = k["time_ns"]["p50"]
                self.assertTrue(0 < k["time_ns"]["min"] <= time_ns <= k["time_ns"]["max"])
                self.assertIn(k["bound"], ("memory", "arithmetic", "launch"))
                self.assertGreaterEqual(k["predicted_ns"], result["launch_ns"])
                moved = k["bytes_read"] + k["bytes_written"]
                self.assertAlmostEqual(k["gb_per_s"], moved / time_ns)
                self.assertAlmostEqual(k["gflop_per_s"], k["flops"] / time_ns)
                roof = max(moved / result["memory_bytes_per_s"], k["flops"] / result["flops_per_s"]) * 1e9 / time_ns
                self.assertAlmostEqual(k["share_of_roof"], roof)

    def test_table_has_a_row_a_kernel_in_either_order(self):
        for order in ("run", "time"):
            lines = self.profile("--runs", "3", f"--sort={order}").splitlines()
            self.assertIn("by the device's timestamps", lines[1])
            rows = [line.split() for line in lines[5:]]
            self.assertEqual(len(rows), 3)
            self.assertEqual(rows[2][0], "all")
            times = [float(row[1]) for row in rows]
            self.assertAlmostEqual(times[0] + times[1], times[2], delta=0.2)
            if order == "run":
                self.assertEqual([row[0] for row in rows[:2]], ["0", "1"])
            else:
                self.assertGreaterEqual(times[0], times[1])
            for nodes in ("MatMul_0, Add<1>&'quoted'", "Max_2"):
                self.assertEqual(sum(line.endswith(": " + nodes) for line in lines), 1)
        self.assertIn("each a submit of its own, by the host's clock", self.profile("--runs", "1", "--host-clock"))

    def test_page_stands_alone_and_names_every_kernel(self):
        result = json.loads(self.profile("--runs", "2", "--json", "--html", "page.html"))
        text = (self.folder / "page.html").read_text()
        page = Page(text)
        self.assertEqual(page.outside, [])
        self.assertNotRegex(page.text["style"] + page.text["script"], r"url\(|@import|https?:|fetch\(|import\(")
        self.assertEqual(page.rows, len(result["kernels"]))
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for position, kernel in enumerate(result["kernels"]):
            self.assertIn(f"kernel-{position}", page.ids)
            # The roofline, the timeline and the table.
            self.assertEqual(page.links.count(f"#kernel-{position}"), 3)
            for where in ("table", "details"):
                self.assertIn(kernel["kernel"], page.text[where])
                self.assertIn(kernel["nodes"], page.text[where])
        self.assertTrue(set(page.links) <= {"#" + name for name in page.ids})
        self.assertEqual(page.text["pre"].count("#version 450"), 2)
        self.assertRegex(page.text["li"], r"fused \[epilogue\] Add<1>&'quoted' \(map\.add\) into MatMul_0")
        self.assertIn("prefers-color-scheme: dark", page.text["style"])
        self.assertIn("network.graph", page.text["title"])

    def test_an_artifact_is_profiled_without_source(self):
        (self.folder / "device.txt").write_text(self.passes("devices", "--text", "0"))
        self.passes("compile", "network.graph", "-o", "network.tuff", "--for", "device.txt")
        words = ("--dim", "n=8", "--runs", "1", "--json", "--html", "page.html")
        result = json.loads(self.passes("profile", "network.tuff", *words))
        self.assertEqual(len(result["kernels"]), 2)
        page = Page((self.folder / "page.html").read_text())
        self.assertNotIn("pre", page.text)
        self.assertIn("compiled ahead", page.text["details"])

    def test_bad_input_is_told(self):
        self.refuses(2, "'--sort' takes run or time, not 'size'", "profile", "network.graph", "--sort=size")
        self.refuses(2, "whole number from 1", "profile", "network.graph", "--runs", "0")
        self.refuses(2, "One model is needed, 0 were given", "profile")
        self.refuses(3, "IO: Cannot open 'nothing.onnx'", "profile", "nothing.onnx")
        self.refuses(3, "runs no kernels that could be profiled", "profile", "network.graph", "--dim", "n=8", "--device", "cpu")
        self.refuses(3, "none/page.html", "profile", "network.graph", "--dim", "n=8", "--runs", "1", "--html", "none/page.html")
        self.refuses(3, "outside its range 1 to 64", "profile", "network.graph", "--dim", "n=65")


if __name__ == "__main__":
    unittest.main()
