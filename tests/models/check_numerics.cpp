// Golden bits: what exact mode computes of each operator model, as hashes that stay while TUFF_NUMERICS_VERSION does. It holds
// shaders/lib, the orders of sums, simplify and the importer's decompositions together.
//
// check_numerics FOLDER GOLDENS: FOLDER as make_operator_models.py writes it; GOLDENS has version_N.txt, a line a case: its
// name, a hash of its inputs and one of its outputs. Exit status 1 where bits moved, or a case has no line.
// TUFF_UPDATE_GOLDENS=1 writes lines for new cases and for new inputs, and takes those of cases that are gone out, but moves no
// bits: that takes another number.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include "base/hash.h"
#include "model/model.h"
#include "operator_cases.h"
#include "reference/reference.h"
#include "simplify/simplify.h"
#include "tuff/tuff.h"

namespace tuff::test {
namespace {

struct Bits {
  std::string inputs, outputs;
};

void add(Hasher& hasher, const std::vector<Tensor>& tensors) {
  for (const Tensor& t : tensors) hasher.bytes(t.bytes.data(), t.bytes.size());
}

// Doubles are computed by the C library, whose bits are its own.
bool has_doubles(const Graph& graph) {
  for (const Value& v : graph.values)
    if (v.dtype == Dtype::kF64) return true;
  return false;
}

Result<Bits> bits_of(const std::string& folder, const Case& c) {
  TUFF_ASSIGN(Graph graph, load_model_file(model_path(folder, c)));
  SimplifyOptions options;
  options.exact = true;
  options.evaluate_constants = evaluate_closed;
  TUFF_ASSIGN(Graph simplified, simplify(graph, options));
  if (has_doubles(graph)) return unsupported("has doubles");
  Hasher inputs, outputs;
  for (int set = 0; set < c.input_sets; ++set) {
    TUFF_ASSIGN(InputSet arrays, read_input_set(folder, c, set, graph));
    add(inputs, arrays.inputs);
    TUFF_ASSIGN(std::vector<Tensor> computed, evaluate(simplified, arrays.inputs, arrays.symbols));
    add(outputs, computed);
  }
  return Bits{inputs.finish().hex().substr(0, 16), outputs.finish().hex().substr(0, 16)};
}

std::map<std::string, Bits> read_goldens(const std::string& path) {
  std::map<std::string, Bits> goldens;
  Result<std::string> text = read_text_file(path);
  if (!text.ok()) return goldens;
  std::istringstream lines(*text);
  std::string name;
  for (Bits bits; lines >> name >> bits.inputs >> bits.outputs;) goldens[name] = bits;
  return goldens;
}

int run(const std::string& folder, const std::string& goldens_folder) {
  auto cases = read_index(folder);
  if (!cases.ok()) {
    std::fprintf(stderr, "%s\n", cases.status().message().c_str());
    return 2;
  }
  const char* update = std::getenv("TUFF_UPDATE_GOLDENS");
  const bool updating = update && std::string_view(update) == "1";
  const std::string path = goldens_folder + "/version_" + std::to_string(TUFF_NUMERICS_VERSION) + ".txt";
  const std::map<std::string, Bits> goldens = read_goldens(path);
  std::map<std::string, Bits> found;
  int same = 0, failed = 0;
  auto fail = [&](const std::string& name, const char* what) {
    ++failed;
    std::printf("%s: %s\n", name.c_str(), what);
  };
  for (const Case& c : *cases) {
    auto bits = bits_of(folder, c);
    if (!bits.ok()) continue;  // refused by the importer, as check_reference knows
    found[c.name] = *bits;
    const auto golden = goldens.find(c.name);
    if (golden == goldens.end() || golden->second.inputs != bits->inputs) {
      if (!updating) fail(c.name, "it has no line, or another for other inputs; TUFF_UPDATE_GOLDENS=1 writes one");
    } else if (golden->second.outputs != bits->outputs) {
      fail(c.name, "its bits have moved: raise TUFF_NUMERICS_VERSION, or keep them");
    } else {
      ++same;
    }
  }
  for (const auto& [name, bits] : goldens)
    if (!found.contains(name) && !updating)
      fail(name, "there is no such case any more; TUFF_UPDATE_GOLDENS=1 takes its line out");
  if (updating && failed == 0) {
    std::string text;
    for (const auto& [name, bits] : found) text += name + " " + bits.inputs + " " + bits.outputs + "\n";
    Status written = make_folders(goldens_folder);
    if (written.ok()) written = write_text_file(path, text);
    if (!written.ok()) fail(path, written.message().c_str());
  }
  std::printf("%d cases have the bits of numerics version %d, %d have not\n", same, TUFF_NUMERICS_VERSION, failed);
  return failed > 0 || found.empty();
}

}  // namespace
}  // namespace tuff::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: check_numerics FOLDER GOLDENS\n");
    return 2;
  }
  return tuff::test::run(argv[1], argv[2]);
}
