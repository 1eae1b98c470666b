// Which kernels the attention operators of ONNX files become: one walk over the keys each, with what stores caches before it.
// That the numbers are right is for tests/models/check_devices.cpp, against a third party.
#include <limits>
#include <string>
#include <vector>

#include "compile/stages.h"
#include "unit/device_text.h"
#include "unit/model/onnx_writer.h"

namespace tuff {
namespace {

using onnx_test::attribute;
using onnx_test::Message;
using onnx_test::Model;
using onnx_test::Size;

constexpr std::string_view kContrib = "com.microsoft";

struct Input {
  std::string name;
  std::vector<Size> sizes;
  int32_t type = onnx::kFloat;
};

struct Operator {
  std::string_view name, domain;
  std::vector<Input> inputs;  // a name that starts with '#' is a constant, added by the test; an empty one is left out
  std::vector<Message> attributes;
  int outputs = 1;
};

Model model_of(const Operator& op, const std::vector<Message>& constants) {
  Model model(24);
  for (const Message& constant : constants) model.initializer(constant);
  std::vector<std::string> names, outputs;
  for (const Input& input : op.inputs) {
    names.push_back(input.name);
    if (!input.name.empty() && input.name[0] != '#') model.input(input.name, input.sizes, input.type);
  }
  for (int i = 0; i < op.outputs; ++i) outputs.push_back("y" + std::to_string(i));
  model.node(op.name, names, outputs, op.attributes, op.domain);
  for (const std::string& name : outputs) model.output(name);
  return model;
}

// The kinds of the dispatches, in order.
std::string dispatches_of(const Operator& op, const std::vector<Message>& constants = {}) {
  const Graph graph = onnx_test::loaded(model_of(op, constants));
  auto stages = run_stages(graph, device_text("rx_6900"), {}, Stage::kPlan);
  REQUIRE_MESSAGE(stages.ok(), stages.status().message());
  CHECK_MESSAGE(stages->plan.steps.size() == stages->fusion.groups.size(), explain(stages->fusion, stages->laid_out));
  std::string kinds;
  for (const Group& group : stages->fusion.groups) {
    if (!kinds.empty()) kinds += " ";
    kinds += group.members.empty() ? "copy" : kind_name(group.kind);
  }
  INFO(explain(stages->fusion, stages->laid_out));
  return kinds;
}

std::vector<Input> heads(int64_t count, int64_t groups) {
  return {{"q", {2, count, "queries", 32}}, {"k", {2, groups, "keys", 32}}, {"v", {2, groups, "keys", 32}}};
}

std::vector<Input> with(std::vector<Input> inputs, const std::vector<Input>& more) {
  inputs.insert(inputs.end(), more.begin(), more.end());
  return inputs;
}

Message counts_constant(std::string_view name, std::vector<int32_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return onnx_test::tensor(name, onnx::kInt32, {count}, values);
}

}  // namespace

TEST_CASE("Attention is one kernel") {
  CHECK(dispatches_of({"Attention", "", heads(4, 4), {}}) == "attend");
  CHECK(dispatches_of({"Attention", "", heads(4, 2), {}}) == "attend");
  CHECK(dispatches_of({"Attention", "", heads(4, 1), {attribute("is_causal", 1)}}) == "attend");
  CHECK(dispatches_of({"Attention", "", heads(4, 2), {attribute("softcap", 2.0f), attribute("is_causal", 1)}}) == "attend");
  const std::vector<Input> three = {{"q", {1, "n", 128}}, {"k", {1, "n", 64}}, {"v", {1, "n", 64}}};
  const std::vector<Message> counts = {attribute("q_num_heads", 4), attribute("kv_num_heads", 2), attribute("is_causal", 1)};
  CHECK(dispatches_of({"Attention", "", three, counts}) == "attend");
}

TEST_CASE("Attention in f16 is one kernel, computed in f32") {
  std::vector<Input> inputs = heads(4, 2);
  for (Input& input : inputs) input.type = onnx::kFloat16;
  CHECK(dispatches_of({"Attention", "", inputs, {attribute("is_causal", 1)}}) == "attend");
}

TEST_CASE("Attention with a mask is one kernel, after whether a query has any key") {
  const Input floats{"mask", {1, 1, "queries", "keys"}}, bools{"mask", {2, 1, "queries", "keys"}, onnx::kBool};
  CHECK(dispatches_of({"Attention", "", with(heads(4, 4), {floats}), {}}) == "reduce attend");
  CHECK(dispatches_of({"Attention", "", with(heads(4, 2), {bools}), {}}) == "reduce attend");
  CHECK(dispatches_of({"Attention", "", with(heads(4, 2), {bools}), {attribute("is_causal", 1)}}) == "reduce attend");
}

TEST_CASE("Attention with a past stores the present first") {
  const std::vector<Input> past = {{"", {}}, {"pk", {2, 2, "past", 32}}, {"pv", {2, 2, "past", 32}}};
  CHECK(dispatches_of({"Attention", "", with(heads(4, 2), past), {attribute("is_causal", 1)}, 3}) == "copy copy attend");
}

TEST_CASE("MultiHeadAttention is one kernel") {
  const std::vector<Input> inputs = {{"q", {2, "queries", 96}}, {"k", {2, "keys", 96}}, {"v", {2, "keys", 96}}};
  const Message number = attribute("num_heads", 3);
  CHECK(dispatches_of({"MultiHeadAttention", kContrib, inputs, {number}}) == "attend");
  const std::vector<Input> padding = {{"", {}}, {"mask", {2, "keys"}, onnx::kInt32}};
  CHECK(dispatches_of({"MultiHeadAttention", kContrib, with(inputs, padding), {number}}) == "attend");
  const std::vector<Input> same = {{"q", {2, "n", 96}}, {"k", {2, "n", 96}}, {"v", {2, "n", 96}}};
  CHECK(dispatches_of({"MultiHeadAttention", kContrib, same, {number, attribute("unidirectional", 1)}}) == "attend");
}

TEST_CASE("Attention with packed weights is a product and a kernel") {
  const std::vector<Input> inputs = {{"x", {1, "n", 64}}, {"#w", {}}, {"#b", {}}, {"mask", {1, "n"}, onnx::kInt32}};
  const std::vector<Message> constants = {onnx_test::floats("#w", {64, 192}, std::vector<float>(64 * 192, 0.1f)),
                                          onnx_test::floats("#b", {192}, std::vector<float>(192, 0.1f))};
  CHECK(dispatches_of({"Attention", kContrib, inputs, {attribute("num_heads", 2)}}, constants) == "contract attend");
}

TEST_CASE("GroupQueryAttention is one kernel, after those that store keys and values") {
  const std::vector<Message> counts = {attribute("num_heads", 4), attribute("kv_num_heads", 2)};
  const std::vector<Input> first = {{"q", {1, 40, 128}}, {"k", {1, 40, 64}}, {"v", {1, 40, 64}}, {"", {}}, {"", {}},
                                    {"#last", {}},       {"#total", {}}};
  const std::vector<Message> of_first = {counts_constant("#last", {39}), counts_constant("#total", {40})};
  CHECK(dispatches_of({"GroupQueryAttention", kContrib, first, counts}, of_first) == "attend");
  const std::vector<Input> step = {{"q", {2, 1, 128}},      {"k", {2, 1, 64}},       {"v", {2, 1, 64}},
                                   {"pk", {2, 2, 256, 32}}, {"pv", {2, 2, 256, 32}}, {"last", {2}, onnx::kInt32},
                                   {"#total", {}}};
  const std::vector<Message> of_step = {counts_constant("#total", {256})};
  CHECK(dispatches_of({"GroupQueryAttention", kContrib, step, counts, 3}, of_step) == "map map attend");
}

}  // namespace tuff
