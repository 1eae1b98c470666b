// One program and one session for sentences of any length: the network's two sizes are symbols, and a run takes those of its
// inputs. What a pair of sizes needs is made when it comes first; rounding lengths up keeps such pairs few.
#include "encoder.h"

#include <algorithm>
#include <numeric>

namespace search {
namespace {

constexpr int64_t kTokenLimit = 256;   // what the network was trained for
constexpr int64_t kTokenStep = 16;     // lengths are multiples of it
constexpr size_t kSentenceLimit = 16;  // of one run

size_t rounded_up(size_t token_count) { return (token_count + kTokenStep - 1) / kTokenStep * kTokenStep; }

}  // namespace

tuff::Result<Encoder> Encoder::open(const std::string& folder, const EncoderOptions& options) {
  Encoder encoder;
  auto tokenizer = Tokenizer::load_file(folder + "/vocab.txt");
  if (!tokenizer) return tokenizer.error();
  encoder.tokenizer_ = std::move(*tokenizer);

  tuff::DeviceOptions any;
  any.selector = options.device;
  any.allow_software = true;
  auto device = tuff::Device::open(any);
  if (!device) return device.error();
  encoder.device_ = *device;

  tuff::ModelOptions sizes;  // kernels are chosen for what can come
  sizes.symbols = {{"sentences", 1, kSentenceLimit}, {"tokens", kTokenStep, kTokenLimit, kTokenStep}};
  auto model = tuff::Model::load_file(folder + "/model.onnx", sizes);
  if (!model) return model.error();
  const auto outputs = model->tensors(TUFF_OUTPUT);
  if (model->tensors(TUFF_INPUT).size() != 2 || outputs.size() != 1 || outputs[0].sizes.size() != 2 || outputs[0].sizes[1] < 1)
    return tuff::Error{TUFF_INVALID_ARGUMENT, "'" + folder + "/model.onnx' is not what make_model.py makes."};
  encoder.size_ = static_cast<size_t>(outputs[0].sizes[1]);

  tuff::ProgramOptions compile;
  compile.cache_dir = options.cache_dir;
  compile.fuse = options.fuse;
  auto program = tuff::Program::create(*device, *model, compile);
  if (!program) return program.error();
  tuff::SessionOptions kept;
  kept.prepared_shape_count = 2 * kTokenLimit / kTokenStep;  // of each length full runs, and the last one
  auto session = tuff::Session::create(*program, kept);
  if (!session) return session.error();
  encoder.session_ = *session;
  return encoder;
}

tuff::Result<std::vector<float>> Encoder::encode(std::span<const std::string> texts, size_t* cut_count) {
  std::vector<std::vector<int32_t>> sentences;
  size_t cut = 0;
  for (const std::string& text : texts) {
    Tokens tokens = tokenizer_.encode(text, kTokenLimit);
    cut += tokens.is_cut;
    sentences.push_back(std::move(tokens.ids));
  }
  if (cut_count) *cut_count = cut;

  // Those of like length together, so that less than kTokenStep tokens of each are filled up.
  std::vector<size_t> order(sentences.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sentences[a].size() < sentences[b].size(); });
  std::vector<float> out(sentences.size() * size_);
  for (size_t at = 0, end = 0; at < order.size(); at = end) {
    const size_t length = rounded_up(sentences[order[at]].size());
    while (end < order.size() && end - at < kSentenceLimit && rounded_up(sentences[order[end]].size()) == length) ++end;
    if (auto done = run(sentences, std::span(order).subspan(at, end - at), length, out); !done) return done.error();
  }
  return out;
}

tuff::Status Encoder::run(std::span<const std::vector<int32_t>> sentences, std::span<const size_t> chosen, size_t length,
                          std::vector<float>& out) {
  std::vector<int32_t> ids(chosen.size() * length), mask(ids.size());  // zeros
  for (size_t i = 0; i < chosen.size(); ++i) {
    const std::vector<int32_t>& sentence = sentences[chosen[i]];
    std::copy(sentence.begin(), sentence.end(), ids.data() + i * length);
    std::fill_n(mask.data() + i * length, sentence.size(), 1);
  }
  std::vector<float> embeddings(chosen.size() * size_);

  const int64_t shape[] = {static_cast<int64_t>(chosen.size()), static_cast<int64_t>(length)};
  tuff::Tensor inputs[2], output;
  inputs[0] = {TUFF_I32, shape, ids.data(), ids.size() * sizeof(int32_t), {}};
  inputs[1] = {TUFF_I32, shape, mask.data(), mask.size() * sizeof(int32_t), {}};
  output = {TUFF_F32, {}, embeddings.data(), embeddings.size() * sizeof(float), {}};
  if (auto done = session_.run(inputs, {&output, 1}); !done) return done;

  for (size_t i = 0; i < chosen.size(); ++i) std::copy_n(embeddings.data() + i * size_, size_, out.data() + chosen[i] * size_);
  return {};
}

double cosine(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace search
