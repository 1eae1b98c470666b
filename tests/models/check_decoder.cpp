// A decoder with random weights writes 200 tokens, each from the logits of the one before, as the reference does: two layers of
// RMSNorm, rotary positions, grouped-query attention over what was there and what is new, and SwiGLU; up to 1024 positions, and
// the caches are state that grows. All is recorded before the first token: once where the caches grow in place, and once for
// each of the two buffers that others have.
#include <algorithm>
#include <cmath>

#include "compile/compile.h"
#include "reference/reference.h"
#include "session/session.h"
#include "simplify/simplify.h"
#include "unit/model/onnx_writer.h"

namespace tuff {
namespace {

constexpr int64_t kHidden = 64, kHeads = 4, kKeyHeads = 2, kDepth = 16, kInner = 128, kVocabulary = 256;
constexpr int64_t kContext = 1024;
constexpr size_t kLayers = 2, kTokens = 200;
constexpr int kInt32 = 6;
const std::vector<int32_t> kPrompt = {17, 3, 250, 99, 101};

// Where a cache's positions lie: outermost, or inside each head, as most exporters have them.
enum class Cache { kByPosition, kByHead };

class Decoder {
 public:
  explicit Decoder(Cache cache) : cache_(cache) {
    model_.input("ids", {"new"}, kInt32).input("positions", {"new"}, kInt32);
    std::string x = node("Gather", {weights("embedding", {kVocabulary, kHidden}, 1), "ids"});
    place_positions();
    for (size_t layer = 0; layer < kLayers; ++layer) x = add_layer(x, std::to_string(layer));
    model_.node("MatMul", {normalized(x, "last"), weights("head", {kHidden, kVocabulary}, 0.3f)}, {"logits"});
    model_.output("logits");
    for (const std::string& name : presents_) model_.output(name);
  }
  const onnx_test::Model& model() const { return model_; }

 private:
  std::string node(const char* op, const std::vector<std::string>& inputs,
                   const std::vector<onnx_test::Message>& attributes = {}) {
    const std::string name = "t" + std::to_string(node_count_++);
    model_.node(op, inputs, {name}, attributes);
    return name;
  }
  // Uniform, and of a size that keeps sums near 1.
  std::string weights(const std::string& name, const std::vector<int64_t>& shape, float scale) {
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) {
      random_ = random_ * 6364136223846793005u + 1442695040888963407u;
      value = scale * (static_cast<float>(random_ >> 40) / static_cast<float>(1 << 23) - 1);
    }
    model_.initializer(onnx_test::floats(name, shape, values));
    return name;
  }
  std::string number(float value) {
    const std::string name = "c" + std::to_string(node_count_++);
    model_.initializer(onnx_test::floats(name, std::vector<int64_t>(), {value}));
    return name;
  }
  std::string sizes(const std::vector<int64_t>& values) {
    const std::string name = "c" + std::to_string(node_count_++);
    model_.initializer(onnx_test::integers(name, values));
    return name;
  }

  std::string normalized(const std::string& x, const std::string& name) {
    const std::string mean = node("ReduceMean", {node("Mul", {x, x})}, {onnx_test::list("axes", {-1})});
    const std::string root = node("Sqrt", {node("Add", {mean, number(1e-5f)})});
    return node("Mul", {node("Div", {x, root}), weights("norm_" + name, {kHidden}, 1)});
  }

  // cos and sin of each position's angles, [new, 1, depth], and which keys each position sees, [new, past + new].
  void place_positions() {
    std::vector<float> rates;
    for (int64_t i = 0; i < kDepth / 2; ++i)
      rates.push_back(std::pow(10000.0f, -2 * static_cast<float>(i) / static_cast<float>(kDepth)));
    model_.initializer(onnx_test::floats("rates", {1, kDepth / 2}, rates));
    const std::string at = node("Unsqueeze", {node("Cast", {"positions"}, {onnx_test::attribute("to", 1)}), sizes({1})});
    const std::string half = node("Mul", {at, "rates"});
    const std::string angles = node("Concat", {half, half}, {onnx_test::attribute("axis", 1)});
    cos_ = node("Unsqueeze", {node("Cos", {angles}), sizes({1})});
    sin_ = node("Unsqueeze", {node("Sin", {angles}), sizes({1})});
    position_ = at;
  }

  std::string mask(const std::string& keys) {  // keys: [key heads, past + new, depth]
    if (!mask_.empty()) return mask_;
    const std::string zero = "zero_i", one = "one_i";
    model_.initializer(onnx_test::integer(zero, 0)).initializer(onnx_test::integer(one, 1));
    const std::string length = node("Gather", {node("Shape", {keys}), one});
    const std::string all = node("Cast", {node("Range", {zero, length, one})}, {onnx_test::attribute("to", 1)});
    return mask_ = node("Where", {node("Greater", {all, position_}), number(-1e9f), number(0.0f)});
  }

  std::string rotated(const std::string& x) {  // [new, heads, depth]
    const std::string first = node("Slice", {x, sizes({0}), sizes({kDepth / 2}), sizes({2})});
    const std::string second = node("Slice", {x, sizes({kDepth / 2}), sizes({kDepth}), sizes({2})});
    const std::string turned = node("Concat", {node("Neg", {second}), first}, {onnx_test::attribute("axis", 2)});
    return node("Add", {node("Mul", {x, cos_}), node("Mul", {turned, sin_})});
  }

  // The cache with x: [new, key heads, depth] behind it, by head.
  std::string appended(const std::string& name, const std::string& x) {
    const std::string past = "past_" + name, present = "present_" + name;
    presents_.push_back(present);
    if (cache_ == Cache::kByPosition) {
      model_.input(past, {"past", kKeyHeads, kDepth});
      model_.node("Concat", {past, x}, {present}, {onnx_test::attribute("axis", 0)});
      return node("Transpose", {present}, {onnx_test::list("perm", {1, 0, 2})});
    }
    model_.input(past, {kKeyHeads, "past", kDepth});
    model_.node("Concat", {past, node("Transpose", {x}, {onnx_test::list("perm", {1, 0, 2})})}, {present},
                {onnx_test::attribute("axis", 1)});
    return present;
  }

  // Each key head serves several heads: [heads, past + new, depth].
  std::string repeated(const std::string& x) {
    const std::string copies = node("Expand", {node("Unsqueeze", {x, sizes({1})}), sizes({1, kHeads / kKeyHeads, 1, 1})});
    return node("Reshape", {copies, sizes({kHeads, -1, kDepth})});
  }

  std::string heads(const std::string& x, const std::string& name, int64_t count, float scale) {
    return node("Reshape", {node("MatMul", {x, weights(name, {kHidden, count * kDepth}, scale)}), sizes({-1, count, kDepth})});
  }

  std::string attention(const std::string& x, const std::string& layer) {
    const std::string q =
        node("Transpose", {rotated(heads(x, "q" + layer, kHeads, 0.6f))}, {onnx_test::list("perm", {1, 0, 2})});
    const std::string k = appended("k" + layer, rotated(heads(x, "k" + layer, kKeyHeads, 0.6f)));
    const std::string v = appended("v" + layer, heads(x, "v" + layer, kKeyHeads, 0.4f));
    const std::string scores = node("MatMul", {q, node("Transpose", {repeated(k)}, {onnx_test::list("perm", {0, 2, 1})})});
    const std::string scaled = node("Mul", {scores, number(1 / std::sqrt(static_cast<float>(kDepth)))});
    const std::string shares = node("Softmax", {node("Add", {scaled, mask(k)})}, {onnx_test::attribute("axis", -1)});
    const std::string mixed = node("Transpose", {node("MatMul", {shares, repeated(v)})}, {onnx_test::list("perm", {1, 0, 2})});
    const std::string flat = node("Reshape", {mixed, sizes({-1, kHeads * kDepth})});
    return node("MatMul", {flat, weights("o" + layer, {kHeads * kDepth, kHidden}, 0.2f)});
  }

  std::string add_layer(std::string x, const std::string& layer) {
    x = node("Add", {x, attention(normalized(x, "attention" + layer), layer)});
    const std::string n = normalized(x, "inner" + layer);
    const std::string gate = node("MatMul", {n, weights("gate" + layer, {kHidden, kInner}, 0.2f)});
    const std::string up = node("MatMul", {n, weights("up" + layer, {kHidden, kInner}, 0.2f)});
    const std::string inner = node("Mul", {node("Mul", {gate, node("Sigmoid", {gate})}), up});
    return node("Add", {x, node("MatMul", {inner, weights("down" + layer, {kInner, kHidden}, 0.2f)})});
  }

  onnx_test::Model model_;
  Cache cache_;
  std::string cos_, sin_, position_, mask_;
  std::vector<std::string> presents_;
  int node_count_ = 0;
  uint64_t random_ = 7;
};

// ids, then positions from `past` on.
std::vector<Tensor> tokens_at(const std::vector<int32_t>& ids, int64_t past) {
  const auto count = static_cast<int64_t>(ids.size());
  std::vector<int32_t> positions;
  for (int64_t i = 0; i < count; ++i) positions.push_back(static_cast<int32_t>(past + i));
  return {make_tensor(Dtype::kI32, {count}, ids), make_tensor(Dtype::kI32, {count}, positions)};
}

int32_t likeliest(std::span<const float> logits) {  // of the last position
  const auto last = logits.last(static_cast<size_t>(kVocabulary));
  return static_cast<int32_t>(std::max_element(last.begin(), last.end()) - last.begin());
}

struct Written {
  std::vector<int32_t> tokens;
  std::vector<std::vector<float>> logits;
};

// The prompt in one run, then a token a run. step: the logits of ids at past.
template <class RunStep>
Written write_tokens(RunStep step) {
  Written written;
  std::vector<int32_t> ids = kPrompt;
  for (int64_t past = 0; written.tokens.size() < kTokens;) {
    written.logits.push_back(step(ids, past));
    past += static_cast<int64_t>(ids.size());
    ids = {likeliest(written.logits.back())};
    written.tokens.push_back(ids[0]);
  }
  return written;
}

Written by_reference(const Graph& graph) {
  std::vector<Tensor> caches;
  return write_tokens([&](const std::vector<int32_t>& ids, int64_t past) {
    std::vector<Tensor> inputs = tokens_at(ids, past);
    for (size_t i = 2; i < graph.inputs.size(); ++i) {
      std::vector<int64_t> shape;
      for (const IntExpr& size : graph.value(graph.inputs[i]).shape) shape.push_back(size.is_constant() ? size.constant() : 0);
      inputs.push_back(caches.empty() ? Tensor{Dtype::kF32, shape, {}} : caches[i - 2]);
    }
    auto outputs = evaluate(graph, inputs, {{"new", static_cast<int64_t>(ids.size())}, {"past", past}});
    REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
    caches.assign(outputs->begin() + 1, outputs->end());
    const auto logits = outputs->front().elements<float>();
    return std::vector<float>(logits.begin(), logits.end());
  });
}

struct DeviceRuns {
  Written written;
  uint64_t recordings = 0;  // all of the session's
  uint64_t state_bytes = 0;
};

DeviceRuns by_device(const std::shared_ptr<const Program>& program) {
  const Graph& graph = program->plan.graph;
  Device& device = *program->target.device;
  SessionOptions options;
  options.dynamic_dimensions = {"new", "past"};
  auto session = make_session(program, options);
  REQUIRE_MESSAGE(session.ok(), session.status().message());
  for (size_t i = 2; i < graph.inputs.size(); ++i) {
    const Status status = (*session)->alias(i - 1, i);
    REQUIRE_MESSAGE(status.ok(), status.message());
  }
  const uint64_t recordings = device.counters().recordings;
  Status prepared = (*session)->prepare({{"new", 1}});
  REQUIRE_MESSAGE(prepared.ok(), prepared.message());
  const DeviceCounters before = device.counters();
  DeviceRuns runs;
  runs.written = write_tokens([&](const std::vector<int32_t>& ids, int64_t past) {
    prepared = (*session)->prepare({{"new", static_cast<int64_t>(ids.size())}});
    REQUIRE_MESSAGE(prepared.ok(), prepared.message());
    const std::vector<Tensor> inputs = tokens_at(ids, past);
    for (size_t i = 0; i < inputs.size(); ++i)
      REQUIRE((*session)->write_input(i, {Dtype::kI32, inputs[i].shape, {4}, inputs[i].bytes.data()}).ok());
    const Status ran = run(**session);
    REQUIRE_MESSAGE(ran.ok(), ran.message());
    std::vector<float> logits(ids.size() * kVocabulary);
    const std::vector<int64_t> shape = {static_cast<int64_t>(ids.size()), kVocabulary};
    const Status read = (*session)->read_output(
        0, {Dtype::kF32, shape, dense_byte_strides(Dtype::kF32, shape), reinterpret_cast<std::byte*>(logits.data())});
    REQUIRE_MESSAGE(read.ok(), read.message());
    return logits;
  });
  const DeviceCounters after = device.counters();
  CHECK(after.recordings == before.recordings);
  CHECK(after.allocations == before.allocations);
  CHECK(after.descriptor_writes == before.descriptor_writes);
  CHECK(after.pipelines == before.pipelines);
  CHECK(after.submits == before.submits + kTokens);
  runs.recordings = after.recordings - recordings;
  runs.state_bytes = (*session)->prepared()->state_bytes;
  return runs;
}

TEST_CASE("a decoder writes 200 tokens as the reference does, and records before the first") {
  OpenOptions open_options;
  open_options.allow_software = true;
  auto target = open_target("", open_options);
  REQUIRE((target.ok() && target->kind == TargetKind::kDevice));
  LoadOptions load;
  load.symbols["new"] = {"new", 1, 16, 1, nullptr};
  load.symbols["past"] = {"past", 0, kContext, 1, nullptr};
  for (const Cache cache : {Cache::kByPosition, Cache::kByHead}) {
    CAPTURE(static_cast<int>(cache));
    const Graph graph = onnx_test::loaded(Decoder(cache).model(), load);
    for (const bool exact : {true, false}) {
      CAPTURE(exact);
      CompileOptions options;
      options.exact = exact;
      auto program = compile_model(graph, *target, options);
      REQUIRE_MESSAGE(program.ok(), program.status().message());
      const Written expected = by_reference((*program)->plan.graph);
      const DeviceRuns runs = by_device(*program);
      CHECK(runs.written.tokens == expected.tokens);
      if (exact) CHECK(runs.written.logits == expected.logits);
      CHECK(runs.recordings == (cache == Cache::kByPosition ? 1 : 2));
      const uint64_t cache_bytes = (kContext + 16) * kKeyHeads * kDepth * sizeof(float);  // 16: what a run may add
      CHECK(runs.state_bytes == 2 * kLayers * cache_bytes * runs.recordings);
      std::vector<int32_t> distinct = expected.tokens;
      std::sort(distinct.begin(), distinct.end());
      distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
      CHECK(distinct.size() > 10);  // it does not repeat itself at once
    }
  }
}

}  // namespace
}  // namespace tuff
