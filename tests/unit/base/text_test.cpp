// Tokens, JSON and statuses: what the stages' texts are read and written with.
#include <doctest/doctest.h>

#include <clocale>
#include <cmath>
#include <random>

#include "base/json.h"
#include "base/lexer.h"

using namespace tuff;

namespace {

std::string tokens(std::string_view text) {
  static const char* kKinds = "enirsp";
  std::string out;
  for (Lexer lexer(text, "test"); !lexer.at_end();) {
    Token t = lexer.take();
    out += (out.empty() ? "" : " ") + std::string(1, kKinds[static_cast<int>(t.kind)]) + ":" + t.text;
  }
  return out;
}

Lexer lexer_of(std::string_view text) { return Lexer(text, "test"); }

}  // namespace

TEST_CASE("tokens") {
  CHECK(tokens("") == "");
  CHECK(tokens("  # only a comment") == "");
  CHECK(tokens("a.b_1 23 4.5e-3 \"q\\\"\\\\\" %7:") == "n:a.b_1 i:23 r:4.5e-3 s:q\"\\ p:% i:7 p::");
  CHECK(tokens("1..4096") == "i:1 p:. p:. i:4096");
  CHECK(tokens("1.5..2") == "r:1.5 p:. p:. i:2");
  CHECK(tokens("0x7fC0 0x 0xffffffffffffffff 0x10000000000000000") ==
        "i:0x7fC0 p:0x i:0xffffffffffffffff p:0x10000000000000000");
  CHECK(tokens("1.2.3 1e 99999999999999999999") == "p:1.2.3 p:1e r:99999999999999999999");
  CHECK(tokens("\"\\x41\\x0a\"") == "s:A\n");
  CHECK(tokens("\"open") == "p:open");
  CHECK(tokens("\"open\\") == "p:open\\");
  CHECK(tokens(std::string_view("a\0b", 3)) == std::string("n:a p:\0 n:b", 11));
  CHECK(tokens("\xc3\xa9") == "p:\xc3 p:\xa9");
}

TEST_CASE("expectations say the line and what was found") {
  Lexer lexer = lexer_of("a\n\"two\nlines\"\n  7");
  CHECK(*lexer.expect_name() == "a");
  CHECK(*lexer.expect_string() == "two\nlines");
  CHECK(lexer.expect("x").message() == "test, line 4: 'x' was expected, found '7'.");
  CHECK(lexer.expect_name().status().message() == "test, line 4: a name was expected, found '7'.");
  CHECK(lexer.expect_string().status().message() == "test, line 4: a quoted string was expected, found '7'.");
  CHECK(*lexer.expect_integer() == 7);
  CHECK(lexer.expect_integer().status().message() == "test, line 4: an integer was expected, found the end.");
  CHECK(lexer.expect_real().status().message() == "test, line 4: a number was expected, found the end.");
  CHECK_FALSE(lexer.accept(""));
  std::string open = "\"" + std::string(1000000, 'x');
  CHECK(lexer_of(open).expect_string().status().message().size() < 200);
}

TEST_CASE("numbers") {
  CHECK(*lexer_of("-12").expect_integer() == -12);
  CHECK(*lexer_of("9223372036854775807").expect_integer() == INT64_MAX);
  CHECK(*lexer_of("0xffffffffffffffff").expect_integer() == -1);
  CHECK_FALSE(lexer_of("9223372036854775808").expect_integer().ok());
  CHECK_FALSE(lexer_of("1.5").expect_integer().ok());
  CHECK(*lexer_of("-1.5e3").expect_real() == -1500);
  CHECK(*lexer_of("3").expect_real() == 3);
  CHECK(*lexer_of("-inf").expect_real() == -HUGE_VAL);
  CHECK(std::isnan(*lexer_of("nan").expect_real()));
  CHECK(std::signbit(*lexer_of("-0").expect_real()));
  CHECK_FALSE(lexer_of("infinite").expect_real().ok());
}

TEST_CASE("any string survives quoting") {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string s(random() % 20, '\0');
    for (char& c : s) c = static_cast<char>(random());
    std::string quoted = quote(s);
    Lexer lexer(quoted, "test");
    CHECK(*lexer.expect_string() == s);
    CHECK(lexer.at_end());
    CHECK(quoted.find('\n') == std::string::npos);
  }
}

TEST_CASE("random bytes give tokens and an end") {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    std::string s(random() % 60, '\0');
    for (char& c : s) c = "a.0x\"\\ \n#-e+1"[random() % 13];
    size_t count = 0;
    for (Lexer lexer(s, "test"); !lexer.at_end(); lexer.take()) ++count;
    CHECK(count <= s.size());
  }
}

TEST_CASE("json") {
  JsonWriter empty;
  empty.begin_object().end_object();
  CHECK(empty.text() == "{}");
  JsonWriter json;
  json.begin_object();
  json.key("name").string("a\"b\\\n\x01\xc3\xa9");
  json.key("list").begin_array().integer(-3).real(0.1).boolean(true).begin_array().end_array().end_array();
  json.key("nan").real(NAN);
  json.key("large").real(1e300);
  json.end_object();
  CHECK(json.text() ==
        "{\n  \"name\": \"a\\\"b\\\\\\n\\u0001\xc3\xa9\",\n  \"list\": [\n    -3,\n    0.1,\n    true,\n    []\n  ],\n"
        "  \"nan\": null,\n  \"large\": 1e+300\n}");
}

TEST_CASE("numbers have a point in every locale") {
  std::string before = std::setlocale(LC_ALL, nullptr);
  bool comma = std::setlocale(LC_ALL, "de_DE.UTF-8") || std::setlocale(LC_ALL, "de_DE.utf8");
  JsonWriter json;
  json.real(0.5);
  double read = *lexer_of("0.5").expect_real();
  std::setlocale(LC_ALL, before.c_str());
  CHECK(json.text() == "0.5");
  CHECK(read == 0.5);
  if (!comma) MESSAGE("no locale with a decimal comma is installed; the default one was used");
}

TEST_CASE("a status gathers context") {
  Status status = invalid_argument("it is wrong.").with_context("node 3").with_context("model.onnx");
  CHECK(status.message() == "model.onnx: node 3: it is wrong.");
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK(ok_status().with_context("x").ok());
  CHECK(code_name(Code::kOutOfMemory) == "OUT_OF_MEMORY");
  auto twice = [](Result<int> r) -> Result<int> {
    TUFF_ASSIGN(int v, std::move(r));
    return 2 * v;
  };
  CHECK(*twice(4) == 8);
  CHECK(twice(io_error("gone.")).status().message() == "gone.");
}
