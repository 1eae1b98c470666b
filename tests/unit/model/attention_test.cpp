// What the attention operators and those around them refuse, each with the reason; and what fits only some shapes. That the
// numbers are right is for tests/models/check_reference.cpp.
#include "onnx_writer.h"

using namespace tuff;
using namespace onnx_test;

namespace {

struct Given {
  std::vector<Size> sizes;
  int32_t type = onnx::kFloat;
};

// One node; inputs without sizes are left out.
Model node_of(std::string_view op, std::string_view domain, const std::vector<Given>& inputs,
              const std::vector<Message>& attributes, int outputs = 1) {
  Model model(24);
  std::vector<std::string> names, results;
  for (size_t i = 0; i < inputs.size(); ++i) {
    names.push_back(inputs[i].sizes.empty() ? "" : "x" + std::to_string(i));
    if (!names.back().empty()) model.input(names.back(), inputs[i].sizes, inputs[i].type);
  }
  for (int i = 0; i < outputs; ++i) results.push_back("y" + std::to_string(i));
  model.node(op, names, results, attributes, domain);
  for (const std::string& name : results) model.output(name);
  return model;
}

constexpr std::string_view kMicrosoft = "com.microsoft";
const Given kNone{};

}  // namespace

TEST_CASE("Attention refuses what it does not compute") {
  auto attention = [](const std::vector<Message>& attributes, std::vector<Given> inputs) {
    return node_of("Attention", "", inputs, attributes).load();
  };
  const Given q{{1, 4, 5, 8}}, k{{1, 2, 7, 8}};
  check_fails(attention({attribute("softmax_precision", 11)}, {q, k, k}), Code::kUnsupported, {"'y0'", "softmax in f64"});
  check_fails(attention({attribute("qk_matmul_output_mode", 4)}, {q, k, k}), Code::kInvalidArgument, {"is 4, not 0 to 3"});
  check_fails(attention({}, {q, {{1, 3, 7, 8}}, {{1, 3, 7, 8}}}), Code::kInvalidArgument, {"4 heads", "3 heads of keys"});
  check_fails(attention({}, {q, {{1, "groups", 7, 8}}, k}), Code::kUnsupported, {"groups", "must be known"});
  check_fails(attention({}, {{{1, 4, 5, "size"}}, {{1, 2, 7, "size"}}, k}), Code::kUnsupported, {"'y0'", "size", "scale"});
  check_fails(attention({}, {q, k, k, {{5, 8}}}), Code::kInvalidArgument, {"[5, 8]", "7 keys"});
  check_fails(attention({}, {q, k, k, {{3, 5, 7}}}), Code::kInvalidArgument, {"[3, 5, 7]", "4 heads"});
  check_fails(attention({}, {q, k, k, kNone, k}), Code::kInvalidArgument, {"past keys or past values alone"});
  check_fails(attention({}, {{{1, 5, 32}}, {{1, 7, 16}}, {{1, 7, 16}}}), Code::kInvalidArgument, {"0 heads"});
  CHECK(attention({attribute("scale", 0.25f)}, {{{1, 4, 5, "size"}}, {{1, 2, 7, "size"}}, k}).ok());
}

TEST_CASE("rotary embeddings refuse what they do not turn") {
  auto rotary = [](const std::vector<Message>& attributes) {
    return node_of("RotaryEmbedding", kMicrosoft, {{{2, 5, 24}}, {{2, 5}, onnx::kInt64}, {{20, 4}}, {{20, 4}}}, attributes)
        .load();
  };
  CHECK(rotary({}).ok());
  check_fails(rotary({attribute("is_packed_batching", 1)}), Code::kUnsupported, {"packed batches"});
  check_fails(rotary({attribute("scale", 2.0f)}), Code::kUnsupported, {"scale of positions"});
  const std::vector<Given> own = {{{2, 3, 5, 8}}, {{20, 3}}, {{20, 3}}, {{2, 5}, onnx::kInt64}};
  check_fails(node_of("RotaryEmbedding", "", own, {}).load(), Code::kInvalidArgument, {"for 6 elements", "8 turn"});
}

TEST_CASE("contrib Attention refuses what it does not compute") {
  const Given x{{2, 5, 24}}, w{{24, 72}};
  auto attention = [&](std::vector<Message> attributes, const std::vector<Given>& more) {
    attributes.push_back(attribute("num_heads", 3));
    std::vector<Given> inputs = {x, w, kNone};
    inputs.insert(inputs.end(), more.begin(), more.end());
    return node_of("Attention", kMicrosoft, inputs, attributes).load();
  };
  CHECK(attention({}, {}).ok());
  check_fails(attention({attribute("do_rotary", 1)}, {}), Code::kUnsupported, {"do_rotary"});
  check_fails(attention({attribute("past_present_share_buffer", 1)}, {}), Code::kUnsupported, {"past_present_share_buffer"});
  check_fails(attention({}, {{{8}, onnx::kInt32}}), Code::kUnsupported, {"a mask of the shape [8]", "2 sequences"});
  check_fails(attention({}, {{{2, 1, 9, 9}, onnx::kInt32}}), Code::kUnsupported, {"a mask of the shape [2, 1, 9, 9]"});
  check_fails(attention({list("qkv_hidden_sizes", {24, 24, 12})}, {}), Code::kInvalidArgument, {"72 columns"});
}

TEST_CASE("MultiHeadAttention refuses what it does not compute") {
  const Given x{{2, 5, 24}}, packed{{2, 5, 3, 3, 8}}, past{{2, 3, 4, 8}}, number{{1}, onnx::kInt32}, bias{{72}};
  auto attention = [&](const std::vector<Given>& inputs, int outputs = 1) {
    return node_of("MultiHeadAttention", kMicrosoft, inputs, {attribute("num_heads", 3)}, outputs).load();
  };
  CHECK(attention({packed}).ok());
  check_fails(attention({packed, kNone, kNone, bias}), Code::kUnsupported, {"a bias of packed queries"});
  check_fails(attention({x, {{2, 7, 3, 2, 8}}, kNone, bias}), Code::kUnsupported, {"a bias of packed keys"});
  check_fails(attention({x, past, past, kNone, kNone, kNone, past, past}), Code::kUnsupported, {"past beside keys"});
  check_fails(attention({x, x, x, kNone, kNone, kNone, past, past, number}), Code::kUnsupported, {"past_sequence_length"});
  check_fails(attention({x, x, x, kNone, {{8}, onnx::kInt32}}), Code::kUnsupported, {"a mask of the shape [8]"});
  check_fails(attention({x, x, x}, 4), Code::kUnsupported, {"its output 'y3'"});
}

TEST_CASE("GroupQueryAttention refuses what it does not compute") {
  const Given q{{2, 1, 32}}, k{{2, 1, 16}}, past{{2, 2, 9, 8}}, last{{2}, onnx::kInt32}, total{{1}, onnx::kInt32};
  auto attention = [&](std::vector<Message> attributes, std::vector<Given> inputs) {
    attributes.push_back(attribute("num_heads", 4));
    attributes.push_back(attribute("kv_num_heads", 2));
    return node_of("GroupQueryAttention", kMicrosoft, inputs, attributes).load();
  };
  const std::vector<Given> first = {q, k, k, kNone, kNone, last, total};
  CHECK(attention({}, first).ok());
  check_fails(attention({attribute("sliding_window_cache", 1)}, first), Code::kUnsupported, {"sliding_window_cache"});
  check_fails(attention({attribute("smooth_softmax", 1)}, first), Code::kUnsupported, {"smooth_softmax"});
  check_fails(attention({attribute("qk_output", 1)}, first), Code::kUnsupported, {"qk_output"});
  check_fails(attention({attribute("k_quant_type", "PER_TENSOR")}, first), Code::kUnsupported, {"quantised caches"});
  check_fails(attention({attribute("causal", 0), attribute("local_window_size", 3)}, first), Code::kUnsupported, {"window"});
  check_fails(attention({attribute("do_rotary", 1)}, first), Code::kInvalidArgument, {"no tables"});
  check_fails(attention({}, {q, k, k, past, past, last, total}), Code::kUnsupported,
              {"total_sequence_length is computed from data"});
  check_fails(attention({}, {q, k, k, kNone, kNone, last}), Code::kInvalidArgument, {"total_sequence_length"});
  std::vector<Given> more = first;
  more.resize(11);
  more.push_back({{4}});
  check_fails(attention({}, more), Code::kUnsupported, {"head_sink"});
  more = first;
  more.resize(14);
  more.push_back({{8}});
  more.push_back({{8}});
  check_fails(attention({}, more), Code::kUnsupported, {"q_norm_weight"});
}

TEST_CASE("scatters refuse reductions, and more comparisons than they are worth") {
  const Given places{{3, 1}, onnx::kInt64};
  auto scatter = [](std::string_view op, const std::vector<Given>& inputs, const std::vector<Message>& attributes) {
    return node_of(op, "", inputs, attributes).load();
  };
  CHECK(scatter("ScatterND", {{{6, 7}}, places, {{3, 7}}}, {}).ok());
  check_fails(scatter("ScatterND", {{{6, 7}}, places, {{3, 7}}}, {attribute("reduction", "add")}), Code::kUnsupported,
              {"'add'"});
  check_fails(scatter("ScatterElements", {{{6, 7}}, {{6, 2}, onnx::kInt64}, {{6, 2}}}, {attribute("reduction", "max")}),
              Code::kUnsupported, {"'max'"});
  check_fails(scatter("ScatterND", {{{1 << 20, 7}}, {{1 << 12, 1}, onnx::kInt64}, {{1 << 12, 7}}}, {}), Code::kUnsupported,
              {"4096 updates", "1048576 elements", "the limit is 1073741824"});
  check_fails(scatter("ScatterND", {{{"n", 7}}, {{"m", 1}, onnx::kInt64}, {{"m", 7}}}, {}), Code::kUnsupported, {"m updates"});
  check_fails(scatter("TensorScatter", {{{2, 3, 5}}, {{2, 4, 5}}}, {}), Code::kInvalidArgument, {"[2, 4, 5]", "[2, 3, 5]"});
}

TEST_CASE("an RMS norm has its scale's type, and its statistics where they are read") {
  const Given x{{5, 33}}, narrow{{33}, onnx::kFloat16};
  Graph graph = loaded(node_of("RMSNormalization", "", {x, narrow}, {}));
  CHECK(graph.value(graph.outputs[0]).dtype == Dtype::kF16);
  graph = loaded(node_of("SimplifiedLayerNormalization", "", {x, {{33}}}, {}, 2));
  CHECK(output_shape(graph, 1) == "[5, 1]");
}
