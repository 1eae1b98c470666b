// print and parse_graph are each other's inverse; a text that is wrong is refused with the line and the reason.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "every_primitive.h"
#include "golden.h"
#include "graph/element_text.h"

using namespace tuff;

namespace {

constexpr GraphPrintOptions kFull{true};

// The message of the failure; empty if the text is a graph.
std::string fault_of(const std::string& body) {
  return parse_graph("graph \"g\" {\n" + body + "}\n", "test.txt").status().message();
}

bool mentions(const std::string& message, std::string_view part) { return message.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a graph with every primitive reads back") {
  auto graph = every_primitive();
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  std::string text = print(*graph, kFull);
  golden::check("graph/every_primitive", print(*graph));
  auto back = parse_graph(text, "every_primitive.txt");
  REQUIRE_MESSAGE(back.ok(), back.status().message());
  CHECK(print(*back, kFull) == text);
  CHECK(print(*back) == print(*graph));
  CHECK(verify(*back).ok());
  CHECK(back->nodes.size() == graph->nodes.size());

  // Every alternative of Attrs and every map op is in it, so that nothing here goes untested when one is added.
  std::vector<bool> kinds(std::variant_size_v<Attrs>), maps(kMapOpCount);
  for (const Node& node : graph->nodes) {
    kinds[node.attrs.index()] = true;
    if (const auto* map = std::get_if<MapAttrs>(&node.attrs)) maps[static_cast<size_t>(map->op)] = true;
  }
  CHECK(std::count(kinds.begin(), kinds.end(), false) == 0);
  CHECK(std::count(maps.begin(), maps.end(), false) == 0);
}

TEST_CASE("constants keep their bytes") {
  auto graph = every_primitive();
  REQUIRE(graph.ok());
  auto back = parse_graph(print(*graph, kFull), "full");
  REQUIRE_MESSAGE(back.ok(), back.status().message());
  int compared = 0;
  for (size_t n = 0; n < graph->nodes.size(); ++n) {
    const auto* a = std::get_if<ConstantAttrs>(&graph->nodes[n].attrs);
    if (!a) continue;
    auto before = constant_bytes(*a);
    auto after = constant_bytes(std::get<ConstantAttrs>(back->nodes[n].attrs));
    REQUIRE(before.ok());
    REQUIRE(after.ok());
    CHECK(std::equal(before->data.begin(), before->data.end(), after->data.begin(), after->data.end()));
    ++compared;
  }
  CHECK(compared >= 6);
}

TEST_CASE("a text with a hash instead of bytes is refused with a clear sentence") {
  auto graph = every_primitive();
  REQUIRE(graph.ok());
  auto back = parse_graph(print(*graph), "short.txt");
  REQUIRE_FALSE(back.ok());
  CHECK(mentions(back.status().message(), "short.txt, line "));
  CHECK(mentions(back.status().message(), "a hash of this constant and not its bytes"));
}

TEST_CASE("names, numbering and comments survive") {
  std::string text =
      "graph \"a \\\"b\\\" \\\\ \\x0a \xc3\xa9\" {\n"
      "  input %2 \"x y\": f32[2]\n"
      "  %0: f32[2] = map.neg %2 from \"\\x01\", \"b\"\n"
      "  %1: f32[2] = map.abs %0 from \"c\"\n"
      "  output %2 \"same\"\n"
      "  output %1 \"out\"\n"
      "}\n";
  auto graph = parse_graph("# a comment\n" + text, "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->name == "a \"b\" \\ \n \xc3\xa9");
  CHECK(graph->nodes[0].origins[0] == "\x01");
  CHECK(print(*graph) == text);
}

TEST_CASE("what is wrong with a text is said with its line") {
  struct Case {
    const char* body;
    const char* reason;
  };
  const Case cases[] = {
      {"  wrong\n", "line 2: '%' was expected, found 'wrong'"},
      {"  input %0 \"x\": f32[2]\n  %0: f32[2] = map.neg %0 from \"a\"\n", "line 3: %0 is defined twice"},
      {"  %0: f32[2] = map.neg %0 from \"a\"\n", "a node cannot read its own output"},
      {"  %0: f32[2] = map.neg %1 from \"a\"\n", "line 2: %1 is not defined above"},
      {"  input %0 \"x\": f32[2]\n  %1: f32[2] = map.nag %0 from \"a\"\n", "'map.nag' is no op"},
      {"  input %0 \"x\": f32[2]\n  %1: f32[2] = nag %0 {axis=0} from \"a\"\n", "'nag' is no op"},
      {"  input %0 \"x\": f32[2]\n  %1: f32[2] = map.neg %0\n", "'from' was expected"},
      {"  input %0 \"x\": f32[2]\n  %1: f32[3] = map.neg %0 from \"a\"\n", "line 3: map.neg gives f32[2], not f32[3]"},
      {"  input %0 \"x\": f32[2]\n  %1: f32[3] = reshape %0 from \"a\"\n", "line 3: reshape cannot view [2] as [3]"},
      {"  input %0 \"x\": f23[2]\n", "'f23' is no element type"},
      {"  input %0 \"x\": f32[n]\n", "the symbol 'n' is not declared"},
      {"  input %1 \"x\": f32[2]\n", "%1 is numbered above the 1 values"},
      {"  input %4294967295 \"x\": f32[2]\n", "is no value number"},
      {"  input %0 \"x\": f32[2]\n  output %1 \"y\"\n", "%1 is not defined above"},
      {"  %0: f32[1] = constant list(1, 2) from \"a\"\n", "has 8 bytes of data for f32[1]"},
      {"  %0: i8[1] = constant list(200) from \"a\"\n", "200 does not fit i8"},
      {"  %0: i8[1] = constant splat(bits(0x100)) from \"a\"\n", "the bits are wider than the type"},
      {"  %0: bool[1] = constant splat(1) from \"a\"\n", "'true' or 'false' was expected"},
      {"  %0: u8[2] = constant bytes(\"0g00\") from \"a\"\n", "not pairs of hexadecimal digits"},
      {"  %0: u8[2] = constant bytes(\"000\") from \"a\"\n", "not pairs of hexadecimal digits"},
      {"  input %0 \"x\": f32[2]\n  %1: f32[1] = reduce.sum %0 {axes=[4294967296]} from \"a\"\n", "is out of range"},
      {"  symbol n in 1..4 step 0\n", "has the range 1..4 in steps of 0"},
      {"  symbol n in 1..4 step 1\n  symbol n in 1..4 step 1\n", "declared twice"},
      {"  input %0 \"x\": f32[2", "']' was expected"},
      {"} x", "the text should too"},
  };
  for (const Case& c : cases) {
    std::string fault = fault_of(c.body);
    CHECK_MESSAGE(mentions(fault, c.reason), c.body, " -> ", fault);
  }
}

TEST_CASE("every prefix of a text is refused without harm") {
  auto graph = every_primitive();
  REQUIRE(graph.ok());
  std::string text = print(*graph, kFull);
  for (size_t length = 0; length + 2 < text.size(); length += 7)
    CHECK_FALSE(parse_graph(std::string_view(text).substr(0, length), "prefix").ok());
}

TEST_CASE("a damaged text is refused or is a graph that reads back") {
  auto graph = every_primitive();
  REQUIRE(graph.ok());
  const std::string text = print(*graph, kFull);
  const std::string letters = "0123456789-%,[]{}()=.*+ \nhwx\"";
  std::mt19937 random(1);
  int still_graphs = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = text;
    for (uint32_t changes = 1 + random() % 3; changes > 0; --changes) {
      size_t at = random() % damaged.size();
      switch (random() % 3) {
        case 0: damaged[at] = letters[random() % letters.size()]; break;
        case 1: damaged.erase(at, 1 + random() % 8); break;
        default: damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 12)); break;
      }
    }
    auto read = parse_graph(damaged, "damaged");
    if (!read.ok()) continue;
    ++still_graphs;
    std::string printed = print(*read, kFull);
    auto again = parse_graph(printed, "again");
    REQUIRE_MESSAGE(again.ok(), again.status().message());
    CHECK(print(*again, kFull) == printed);
  }
  CHECK(still_graphs > 100);
}

TEST_CASE("elements read back to the same bits") {
  std::mt19937_64 random(1);
  auto round_trip = [](Dtype dtype, uint64_t bits) {
    std::string text = element_text(dtype, bits);
    Lexer lexer(text, "element");
    auto back = parse_element(lexer, dtype);
    REQUIRE_MESSAGE(back.ok(), text, back.status().message());
    CHECK_MESSAGE(*back == bits, dtype_name(dtype), " ", text);
    CHECK(lexer.at_end());
  };
  for (int d = 0; d < kDtypeCount; ++d) {
    auto dtype = static_cast<Dtype>(d);
    int64_t width = 8 * dtype_size_bytes(dtype);
    uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
    if (width <= 16) {
      for (uint64_t bits = 0; bits <= mask; ++bits) round_trip(dtype, bits);
      continue;
    }
    for (int i = 0; i < 20000; ++i) round_trip(dtype, random() & mask);
    for (int bit = 0; bit < width; ++bit)
      for (uint64_t near : {-1, 0, 1}) round_trip(dtype, ((uint64_t{1} << bit) + near) & mask);
    for (double v : {0.0, -0.0, 0.1, 1e-45, 1e38, double(INFINITY), -double(INFINITY), double(NAN)})
      if (is_float(dtype)) round_trip(dtype, scalar_bits(dtype, v));
  }
  CHECK(element_text(Dtype::kF32, 0x3dcccccd) == "0.1");
  CHECK(element_text(Dtype::kF16, 0x2e66) == "0.1");
  CHECK(element_text(Dtype::kF32, 0x80000000) == "-0");
  CHECK(element_text(Dtype::kF32, 0xff800000) == "-inf");
  CHECK(element_text(Dtype::kF32, 0x7fc00000) == "nan");
  CHECK(element_text(Dtype::kF32, 0x7fc00001) == "bits(0x7fc00001)");
  CHECK(element_text(Dtype::kI8, 0xff) == "-1");
  CHECK(element_text(Dtype::kBool, 2) == "bits(0x2)");
}
