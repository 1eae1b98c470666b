// Constants along chains, folding, equal nodes, orders of sums, and what all of them make of a network's layers.
#include "golden.h"
#include "graph/builder.h"
#include "rule_case.h"

using namespace tuff;

namespace {

// y = the layer's output, then normalisation with constants as an exporter writes it: ((x - mean) * r) * gamma + beta.
std::string normalised(const std::string& before, const std::string& shape, const std::string& channels) {
  std::string text = before;
  const char* names[] = {"mean", "r", "gamma", "beta"};
  for (int i = 0; i < 4; ++i) {
    std::string at = std::to_string(20 + 3 * i), next = std::to_string(21 + 3 * i), last = std::to_string(22 + 3 * i);
    text += "%" + at + ": f32" + channels.substr(0, channels.find('|')) + " = constant random(seed=" + std::to_string(i + 3) +
            ", scale=1) from \"" + names[i] + "\"\n";
    text +=
        "%" + next + ": f32" + channels.substr(channels.find('|') + 1) + " = reshape %" + at + " from \"" + names[i] + "\"\n";
    text += "%" + last + ": f32" + shape + " = broadcast %" + next + " from \"" + names[i] + "\"\n";
  }
  text += "%40: f32" + shape + " = map.sub %10, %22 from \"bn\"\n%41: f32" + shape + " = map.mul %40, %25 from \"bn\"\n";
  text += "%42: f32" + shape + " = map.mul %28, %41 from \"bn\"\n%43 \"y\": f32" + shape +
          " = map.add %42, %31 from \"bn\"\noutput %43 \"y\"\n";
  return renumbered(text);
}

int count_of(const Graph& graph, std::string_view name) {
  int count = 0;
  for (const Node& node : graph.nodes) count += attrs_name(node.attrs) == name;
  return count;
}

void check_simplified(const std::string& name, const Graph& before, double tolerance = 1e-6) {
  Graph after = checked(simplify(before, folding_options()));
  // Folded constants are rounded to f32, so truth moves by that.
  check_same_truth(before, after, {{"n", 5}}, 1, tolerance);
  golden::check("simplify/" + name, print(after));
}

}  // namespace

TEST_CASE("batch normalisation after a convolution becomes its weights and one addition") {
  Graph before = graph_of(normalised(
      "symbol n in 1..64 step 1\n input %0 \"x\": f32[1, 4, n, 7]\n %1 \"w\": f32[6, 2, 3, 1] = constant "
      "random(seed=1, scale=1) from \"conv\"\n"
      "%2: f32[6] = constant random(seed=2, scale=1) from \"conv\"\n %3: f32[1, 6, 1, 1] = reshape %2 from \"conv\"\n"
      "%4: f32[1, 6, n - 2, 7] = broadcast %3 from \"conv\"\n"
      "%5: f32[1, 6, n - 2, 7] = window.conv %0, %1 {kernel=[3, 1] strides=[1, 1] dilations=[1, 1] groups=2} from "
      "\"conv\"\n"
      "%10 \"conv_out\": f32[1, 6, n - 2, 7] = map.add %5, %4 from \"conv\"\n",
      "[1, 6, n - 2, 7]", "[6]|[1, 6, 1, 1]"));
  Graph after = checked(simplify(before, folding_options()));
  CHECK(count_of(after, "window.conv") == 1);
  CHECK(count_of(after, "map.add") == 1);
  CHECK(count_of(after, "map.mul") == 0);
  CHECK(count_of(after, "constant") == 2);
  check_simplified("batch_norm_of_conv", before);
}

TEST_CASE("batch normalisation after a matrix product becomes its weights and one addition") {
  Graph before =
      graph_of(normalised("symbol n in 1..64 step 1\n input %0 \"x\": f32[n, 9]\n %1 \"w\": f32[5, 9] = constant "
                          "random(seed=1, scale=1) from \"gemm\"\n"
                          "%10: f32[n, 5] = contract %0, %1 {a=[0, 1] b=[2, 1] out=[0, 2]} from \"gemm\"\n",
                          "[n, 5]", "[5]|[1, 5]"));
  check_simplified("batch_norm_of_contract", before);
}

TEST_CASE("a scale of several weight axes finds them in any order") {
  // out = [m, p, q], weights = [q, k, p]; the scale varies along p and q.
  Graph before = graph_of(
      "input %0 \"x\": f32[3, 4]\n %1: f32[2, 4, 5] = constant random(seed=1, scale=1) from \"w\"\n"
      "%2: f32[3, 5, 2] = contract %0, %1 {a=[0, 1] b=[2, 1, 3] out=[0, 3, 2]} from \"c\"\n"
      "%3: f32[1, 5, 2] = constant random(seed=2, scale=1) from \"s\"\n %4: f32[3, 5, 2] = broadcast %3 from \"s\"\n"
      "%5: f32[3, 5, 2] = map.div %2, %4 from \"d\"\n output %5 \"y\"\n");
  Graph after = applied(scale_of_product, before);
  check_same_truth(before, after);
  CHECK(count_of(checked(fold_constants(after, folding_options())), "map.mul") == 0);
  golden::check("simplify/scale_of_contract", print(after));
}

TEST_CASE("a scale stays where the weights cannot take it") {
  auto stays = [](const std::string& scale_shape, const std::string& extra) {
    Graph before = graph_of(
        "input %0 \"x\": f32[2, 3, 5]\n %1: f32[4, 3, 2] = constant random(seed=1, scale=1) from \"w\"\n"
        "%2: f32[2, 4, 4] = window.conv %0, %1 {kernel=[2] strides=[1] dilations=[1] groups=1} from \"c\"\n"
        "%3: f32" +
        scale_shape +
        " = constant random(seed=2, scale=1) from \"s\"\n %4: f32[2, 4, 4] = broadcast %3 from \"s\"\n"
        "%5: f32[2, 4, 4] = map.mul %2, %4 from \"m\"\n output %5 \"y\"\n" +
        extra);
    Graph after = applied(scale_of_product, before);
    return print(after) == print(before);
  };
  CHECK_FALSE(stays("[1, 4, 1]", ""));
  CHECK_FALSE(stays("[1, 1, 1]", ""));
  CHECK(stays("[1, 4, 4]", ""));                      // varies over pixels
  CHECK(stays("[2, 4, 1]", ""));                      // varies over samples
  CHECK(stays("[1, 4, 1]", "output %2 \"conv\"\n"));  // the product has another reader
}

TEST_CASE("weights beyond the limit of folding keep their scale outside") {
  Graph before = graph_of(
      "input %0 \"x\": f32[2, 3, 5]\n %1: f32[4, 3, 2] = constant random(seed=1, scale=1) from \"w\"\n"
      "%2: f32[2, 4, 4] = window.conv %0, %1 {kernel=[2] strides=[1] dilations=[1] groups=1} from \"c\"\n"
      "%3: f32[2, 4, 4] = constant splat(3) from \"s\"\n %4: f32[2, 4, 4] = map.mul %2, %3 from \"m\"\n output %4 "
      "\"y\"\n");
  SimplifyOptions small = folding_options();
  small.fold_limit_bytes = 95;  // the weights have 96
  CHECK(count_of(checked(simplify(before, small)), "map.mul") == 1);
  small.fold_limit_bytes = 96;
  CHECK(count_of(checked(simplify(before, small)), "map.mul") == 0);
  small.fold_total_limit_bytes = 95;
  CHECK(count_of(checked(simplify(before, small)), "map.mul") == 1);
}

TEST_CASE("shift_of_shift and scale_of_scale") {
  Graph before = graph_of(
      "input %0 \"x\": f32[2, 3]\n %1: f32[1, 3] = constant list(1, 2, 3) from \"c\"\n %2: f32[2, 3] = broadcast %1 "
      "from \"c\"\n"
      "%3: f32[2, 3] = constant splat(0.5) from \"half\"\n"
      "%4: f32[2, 3] = map.sub %0, %2 from \"x-c\"\n %5: f32[2, 3] = map.add %3, %4 from \"+0.5\"\n %6: f32[2, 3] = "
      "map.sub %5, %3 from \"-0.5\"\n"
      "%7: f32[2, 3] = map.mul %6, %2 from \"*c\"\n %8: f32[2, 3] = map.mul %3, %7 from \"*0.5\"\n"
      "%9: f32[2, 3] = map.sub %2, %8 from \"c-y stays\"\n output %9 \"y\"\n");
  Graph after = applied(scale_of_scale, applied(shift_of_shift, before));
  check_same_truth(before, after);
  after = checked(fold_constants(after, folding_options()));
  CHECK(count_of(after, "map.add") == 1);
  CHECK(count_of(after, "map.mul") == 1);
  golden::check("simplify/shift_and_scale", print(after));
}

TEST_CASE("fold_constants leaves broadcasts and splats small") {
  Graph before = graph_of(
      "input %0 \"x\": f32[2, 3]\n %1: f32[3] = constant list(1, 2, 4) from \"c\"\n %2: f32[3] = map.reciprocal %1 "
      "from \"r\"\n"
      "%3: f32[1, 3] = reshape %2 from \"shape\"\n %4: f32[2, 3] = broadcast %3 from \"b\"\n %5: f32[2, 3] = map.mul "
      "%0, %4 from \"m\"\n"
      "%6: f32[] = constant splat(2) from \"two\"\n %7: f32[] = map.sqrt %6 from \"root\"\n %8: f32[1, 1] = reshape %7 "
      "from \"root\"\n"
      "%9: f32[2, 3] = broadcast %8 from \"root\"\n %10: f32[2, 3] = map.add %5, %9 from \"a\"\n"
      "%11: i32[3] = iota {axis=0} from \"count\"\n %12: i32[3] = map.mul %11, %11 from \"squares\"\n"
      "%13: i64[] = dimension {value=7} from \"seven\"\n %14: i64[] = map.add %13, %13 from \"fourteen\"\n"
      "output %10 \"y\"\n output %12 \"squares\"\n output %11 \"count\"\n output %14 \"number\"\n");
  Graph after = checked(fold_constants(before, folding_options()));
  check_same_truth(before, after, {}, 1, 1e-7);
  golden::check("simplify/fold_constants", print(after));
}

TEST_CASE("a constant above the limit is not folded, nor what comes after it") {
  Graph before = graph_of(
      "%0: i32[100] = iota {axis=0} from \"i\"\n %1: i32[100] = map.mul %0, %0 from \"m\"\n"
      "%2: i32[1] = reduce.sum %1 {axes=[0]} from \"s\"\n output %2 \"y\"\n");
  SimplifyOptions options = folding_options();
  CHECK(count_of(checked(fold_constants(before, options)), "map.mul") == 0);
  options.fold_limit_bytes = 399;
  CHECK(print(checked(fold_constants(before, options))) == print(before));
}

TEST_CASE("equal_nodes") {
  Graph before = graph_of(
      "input %0 \"x\": f32[2]\n input %1 \"y\": f32[2]\n %2 \"a\": f32[2] = map.add %0, %1 from \"a\"\n %3 \"b\": "
      "f32[2] = map.add %1, %0 from \"b\"\n"
      "%4: f32[2] = map.sub %0, %1 from \"c\"\n %5: f32[2] = map.sub %1, %0 from \"d stays\"\n"
      "%6: f32[2] = constant list(1, 2) from \"e\"\n %7: f32[2] = constant list(1, 2) from \"f\"\n %8: i32[2] = "
      "constant list(1, 2) from \"g stays\"\n"
      "%9: f32[2] = map.mul %2, %6 from \"h\"\n %10: f32[2] = map.mul %3, %7 from \"i\"\n %11: f32[2] = map.cast %8 "
      "from \"j\"\n"
      "%12: f32[2] = map.add %9, %10 from \"k\"\n %13: f32[2] = map.mul %4, %5 from \"l\"\n"
      "output %12 \"p\"\n output %13 \"q\"\n output %11 \"r\"\n output %10 \"s\"\n");
  Graph after = checked(equal_nodes(before, {}));
  check_same_truth(before, after);
  golden::check("simplify/equal_nodes", print(after));
}

TEST_CASE("prune_dead drops what no output needs, but no input") {
  Graph after =
      prune_dead(graph_of("input %0 \"x\": f32[2]\n input %1 \"unused\": f32[2]\n %2: f32[2] = map.neg %0 from \"dead\"\n"
                          "%3 \"kept\": f32[2] = map.abs %0 from \"live\"\n output %3 \"y\"\n"));
  CHECK(verify(after).ok());
  golden::check("simplify/prune_dead", print(after));
}

TEST_CASE("orders of sums follow from shapes") {
  auto order = [](const std::string& symbols, const std::string& rows, const std::string& depth) {
    Graph graph = unordered_sums(graph_of(
        symbols + "input %0 \"a\": f32[" + rows + ", " + depth + "]\n input %1 \"b\": f32[" + depth + ", 8]\n %2: f32[" + rows +
        ", 8] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"c\"\noutput %2 \"y\"\n"));
    return std::get<ContractAttrs>(graph.nodes[0].attrs).order;
  };
  using Kind = SumOrder::Kind;
  CHECK(order("", "2", "4096") == SumOrder{Kind::kSerial, 0});
  CHECK(order("", "1", "4096") == SumOrder{Kind::kChunked, 128});
  CHECK(order("", "1", "4097") == SumOrder{Kind::kChunked, 256});
  CHECK(order("", "1", "11008") == SumOrder{Kind::kChunked, 384});
  CHECK(order("", "1", "128") == SumOrder{Kind::kSerial, 0});  // one chunk
  CHECK(order("", "1", "129") == SumOrder{Kind::kChunked, 128});
  CHECK(order("symbol n in 1..64 step 1\n", "n", "512") == SumOrder{Kind::kChunked, 128});
  CHECK(order("symbol n in 2..64 step 2\n", "n", "512") == SumOrder{Kind::kSerial, 0});
  CHECK(order("symbol n in 1..8192 step 1\n", "1", "n") == SumOrder{Kind::kChunked, 256});

  Graph rest = unordered_sums(
      graph_of("input %0 \"x\": f32[1, 2, 9]\n input %1 \"w\": f32[2, 2, 3]\n"
               "%2: f32[1, 2, 7] = window.conv %0, %1 {kernel=[3] strides=[1] dilations=[1] groups=1} from \"c\"\n"
               "%3: f32[1, 2, 6] = window.sum %2 {kernel=[2] strides=[1] dilations=[1] groups=1} from \"s\"\n"
               "%4: f32[1, 2, 5] = window.max %3 {kernel=[2] strides=[1] dilations=[1] groups=1} from \"m\"\n"
               "%5: f32[1, 2, 1] = reduce.sum %4 {axes=[2]} from \"r\"\n %6: f32[1, 1, 1] = reduce.max %5 {axes=[1]} "
               "from \"r\"\noutput %6 \"y\"\n"));
  CHECK(verify(rest).ok());
  golden::check("simplify/unordered_sums", print(rest));
}

namespace {

// Softmax over `axis` of what a product gives, then the product with v. `between` may change the scores, %3 to %5.
Graph attention(const std::string& between, const std::string& columns, const std::string& more = "") {
  return graph_of(
      "symbol n in 1..64 step 1\n input %0 \"q\": f32[2, 5, 4]\n input %1 \"k\": f32[2, n, 4]\n input %2 \"v\": f32[2, n, " +
      columns +
      "]\n"
      "%3: f32[2, 5, n] = contract %0, %1 {a=[0, 1, 3] b=[0, 2, 3] out=[0, 1, 2]} from \"scores\"\n" +
      between +
      "%6: f32[2, 5, 1] = reduce.max %5 {axes=[2]} from \"softmax\"\n"
      "%7: f32[2, 5, n] = broadcast %6 from \"softmax\"\n %8: f32[2, 5, n] = map.sub %5, %7 from \"softmax\"\n"
      "%9: f32[2, 5, n] = map.exp %8 from \"softmax\"\n %10: f32[2, 5, 1] = reduce.sum %9 {axes=[2]} from \"softmax\"\n"
      "%11: f32[2, 5, n] = broadcast %10 from \"softmax\"\n %12: f32[2, 5, n] = map.div %9, %11 from \"softmax\"\n"
      "%13: f32[2, 5, " +
      columns + "] = contract %12, %2 {a=[0, 1, 2] b=[0, 2, 4] out=[0, 1, 4]} from \"weighted\"\noutput %13 \"y\"\n" + more);
}

constexpr const char* kCapped = "%4: f32[2, 5, n] = map.tanh %3 from \"cap\"\n %5: f32[2, 5, n] = map.abs %4 from \"cap\"\n";

}  // namespace

TEST_CASE("the division of a softmax comes after the product that reads it") {
  Graph before = attention(kCapped, "3");
  Graph after = applied(product_of_softmax, before);
  CHECK(count_of(after, "reduce.sum") == 0);
  CHECK(count_of(after, "contract") == 3);
  for (int64_t n : {1, 7, 33}) check_same_truth(before, after, {{"n", n}});
  golden::check("simplify/product_of_softmax", print(after));
}

TEST_CASE("a softmax keeps its division where its elements are wanted, or where it is no attention") {
  auto stays = [](const Graph& before) { return print(applied(product_of_softmax, before)) == print(before); };
  CHECK(stays(attention(kCapped, "3", "output %12 \"weights\"\n")));
  CHECK(stays(attention(kCapped, "257")));
  Graph no_product = graph_of(
      "input %0 \"x\": f32[5, 9]\n input %1 \"v\": f32[9, 3]\n %2: f32[5, 1] = reduce.max %0 {axes=[1]} from \"s\"\n"
      "%3: f32[5, 9] = broadcast %2 from \"s\"\n %4: f32[5, 9] = map.sub %0, %3 from \"s\"\n"
      "%5: f32[5, 9] = map.exp %4 from \"s\"\n %6: f32[5, 1] = reduce.sum %5 {axes=[1]} from \"s\"\n"
      "%7: f32[5, 9] = broadcast %6 from \"s\"\n %8: f32[5, 9] = map.div %5, %7 from \"s\"\n"
      "%9: f32[5, 3] = contract %8, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"c\"\noutput %9 \"y\"\n");
  CHECK(stays(no_product));
}

namespace {

// Three products of x, biased or not; the third by `columns` and read by `last_reader`.
Graph three_products(bool biased, const std::string& last_reader) {
  std::string text = "symbol n in 1..64 step 1\n input %0 \"x\": f32[n, 6]\n input %1 \"z\": f32[n, 4]\n";
  int next = 2;
  std::vector<int> results;
  for (int i = 0; i < 3; ++i) {
    const std::string w = "%" + std::to_string(next), b = "%" + std::to_string(next + 1), name = "p" + std::to_string(i);
    text += w + ": f32[6, 4] = constant random(seed=" + std::to_string(i + 1) + ", scale=1) from \"" + name + "\"\n";
    text += b + ": f32[n, 4] = contract %0, " + w + " {a=[0, 1] b=[1, 2] out=[0, 2]} from \"" + name + "\"\n";
    next += 2;
    if (biased) {
      const std::string c = "%" + std::to_string(next), r = "%" + std::to_string(next + 1), y = "%" + std::to_string(next + 2);
      text += c + ": f32[1, 4] = constant random(seed=" + std::to_string(i + 4) + ", scale=1) from \"b" + name + "\"\n";
      text += r + ": f32[n, 4] = broadcast " + c + " from \"b" + name + "\"\n";
      text += y + ": f32[n, 4] = map.add " + b + ", " + r + " from \"b" + name + "\"\n";
      next += 3;
    }
    results.push_back(next - 1);
  }
  for (int i = 0; i < 3; ++i) {
    const std::string p = "%" + std::to_string(results[static_cast<size_t>(i)]), y = "%" + std::to_string(next++);
    if (i == 2 && !last_reader.empty())
      text += y + ": f32[n, 4] = " + last_reader + " " + p + " from \"reader\"\n";
    else
      text += y + ": f32[n, n] = contract " + p + ", %1 {a=[0, 1] b=[2, 1] out=[0, 2]} from \"reader\"\n";
  }
  for (int i = 0; i < 3; ++i) text += "output %" + std::to_string(next - 3 + i) + " \"y" + std::to_string(i) + "\"\n";
  return graph_of(text);
}

}  // namespace

TEST_CASE("products of one value by several constants become one, where products read them") {
  for (bool biased : {false, true}) {
    Graph before = three_products(biased, "");
    Graph after = checked(products_of_one_value(before, folding_options()));
    CHECK(count_of(after, "contract") == 4);
    CHECK(count_of(after, "slice") == 3);
    CHECK(count_of(after, "map.add") == (biased ? 1 : 0));
    for (int64_t n : {1, 5, 64}) check_same_truth(before, after, {{"n", n}});
    golden::check(biased ? "simplify/biased_products_of_one_value" : "simplify/products_of_one_value", print(after));
  }
  // A map would no longer be free in its product's kernel; the other two products are still one.
  Graph before = three_products(true, "map.tanh");
  Graph after = checked(products_of_one_value(before, folding_options()));
  CHECK(count_of(after, "slice") == 2);
  check_same_truth(before, after, {{"n", 7}});
  // Without folding the weights would be joined in every run.
  CHECK(print(checked(products_of_one_value(before, {}))) == print(before));
  SimplifyOptions small = folding_options();
  small.fold_limit_bytes = 2 * 6 * 4 * 4 - 1;
  CHECK(print(checked(products_of_one_value(before, small))) == print(before));
}

namespace {

// How many products there are after two of one value, of which a product reads the second, and `readers` the first, %4.
int products_left(const std::string& readers) {
  const Graph before = graph_of(
      "symbol n in 1..64 step 1\n input %0 \"x\": f32[n, 6]\n input %1 \"z\": f32[n, 4]\n"
      "%2: f32[6, 4] = constant random(seed=1, scale=1) from \"a\"\n"
      "%3: f32[6, 4] = constant random(seed=2, scale=1) from \"b\"\n"
      "%4: f32[n, 4] = contract %0, %2 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"a\"\n"
      "%5: f32[n, 4] = contract %0, %3 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"b\"\n"
      "%6: f32[n, n] = contract %5, %1 {a=[0, 1] b=[2, 1] out=[0, 2]} from \"reader\"\n" +
      readers + "output %6 \"scores\"\n");
  const Graph after = checked(products_of_one_value(before, folding_options()));
  check_same_truth(before, after, {{"n", 7}});
  return count_of(after, "contract") - 1;
}

}  // namespace

TEST_CASE("a product is part of one where its result lies in memory, whatever maps read it besides") {
  // Rotated halves, as position embeddings read queries and keys.
  CHECK(products_left("%7: f32[n, 2] = slice %4 {starts=[0, 2] steps=[1, 1]} from \"r\"\n"
                      "%8: f32[n, 2] = slice %4 {starts=[0, 0] steps=[1, 1]} from \"r\"\n"
                      "%9: f32[n, 4] = concat %7, %8 {axis=1} from \"r\"\n"
                      "%10: f32[n, 4] = map.mul %4, %1 from \"cos\"\n"
                      "%11: f32[n, 4] = map.add %10, %9 from \"sum\"\n output %11 \"y\"\n") == 1);
  // Repeated over another axis, as a cache reads what it keeps at one place.
  CHECK(products_left("%7: f32[1, n, 4] = reshape %4 from \"r\"\n %8: f32[3, n, 4] = broadcast %7 from \"r\"\n"
                      "%9: f32[3, n, 4] = map.tanh %8 from \"t\"\n output %9 \"y\"\n") == 1);
  CHECK(products_left("%7: f32[n, 1] = reduce.sum %4 {axes=[1]} from \"sum\"\n output %7 \"y\"\n") == 1);
  // A concatenation's piece is written where it belongs, an output as it is.
  CHECK(products_left("%7: f32[n, 8] = concat %1, %4 {axis=1} from \"c\"\n output %7 \"y\"\n") == 2);
  CHECK(products_left("%7: f32[n, 1] = reduce.sum %4 {axes=[1]} from \"sum\"\n output %7 \"y\"\n output %4 \"p\"\n") == 2);
  CHECK(products_left("%7: f32[n, 4] = map.tanh %4 from \"t\"\n output %7 \"y\"\n") == 2);
}
