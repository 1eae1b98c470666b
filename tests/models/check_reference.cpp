// Imports each operator model, runs the reference on its inputs, as imported and simplified, and compares with what
// onnxruntime computed. This holds the importer's decompositions, simplify and the reference against a third party.
//
// check_reference FOLDER [NAME...]: FOLDER as make_operator_models.py writes it. Exit status 1 if a case fails; a case that
// the importer refuses must be one of import_refusal's, with the reason that it gives.
#include <algorithm>
#include <cstdio>

#include "model/model.h"
#include "operator_cases.h"
#include "reference/reference.h"
#include "simplify/simplify.h"

namespace tuff::test {
namespace {

Result<std::string> compare_run(const Graph& graph, const InputSet& set, bool exact) {
  TUFF_ASSIGN(std::vector<Tensor> outputs, evaluate(graph, set.inputs, set.symbols));
  outputs = cut_to_size(graph, std::move(outputs));
  for (size_t i = 0; i < outputs.size(); ++i)
    if (auto wrong = difference(set.expected[i], outputs[i], exact)) return graph.output_names[i] + " " + *wrong;
  return std::string();
}

// "" where all is well.
Result<std::string> check(const std::string& folder, const Case& c) {
  TUFF_ASSIGN(Graph graph, load_model_file(model_path(folder, c)));
  TUFF_TRY(verify(graph));
  SimplifyOptions options;
  options.exact = true;
  options.evaluate_constants = evaluate_closed;
  TUFF_ASSIGN(Graph simplified, simplify(graph, options));
  for (int set = 0; set < c.input_sets; ++set) {
    TUFF_ASSIGN(InputSet arrays, read_input_set(folder, c, set, graph));
    for (const Graph* g : {&graph, &simplified}) {
      TUFF_ASSIGN(std::string wrong, compare_run(*g, arrays, c.exact));
      if (!wrong.empty()) return (g == &graph ? "" : "simplified, ") + ("input set " + std::to_string(set) + ": " + wrong);
    }
  }
  return std::string();
}

int run(const std::string& folder, const std::vector<std::string>& only) {
  auto cases = read_index(folder);
  if (!cases.ok()) {
    std::fprintf(stderr, "%s\n", cases.status().message().c_str());
    return 2;
  }
  int passed = 0, refused = 0, failed = 0;
  for (const Case& c : *cases) {
    if (!only.empty() && std::find(only.begin(), only.end(), c.name) == only.end()) continue;
    auto wrong = check(folder, c);
    std::string message = wrong.ok() ? *wrong : std::string(code_name(wrong.status().code())) + ": " + wrong.status().message();
    const char* expected = import_refusal(c.name);
    if (expected && wrong.status().code() == Code::kUnsupported && message.find(expected) != std::string::npos) {
      ++refused;
    } else if (message.empty() && !expected) {
      ++passed;
    } else {
      ++failed;
      std::printf("%s: %s\n", c.name.c_str(), message.empty() ? "should have been refused" : message.c_str());
    }
  }
  std::printf("%d passed, %d refused as expected, %d failed\n", passed, refused, failed);
  return failed > 0 || passed == 0;
}

}  // namespace
}  // namespace tuff::test

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: check_reference FOLDER [NAME...]\n");
    return 2;
  }
  return tuff::test::run(argv[1], {argv + 2, argv + argc});
}
