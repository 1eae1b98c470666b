// Views and maps that change nothing, or of which two make one: each rule on small graphs, against its golden.
#include "golden.h"
#include "rule_case.h"

using namespace tuff;

namespace {

// Applies one rule, checks that values stay, and compares the text with the rule's golden.
void check_rule(const std::string& name, RewriteRule rule, const std::string& body, const SimplifyOptions& options = {}) {
  Graph before = graph_of(body), after = applied(rule, before, options);
  check_same_truth(before, after, {{"n", 6}});
  golden::check("simplify/" + name, print(after));
}

}  // namespace

TEST_CASE("identity_view") {
  check_rule("identity_view", identity_view,
             "symbol n in 1..64 step 1\n input %0 \"x\": f32[1, n, 3]\n"
             "%1 \"reshaped\": f32[1, n, 3] = reshape %0 from \"reshape\"\n"
             "%2: f32[1, n, 3] = transpose %1 {perm=[0, 1, 2]} from \"transpose\"\n"
             "%3: f32[1, n, 3] = slice %2 {starts=[0, 0, 0] steps=[1, 1, 1]} from \"slice\"\n"
             "%4: f32[1, n, 3] = pad %3 {mode=edge low=[0, 0, 0] high=[0, 0, 0] interior=[0, 0, 0]} from \"pad\"\n"
             "%5: f32[1, n, 3] = broadcast %4 from \"broadcast\"\n"
             "%6: f32[1, n, 3] = concat %5 {axis=1} from \"concat\"\n"
             "%7: f32[n, 1, 3] = transpose %6 {perm=[1, 0, 2]} from \"unit axes\"\n"
             "%8: f32[n, 1, 3] = map.neg %7 from \"neg\"\n"
             "%9: f32[1, n, 3] = slice %6 {starts=[0, 0, 2] steps=[1, 1, -1]} from \"backwards stays\"\n"
             "output %8 \"y\"\n output %9 \"z\"\n");
}

TEST_CASE("view_of_view") {
  check_rule("view_of_view", view_of_view,
             "symbol n in 1..64 step 1\n input %0 \"x\": f32[n, 4, 5]\n input %1 \"s\": f32[1, 1]\n"
             "%2: f32[4*n, 5] = reshape %0 from \"r1\"\n %3: f32[20*n] = reshape %2 from \"r2\"\n %4: f32[5, 4*n] = reshape "
             "%3 from \"r3\"\n"
             "%5: f32[5, n, 4] = transpose %0 {perm=[2, 0, 1]} from \"t1\"\n %6: f32[4, 5, n] = transpose %5 {perm=[2, 0, 1]} "
             "from \"t2\"\n"
             "%7: f32[n, 2, 4] = slice %0 {starts=[0, 3, 1] steps=[1, -2, 1]} from \"s1\"\n"
             "%8: f32[n, 1, 2] = slice %7 {starts=[0, 1, 3] steps=[1, 1, -2]} from \"s2\"\n"
             "%9: f32[n, 5, 5] = pad %0 {mode=constant low=[0, 1, 0] high=[0, 0, 0] interior=[0, 0, 0] fill=0.5} from \"p1\"\n"
             "%10: f32[n, 7, 6] = pad %9 {mode=constant low=[0, 0, 1] high=[0, 2, 0] interior=[0, 0, 0] fill=0.5} from "
             "\"p2\"\n"
             "%11: f32[n, 8, 6] = pad %10 {mode=constant low=[0, 1, 0] high=[0, 0, 0] interior=[0, 0, 0] fill=0} from \"other "
             "fill\"\n"
             "%12: f32[3, 1] = broadcast %1 from \"b1\"\n %13: f32[3, n] = broadcast %12 from \"b2\"\n"
             "output %4 \"reshape\"\n output %6 \"transpose\"\n output %8 \"slice\"\n output %11 \"pad\"\n output %13 "
             "\"broadcast\"\n");
}

namespace {

const char* const kIdentityMaps =
    "input %0 \"x\": f32[2]\n input %1 \"i\": i32[2]\n input %2 \"b\": bool[2]\n"
    "%3: f32[] = constant splat(1) from \"one\"\n %4: f32[1] = reshape %3 from \"one\"\n %5: f32[2] = broadcast %4 "
    "from \"one\"\n"
    "%6: f32[2] = constant splat(0) from \"zero\"\n %7: i32[2] = constant splat(0) from \"zero\"\n %8: bool[2] = "
    "constant splat(true) from \"true\"\n"
    "%9: f32[2] = map.mul %0, %5 from \"x*1\"\n %10: f32[2] = map.mul %5, %9 from \"1*x\"\n %11: f32[2] = map.div %10, "
    "%5 from \"x/1\"\n"
    "%12: f32[2] = map.neg %11 from \"-x\"\n %13: f32[2] = map.neg %12 from \"--x\"\n %14: f32[2] = map.abs %13 from "
    "\"|x|\"\n"
    "%15: f32[2] = map.add %14, %6 from \"|x|+0\"\n %16: f32[2] = map.div %5, %15 from \"1/|x|\"\n"
    "%17: i32[2] = map.add %7, %1 from \"0+i\"\n %18: i32[2] = map.sub %7, %17 from \"0-i\"\n %19: i32[2] = map.sub "
    "%18, %7 from \"-i-0\"\n"
    "%20: bool[2] = map.logical_and %2, %8 from \"b and true\"\n %21: bool[2] = map.logical_not %20 from \"not b\"\n"
    "%22: bool[2] = map.logical_not %21 from \"not not b\"\n %23: bool[2] = map.logical_or %22, %8 from \"b or true "
    "stays\"\n"
    "output %16 \"f\"\n output %19 \"i2\"\n output %23 \"b2\"\n";

}  // namespace

TEST_CASE("identity_map") { check_rule("identity_map", identity_map, kIdentityMaps); }

TEST_CASE("identity_map keeps x + 0 in exact mode") {
  SimplifyOptions exact;
  exact.exact = true;
  check_rule("identity_map_exact", identity_map, kIdentityMaps, exact);
}

TEST_CASE("cast_of_cast") {
  check_rule("cast_of_cast", cast_of_cast,
             "input %0 \"h\": f16[3]\n input %1 \"i\": i8[3]\n input %2 \"b\": bool[3]\n"
             "%3: f32[3] = map.cast %0 from \"a\"\n %4: f16[3] = map.cast %3 from \"widened and back\"\n %5: f64[3] = "
             "map.cast %4 from \"b\"\n"
             "%6: i32[3] = map.cast %1 from \"c\"\n %7: i64[3] = map.cast %6 from \"widened twice\"\n"
             "%8: f32[3] = map.cast %1 from \"d\"\n %9: u8[3] = map.cast %8 from \"saturates: stays\"\n %10: i8[3] = map.cast "
             "%8 from \"and back\"\n"
             "%11: i64[3] = map.cast %2 from \"e\"\n %12: f32[3] = map.cast %11 from \"from a flag\"\n"
             "%13: i8[3] = map.cast %7 from \"f\"\n %14: u8[3] = map.cast %13 from \"by a narrower one\"\n"
             "output %5 \"p\"\n output %7 \"q\"\n output %9 \"r\"\n output %10 \"s\"\n output %12 \"t\"\n output %14 \"u\"\n");
}

TEST_CASE("a cast that the dtypes do not allow to skip stays") {
  Graph graph = graph_of(
      "input %0 \"x\": f32[2]\n %1: f16[2] = map.cast %0 from \"narrow\"\n %2: f32[2] = map.cast %1 from \"widen\"\n"
      "%3: i32[2] = map.cast %0 from \"whole\"\n %4: f32[2] = map.cast %3 from \"back\"\n output %2 \"y\"\n output %4 "
      "\"z\"\n");
  CHECK(print(applied(cast_of_cast, graph)) == print(graph));
}

TEST_CASE("select_of_known") {
  check_rule("select_of_known", select_of_known,
             "input %0 \"c\": bool[2]\n input %1 \"x\": f32[2]\n input %2 \"y\": f32[2]\n"
             "%3: bool[] = constant splat(true) from \"t\"\n %4: bool[1] = reshape %3 from \"t\"\n %5: bool[2] = "
             "broadcast %4 from \"t\"\n"
             "%6: bool[2] = constant splat(false) from \"f\"\n"
             "%7: f32[2] = map.select %5, %1, %2 from \"true\"\n %8: f32[2] = map.select %6, %7, %2 from \"false\"\n"
             "%9: f32[2] = map.select %0, %8, %8 from \"same\"\n %10: bool[2] = map.logical_not %0 from \"not\"\n"
             "%11: f32[2] = map.select %10, %1, %9 from \"inverted\"\n output %11 \"z\"\n");
}

TEST_CASE("reduce_of_unit_axes") {
  check_rule("reduce_of_unit_axes", reduce_of_unit_axes,
             "symbol n in 1..64 step 1\n input %0 \"x\": f32[1, n, 1]\n"
             "%1: f32[1, n, 1] = reduce.sum %0 {axes=[0, 2]} from \"none left\"\n"
             "%2: f32[1, 1, 1] = reduce.max %1 {axes=[0, 1]} from \"one left\"\n"
             "%3: i64[1, n, 1] = reduce.argmax %0 {axes=[2]} from \"index\"\n"
             "%4: f32[1, n, 1] = reduce.min %0 {axes=[]} from \"no axes\"\n"
             "output %2 \"y\"\n output %3 \"i\"\n output %4 \"z\"\n");
}

TEST_CASE("gather_of_wide_indices") {
  check_rule("gather_of_wide_indices", gather_of_wide_indices,
             "input %0 \"x\": f32[4, 3]\n input %1 \"i\": i32[2]\n input %2 \"wide\": i64[2]\n"
             "%3: i64[5] = constant list(0, -1, 3, 5000000000, -5000000000) from \"table\"\n"
             "%4: i64[2] = constant splat(-2) from \"same\"\n"
             "%5: i64[2] = map.cast %1 from \"cast\"\n"
             "%6: f32[5, 3] = gather %0, %3 {axis=0} from \"of a table\"\n"
             "%7: f32[4, 2] = gather %0, %4 {axis=1} from \"of one index\"\n"
             "%8: f32[2, 3] = gather %0, %5 {axis=0} from \"of a cast\"\n"
             "%9: f32[2, 3] = gather %0, %2 {axis=0} from \"of data: stays\"\n"
             "output %6 \"a\"\n output %7 \"b\"\n output %8 \"c\"\n output %9 \"d\"\n");
}

TEST_CASE("map_of_broadcasts") {
  check_rule("map_of_broadcasts", map_of_broadcasts,
             "symbol n in 1..64 step 1\n input %0 \"row\": f32[n, 1]\n input %1 \"column\": f32[1, 5]\n input %2 "
             "\"full\": f32[n, 5]\n"
             "%3: f32[n, 5] = broadcast %0 from \"b\"\n %4: f32[n, 5] = broadcast %1 from \"b\"\n"
             "%5: f32[n, 5] = map.add %3, %4 from \"together full: stays\"\n"
             "%6: f32[n, 5] = map.exp %3 from \"exp\"\n %7: f32[n, 5] = map.mul %6, %3 from \"mul\"\n"
             "%8: f32[n, 5] = map.sub %2, %7 from \"full operand: stays\"\n %9: f32[n, 5] = map.div %8, %5 from "
             "\"div\"\n output %9 \"y\"\n");
}

TEST_CASE("view_of_splat") {
  check_rule("view_of_splat", view_of_splat,
             "symbol n in 1..64 step 1\n %0: f32[] = constant splat(2) from \"two\"\n %1: f32[1, 1] = reshape %0 from \"r\"\n"
             "%2: f32[3, n] = broadcast %1 from \"b\"\n %3: f32[3*n] = reshape %2 from \"joined\"\n %4: f32[n, 3] = transpose "
             "%2 {perm=[1, 0]} from \"t\"\n"
             "%5: f32[1, 3] = slice %4 {starts=[0, 2] steps=[1, -1]} from \"s\"\n"
             "%6: f32[3, n + 3] = pad %5 {mode=constant low=[0, 0] high=[2, n] interior=[0, 0] fill=2} from \"pad stays\"\n"
             "output %3 \"x\"\n output %4 \"y\"\n output %6 \"z\"\n");
}

TEST_CASE("splat_operand") {
  check_rule("splat_operand", splat_operand,
             "input %0 \"x\": f32[4, 5]\n %1: f32[4, 5] = constant splat(2) from \"two\"\n %2: f32[4, 5] = map.mul %1, "
             "%0 from \"double\"\n"
             "%3: f32[4, 5] = map.add %2, %1 from \"and two\"\n %4: f32[8, 5] = concat %3, %1 {axis=0} from \"no map: "
             "stays\"\noutput %4 \"y\"\n");
}

TEST_CASE("a map of a broadcast and a splat is computed before it is repeated") {
  Graph before = graph_of(
      "input %0 \"row\": f32[4, 1]\n%1: f32[4, 5] = broadcast %0 from \"b\"\n %2: f32[4, 5] = constant splat(2) from "
      "\"two\"\n"
      "%3: f32[4, 5] = map.mul %2, %1 from \"double\"\n output %3 \"y\"\n");
  Graph after = applied(map_of_broadcasts, applied(splat_operand, before));
  check_same_truth(before, after);
  golden::check("simplify/map_of_broadcast_and_splat", print(after));
}
