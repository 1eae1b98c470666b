"""The rules of dispatches.py on plans that are written down here: nothing is planned."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import dispatches


def dispatch(origins, workgroups, time_ns, multiply_adds=0):
    return {
        "origins": frozenset(origins.split()),
        "workgroup_count": workgroups,
        "predicted_ns": time_ns,
        "multiply_adds": multiply_adds,
    }


def plan(*parts, bytes_read=60, bytes_written=40, least=100):
    return {
        "dispatch_count": len(parts),
        "submit_count": 1,
        "bytes_read": bytes_read,
        "bytes_written": bytes_written,
        "least_bytes": least,
        "weight_bytes": 30,
        "predicted_ns": sum(part["predicted_ns"] for part in parts),
        "compute_unit_count": 8,
        "dispatches": list(parts),
    }


UNFUSED = plan(dispatch("conv", 20, 50, 9), dispatch("relu", 99, 10, 1), dispatch("pool", 15, 70, 5))


class Figures(unittest.TestCase):
    def missed(self, fused, aim=dispatches.Aim(2), one_layer_less=None):
        return dispatches.missed(dispatches.figures(fused, UNFUSED, one_layer_less), aim)

    def test_what_holds_is_not_missed(self):
        self.assertEqual(self.missed(plan(dispatch("conv relu", 16, 50), dispatch("pool", 1, 70))), [])

    def test_counts(self):
        fused = plan(dispatch("conv relu", 16, 50), dispatch("pool", 1, 70))
        self.assertEqual(self.missed(fused, dispatches.Aim(1)), ["dispatches"])
        self.assertEqual(self.missed(fused | {"submit_count": 2}), ["submits"])
        shorter = {"dispatch_count": 1}
        self.assertEqual(self.missed(fused, dispatches.Aim(layer=1), shorter), [])
        self.assertEqual(self.missed(fused, dispatches.Aim(layer=0), shorter), ["dispatches a layer"])

    def test_bytes_are_at_most_a_tenth_above_the_least(self):
        one = dispatch("conv relu pool", 16, 50)
        self.assertEqual(self.missed(plan(one, bytes_read=70)), [])
        self.assertEqual(self.missed(plan(one, bytes_read=71)), ["bytes"])

    def test_time_is_at_most_the_unfused_plans(self):
        self.assertEqual(self.missed(plan(dispatch("conv relu pool", 16, 130))), [])
        self.assertEqual(self.missed(plan(dispatch("conv relu pool", 16, 131))), ["time"])

    def test_workgroups_count_where_the_kernel_that_computes_most_has_two_a_core(self):
        self.assertEqual(self.missed(plan(dispatch("conv relu", 15, 50))), ["workgroups"])
        # The pooling had fewer itself, and computes more than the relu.
        self.assertEqual(self.missed(plan(dispatch("relu pool", 1, 50))), [])
        self.assertEqual(dispatches.least_workgroups(plan(dispatch("pool", 1, 50)), UNFUSED), None)
        with self.assertRaises(dispatches.PlanError):
            dispatches.least_workgroups(plan(dispatch("concat", 1, 50)), UNFUSED)
        both = plan(dispatch("conv", 40, 50), dispatch("relu", 17, 10))
        self.assertEqual(dispatches.least_workgroups(both, UNFUSED), 17)


class Goldens(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "goldens/device.json"
        found = dispatches.figures(plan(dispatch("conv relu", 16, 50)), UNFUSED, {"dispatch_count": 0})
        self.kept = found | {"missed": ["bytes"]}
        self.check(self.kept, update="1")

    def check(self, found, update="0"):
        with mock.patch.dict(os.environ, TUFF_UPDATE_GOLDENS=update):
            return "\n".join(dispatches.check_device(self.path, "device", {"net": found}))

    def test_what_was_kept_is_met(self):
        self.assertEqual(self.check(self.kept), "")

    def test_a_golden_that_is_not_there_or_out_of_date_fails_until_it_is_renewed(self):
        better = self.kept | {"predicted_ns": 40, "missed": []}
        self.assertIn("predicted_ns is 40, device.json has 50", self.check(better))
        self.assertEqual(self.check(better, update="1"), "")
        self.assertEqual(self.check(better), "")
        self.path.unlink()
        self.assertIn("device.json has None", self.check(better))

    def test_what_is_worse_is_not_kept(self):
        for worse in ({"dispatch_count": 2}, {"layer_dispatch_count": 2}, {"submit_count": 2}, {"missed": ["bytes", "time"]}):
            for update in "01":
                self.assertIn("delete", self.check(self.kept | worse, update))
        self.assertEqual(json.loads(self.path.read_text())["net"], self.kept)
        self.assertEqual(self.check(self.kept | {"unfused_dispatch_count": 4}, update="1"), "")


class Table(unittest.TestCase):
    def test_a_missed_aim_is_said(self):
        found = dispatches.figures(plan(dispatch("conv relu", 16, 50)), UNFUSED, None)
        measured = {"rx_6900": {"mobilenet_v2": found | {"dispatch_count": 54, "missed": ["dispatches"]}}}
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            dispatches.print_table(measured)
        self.assertIn("| mobilenet_v2 | rx_6900 | 54 | 36 | 1 |", out.getvalue())
        self.assertIn("| 2.0 | missed: dispatches |", out.getvalue())
        self.assertIn("0 of 1 rows meet", out.getvalue())


if __name__ == "__main__":
    unittest.main()
