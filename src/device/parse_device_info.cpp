// The text of a DeviceInfo, read. It may come from anyone (--as FILE), so every value is checked against what a device
// can have: later stages divide by these numbers.
#include <bit>
#include <set>

#include "base/lexer.h"
#include "device/fields.h"

namespace tuff {
namespace {

// Visits all fields and reads the one that is named `wanted`.
class FieldReader {
 public:
  explicit FieldReader(Lexer& lexer) : lexer_(lexer) {}

  std::string wanted;
  bool found = false;
  Status status;

  void text(std::string_view name, std::string& v) {
    read(name, &Lexer::expect_string, v, [](auto&) { return true; });
  }
  template <class T>
  void integer(std::string_view name, T& v, int64_t least, int64_t most) {
    read(name, &Lexer::expect_integer, v, [=](int64_t x) { return x >= least && x <= most; });
  }
  void alignment(std::string_view name, int64_t& v) {
    read(name, &Lexer::expect_integer, v,
         [](int64_t x) { return x >= 1 && x <= (1 << 20) && std::has_single_bit(static_cast<uint64_t>(x)); });
  }
  void real(std::string_view name, double& v, double least) {
    read(name, &Lexer::expect_real, v, [=](double x) { return x >= least && x < 1e12; });
  }
  void boolean(std::string_view name, bool& v) {
    if (!wants(name)) return;
    if (lexer_.accept("true"))
      v = true;
    else if (lexer_.accept("false"))
      v = false;
    else
      status = lexer_.error("true or false was expected");
  }
  void kind(std::string_view name, DeviceKind& v) {
    if (!wants(name)) return;
    for (DeviceKind k :
         {DeviceKind::kOther, DeviceKind::kIntegrated, DeviceKind::kDiscrete, DeviceKind::kVirtual, DeviceKind::kSoftware}) {
      if (!lexer_.accept(device_kind_name(k))) continue;
      v = k;
      return;
    }
    status = lexer_.error("other, integrated, discrete, virtual or software was expected");
  }
  void triple(std::string_view name, std::array<int64_t, 3>& v, int64_t least) {
    if (!wants(name)) return;
    for (int64_t& x : v) integer(name, x, least, kMost);
  }
  void matrices(std::string_view name, std::vector<MatrixShape>& shapes) {
    if (!wants(name)) return;
    MatrixShape shape{};
    for (uint32_t* size : {&shape.m, &shape.n, &shape.k}) integer(name, *size, 1, 1 << 16);
    for (std::string* dtype : {&shape.a, &shape.b, &shape.c, &shape.result})
      read(name, &Lexer::expect_name, *dtype, [](auto&) { return true; });
    shapes.push_back(std::move(shape));
  }

 private:
  bool wants(std::string_view name) {
    if (!status.ok() || name != wanted) return false;
    found = true;
    return true;
  }
  template <class T, class Read, class Allows>
  void read(std::string_view name, Result<Read> (Lexer::*expect)(), T& v, Allows allows) {
    if (!wants(name)) return;
    const Token at = lexer_.peek();
    Result<Read> result = (lexer_.*expect)();
    if (!result.ok())
      status = result.status();
    else if (!allows(*result))
      status = lexer_.error("'" + at.text + "' is out of range for '" + std::string(name) + "'");
    else
      v = static_cast<T>(*std::move(result));
  }

  Lexer& lexer_;
};

}  // namespace

Result<DeviceInfo> parse_device_info(std::string_view text, const std::string& source_name) {
  DeviceInfo info;
  Lexer lexer(text, source_name);
  FieldReader reader(lexer);
  std::set<std::string> seen;
  // Rates override defaults that follow from the other fields, so that they are read last.
  std::vector<std::pair<std::string, std::string>> rates;
  DeviceRates checked_rates;
  while (!lexer.at_end()) {
    const Status unknown = lexer.error("the name of a field was expected");
    TUFF_ASSIGN(const std::string name, lexer.expect_name());
    if (name != "matrix" && !seen.insert(name).second)
      return invalid_argument(source_name + ": the field '" + name + "' occurs twice.");
    reader.found = false;
    constexpr std::string_view kRates = "rates.";
    if (name.compare(0, kRates.size(), kRates) == 0) {
      reader.wanted = name.substr(kRates.size());
      rates.emplace_back(reader.wanted, lexer.peek().text);
      visit_rates(checked_rates, reader);
    } else {
      reader.wanted = name;
      visit_fields(info, reader);
    }
    if (!reader.found) return unknown;
    TUFF_TRY(reader.status);
  }
  if (info.min_subgroup_size > info.max_subgroup_size)
    return invalid_argument(source_name + ": min_subgroup_size is above max_subgroup_size.");

  info.rates = default_rates(info);
  for (const auto& [name, value] : rates) {
    Lexer value_lexer(value, source_name);
    FieldReader value_reader(value_lexer);
    value_reader.wanted = name;
    visit_rates(info.rates, value_reader);
    TUFF_TRY(value_reader.status);
  }
  return info;
}

}  // namespace tuff
