// fuzz_kernels SECONDS [SEED] [SAVE_FOLDER]: random graphs on the first device against the reference. Prints the smallest
// graph of each failure, and saves it; the exit status is their count. The seed of the graph in work goes to standard
// error, so that a crash leaves it behind.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "kernels/check_graph.h"
#include "kernels/shrink_graph.h"

int main(int argc, char** argv) {
  using namespace tuff;
  if (argc < 2) {
    std::fprintf(stderr, "usage: fuzz_kernels SECONDS [SEED] [SAVE_FOLDER]\n");
    return 2;
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[1]));
  uint32_t seed = argc > 2 ? static_cast<uint32_t>(std::atoll(argv[2])) : 1;
  const uint32_t first = seed;
  auto device = test_device();
  if (!device.ok()) {
    std::fprintf(stderr, "%s\n", device.status().message().c_str());
    return 77;
  }
  int failures = 0, refused = 0, in_place = 0, counted = 0;
  for (; std::chrono::steady_clock::now() < end; ++seed) {
    std::fprintf(stderr, "\rseed %u ", seed);
    std::fflush(stderr);
    const GraphCase c = random_case(seed);
    // Fusion is where the bugs are; unfused kernels are the same code in simpler cases. A GPU's rates make its schedules,
    // and workgroups share sums where they may.
    RunMode of_gpu = {seed % 2 == 0, true, DeviceRates()}, shared = of_gpu;
    shared.exact = !of_gpu.exact;
    shared.parts = 2 + seed % 3;
    Verdict verdict = check_graph(c, *device, {{false, true}, {true, true}, of_gpu, shared, {seed % 2 == 0, false}});
    counted += verdict.counter_bytes > 0;
    in_place += verdict.in_place_count > 0;
    refused += verdict.kind == Verdict::Kind::kRefused;
    if (std::getenv("TUFF_FUZZ_REFUSALS") && verdict.kind == Verdict::Kind::kRefused)
      std::printf("seed %u: %s\n", seed, verdict.what.c_str());
    if (verdict.kind != Verdict::Kind::kDiffers) continue;
    ++failures;
    GraphCase smallest = shrink(c, [&](const GraphCase& smaller) {
      return check_graph(smaller, *device, {verdict.mode}).kind == Verdict::Kind::kDiffers;
    });
    Verdict last = check_graph(smallest, *device, {verdict.mode});
    std::string text = print(smallest, mode_text(verdict.mode) + ": " + last.what);
    std::printf("--- seed %u, %zu nodes\n%s%s\n", seed, smallest.graph.nodes.size(), text.c_str(), last.sources.c_str());
    std::fflush(stdout);
    if (argc > 3) (void)write_text_file(std::string(argv[3]) + "/seed_" + std::to_string(seed) + ".txt", text);
  }
  std::printf("%u graphs, %d failures, %d refused, %d with state in place, %d with results that workgroups share\n",
              seed - first, failures, refused, in_place, counted);
  return failures > 100 ? 100 : failures;
}
