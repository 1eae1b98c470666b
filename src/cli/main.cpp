// The tuff command: finds the verb, reads its arguments, runs it.
#include <cstdio>
#include <cstring>
#include <exception>

#include "base/process.h"
#include "cli/arguments.h"
#include "cli/child.h"
#include "cli/verb.h"

namespace tuff::cli {
namespace {

const Verb* const kVerbs[] = {&kRunVerb,     &kBenchVerb,   &kProfileVerb, &kTuneVerb,   &kCompileVerb,
                              &kInspectVerb, &kExplainVerb, &kVerifyVerb,  &kDevicesVerb};

std::string overview() {
  std::string out = "tuff runs neural networks on any Vulkan GPU.\n\nUsage: tuff VERB [options]\n\nVerbs:\n";
  for (const Verb* verb : kVerbs) {
    std::string left = std::string("  ") + verb->name;
    left.resize(12, ' ');
    out += left + verb->summary + "\n";
  }
  return out + "\ntuff VERB --help says more. Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 refused.\n";
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int run(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(overview().c_str(), stderr);
    return kExitUsage;
  }
  std::string_view name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    print(overview());
    return kExitOk;
  }
  if (name == "--version") {
    uint32_t v = tuff_version();
    print("tuff " + std::to_string(v >> 22) + "." + std::to_string((v >> 12) & 1023) + "." + std::to_string(v & 4095) + "\n");
    return kExitOk;
  }
  for (const Verb* verb : kVerbs) {
    if (name != verb->name) continue;
    for (int i = 2; i < argc; ++i) {
      if (std::strcmp(argv[i], "--help") != 0 && std::strcmp(argv[i], "-h") != 0) continue;
      print(help_text(*verb));
      return kExitOk;
    }
    Result<Arguments> arguments = Arguments::parse(*verb, {argv + 2, static_cast<size_t>(argc - 2)});
    if (!arguments) return usage_error(arguments.error().message);
    if (wants_child(*arguments)) return run_in_child(*arguments, verb->name, {argv + 2, argv + argc}, 0);
    return verb->run(*arguments);
  }
  return usage_error("'" + std::string(name) + "' is no verb; see tuff --help.");
}

}  // namespace

int usage_error(const std::string& message) {
  std::fprintf(stderr, "tuff: %s\n", message.c_str());
  return kExitUsage;
}

int refused(const Error& error) {
  std::string name = detail::text([&](char* b, uint64_t c, uint64_t* n) { tuff_status_name(error.status, b, c, n); });
  std::fprintf(stderr, "tuff: %s: %s\n", name.c_str(), error.message.c_str());
  return kExitRefused;
}

}  // namespace tuff::cli

int main(int argc, char** argv) {
  try {
    std::vector<std::string> words = tuff::command_line(argc, argv);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    return tuff::cli::run(static_cast<int>(pointers.size()), pointers.data());
  } catch (const std::bad_alloc&) {
    std::fputs("tuff: OUT_OF_MEMORY: The command ran out of memory.\n", stderr);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tuff: INTERNAL: %s\n", e.what());
  }
  return tuff::cli::kExitRefused;
}
