#include "kernels/check_graph.h"

#include <cmath>
#include <cstring>
#include <sstream>

#include "reference/error_bound.h"
#include "reference/reference.h"

namespace tuff {
namespace {

std::string coordinate_text(const Tensor& t, int64_t index) {
  std::vector<int64_t> at(t.shape.size());
  for (size_t i = t.shape.size(); i-- > 0;) {
    at[i] = index % t.shape[i];
    index /= t.shape[i];
  }
  std::string out = "[";
  for (size_t i = 0; i < at.size(); ++i) out += (i ? ", " : "") + std::to_string(at[i]);
  return out + "]";
}

std::string number_text(double v) {
  std::ostringstream out;
  out.precision(10);
  out << v;
  return out.str();
}

// The first element that is wrong, or nothing.
std::string difference(const Tensor& got, const Tensor& want, const std::vector<double>* bound) {
  if (got.shape != want.shape) return "its shape is another one";
  if (!bound && got.bytes == want.bytes) return "";
  const size_t size = static_cast<size_t>(dtype_size_bytes(got.dtype));
  int64_t wrong = 0;
  std::string first;
  for (int64_t i = 0; i < got.element_count(); ++i) {
    const double g = got.at(i), w = want.at(i);
    bool same;
    if (bound) {
      double e = (*bound)[static_cast<size_t>(i)];
      same = std::isinf(e) || std::fabs(g - w) <= e || g == w || (std::isnan(g) && std::isnan(w));
    } else {
      same = std::memcmp(got.bytes.data() + static_cast<size_t>(i) * size, want.bytes.data() + static_cast<size_t>(i) * size,
                         size) == 0;
    }
    if (same) continue;
    if (wrong++ == 0)
      first = coordinate_text(got, i) + " is " + number_text(g) + " instead of " + number_text(w) +
              (bound ? " within " + number_text((*bound)[static_cast<size_t>(i)]) : "");
  }
  if (wrong == 0) return "";
  return first + "; " + std::to_string(wrong) + " of " + std::to_string(got.element_count()) + " elements are wrong";
}

}  // namespace

std::string mode_text(const RunMode& mode) {
  return std::string(mode.exact ? "exact" : "fast") + (mode.fuse ? " fused" : " unfused") +
         (mode.rates ? " at other rates" : "") + (mode.parts > 0 ? " over " + std::to_string(mode.parts) + " workgroups" : "") +
         (mode.byte_dots == ByteDots::kSame    ? " with dot products of like bytes"
          : mode.byte_dots == ByteDots::kMixed ? " with dot products of bytes"
                                               : "");
}

Verdict check_graph(const GraphCase& c, const std::shared_ptr<Device>& device, const std::vector<RunMode>& modes) {
  return check_graph(c, random_inputs(c), device, modes);
}

Verdict check_graph(const GraphCase& c, const std::vector<Tensor>& inputs, const std::shared_ptr<Device>& device,
                    const std::vector<RunMode>& modes) {
  Verdict verdict;
  auto refused = [&](const Status& status) {
    verdict.kind = Verdict::Kind::kRefused;
    verdict.what = status.message();
    return verdict;
  };
  if (Status valid = verify(c.graph); !valid.ok()) return refused(valid);
  auto floats = evaluate(c.graph, inputs, c.symbols);
  if (!floats.ok()) return refused(floats.status());
  auto truth = evaluate_with_bounds(c.graph, inputs, c.symbols);
  if (!truth.ok()) return refused(truth.status());
  std::vector<ValueId> bounded_as;
  for (const RunMode& mode : modes) {
    verdict.mode = mode;
    auto run = run_graph(c.graph, device, mode, inputs, c.symbols);
    if (!run.ok()) {
      if (run.status().code() == Code::kUnsupported) return refused(run.status());
      verdict.kind = Verdict::Kind::kDiffers;
      verdict.what = run.status().message();
      return verdict;
    }
    // What a convolution may be off by depends on its form.
    if (run->winograd != bounded_as) {
      bounded_as = run->winograd;
      truth = evaluate_with_bounds(c.graph, inputs, c.symbols, bounded_as);
      if (!truth.ok()) return refused(truth.status());
    }
    verdict.in_place_count += run->in_place_count;
    verdict.counter_bytes += run->counter_bytes;
    verdict.refused_count += run->refused_count;
    for (size_t o = 0; o < c.graph.outputs.size(); ++o) {
      const Tensor& got = run->outputs[o];
      // An integer whose bound is infinite hangs on how floats were rounded before it.
      std::string what =
          mode.exact ? difference(got, (*floats)[o], nullptr) : difference(got, (*truth)[o].truth, &(*truth)[o].error);
      if (what.empty()) continue;
      verdict.kind = Verdict::Kind::kDiffers;
      verdict.what = "output " + std::to_string(o) + " " + what;
      verdict.sources = run->sources;
      return verdict;
    }
  }
  return verdict;
}

std::string print(const GraphCase& c, const std::string& why) {
  std::string line = why;
  for (char& ch : line)
    if (ch == '\n') ch = ' ';
  std::string out = "// " + line.substr(0, 400) + "\n// seed=" + std::to_string(c.input_seed);
  if (c.special_values) out += " special=1";
  for (const auto& [name, size] : c.symbols) out += " " + name + "=" + std::to_string(size);
  return out + "\n" + print(c.graph, GraphPrintOptions{true});
}

Result<GraphCase> parse_case(const std::string& text, const std::string& source_name) {
  GraphCase c;
  std::istringstream lines(text);
  std::string line, graph;
  while (std::getline(lines, line)) {
    if (!line.starts_with("//")) {
      graph += line + "\n";
      continue;
    }
    if (!line.starts_with("// seed=")) continue;
    std::istringstream words(line.substr(3));
    for (std::string word; words >> word;) {
      size_t equals = word.find('=');
      if (equals == std::string::npos) return invalid_argument(source_name + ": '" + word + "' is no size.");
      int64_t value = std::atoll(word.c_str() + equals + 1);
      std::string name = word.substr(0, equals);
      if (name == "seed")
        c.input_seed = static_cast<uint32_t>(value);
      else if (name == "special")
        c.special_values = value != 0;
      else
        c.symbols[name] = value;
    }
  }
  TUFF_ASSIGN(c.graph, parse_graph(graph, source_name));
  return c;
}

}  // namespace tuff
