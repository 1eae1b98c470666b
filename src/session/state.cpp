#include "session/state.h"

#include <algorithm>
#include <cstring>

#include "base/byte_stream.h"
#include "base/checked.h"
#include "base/hash.h"

namespace tuff {
namespace {

// A saved state: magic, version, hash of what follows; then for each alias its dtype, its sizes and its elements in storage
// order.
constexpr std::string_view kMagic = "TUFFSTAT";
constexpr uint32_t kVersion = 2;

Status write(Device& device, Buffer& buffer, std::span<const std::byte> bytes) {
  if (!buffer.mapped()) return device.upload(buffer, 0, bytes);
  std::memcpy(buffer.mapped(), bytes.data(), bytes.size());
  return buffer.flush();
}

void write_type(const State::Alias& alias, ByteWriter& out) {
  out.u32(static_cast<uint32_t>(alias.dtype));
  out.list(alias.shape, [&](int64_t size) { out.i64(size); });
}

int64_t least_size(const State::Growth& growth) { return round_up(growth.dimension.min, growth.dimension.divisor); }

// Nothing where a number is missing or too large.
std::optional<int64_t> size_after(const State::Growth& growth, int64_t size, const SymbolValues& symbols) {
  const std::optional<int64_t> step = growth.step.evaluate([&](std::string_view name) -> std::optional<int64_t> {
    for (const auto& [symbol, value] : symbols)
      if (symbol == name) return value;
    return std::nullopt;
  });
  return step ? checked_add(size, *step) : std::nullopt;
}

}  // namespace

Status State::add(Device& device, InPlace state, bool in_place, const BoundTensor& tensor) {
  Alias alias{state.output, state.input, tensor.dtype, tensor.shape, tensor.storage_bytes, {}, {}};
  TUFF_ASSIGN(alias.buffers[0], device.allocate(MemoryUse::kDevice, tensor.storage_bytes));
  alias.buffers[1] = alias.buffers[0];
  if (!in_place) {
    TUFF_ASSIGN(alias.buffers[1], device.allocate(MemoryUse::kDevice, tensor.storage_bytes));
  }
  aliases_.push_back(std::move(alias));
  return reset(device);
}

Status State::add_growing(Device& device, InPlace state, bool in_place, const BoundTensor& largest, size_t axis,
                          const Growth& growth) {
  auto known = std::find_if(growths_.begin(), growths_.end(),
                            [&](const Growth& g) { return g.dimension.name == growth.dimension.name; });
  if (known != growths_.end() && !(known->step == growth.step))
    return invalid_argument("State that grows with '" + growth.dimension.name + "' grows by " + known->step.text() +
                            " and by " + growth.step.text() + " in one run.");
  TUFF_TRY(add(device, state, in_place, largest));
  aliases_.back().growth = static_cast<size_t>(known - growths_.begin());
  aliases_.back().axis = axis;
  if (known == growths_.end()) {
    growths_.push_back(growth);
    sizes_.push_back(least_size(growth));
  }
  set_sizes(std::vector<int64_t>(sizes_));
  return ok_status();
}

void State::set_sizes(const std::vector<int64_t>& sizes) {
  sizes_ = sizes;
  for (Alias& alias : aliases_)
    if (alias.growth) alias.shape[alias.axis] = sizes_[*alias.growth];
}

void State::give_sizes(SymbolValues& symbols) const {
  for (size_t i = 0; i < growths_.size(); ++i) symbols[growths_[i].dimension.name] = sizes_[i];
}

Status State::check_growth(const SymbolValues& symbols) const {
  for (size_t i = 0; i < growths_.size(); ++i) {
    const Symbol& dimension = growths_[i].dimension;
    const std::optional<int64_t> size = size_after(growths_[i], sizes_[i], symbols);
    if (size && *size <= dimension.max && *size % dimension.divisor == 0) continue;
    return limit_exceeded(
        "The state has " + std::to_string(sizes_[i]) + " of the " + std::to_string(dimension.max) + " that '" + dimension.name +
        "' may be" + (dimension.divisor > 1 ? " in steps of " + std::to_string(dimension.divisor) : "") + ": a run that adds " +
        (size ? std::to_string(*size - sizes_[i]) : growths_[i].step.text()) + " does not fit.");
  }
  return ok_status();
}

void State::grow(const SymbolValues& symbols) {
  for (size_t i = 0; i < growths_.size(); ++i) sizes_[i] = size_after(growths_[i], sizes_[i], symbols).value_or(sizes_[i]);
  for (Alias& alias : aliases_)
    if (alias.growth) alias.shape[alias.axis] = sizes_[*alias.growth];
}

uint64_t State::used_bytes(const Alias& alias) {
  int64_t bytes = dtype_size_bytes(alias.dtype);
  for (const int64_t size : alias.shape) bytes *= size;
  return range_bytes(bytes);
}

std::vector<InPlace> State::in_place() const {
  std::vector<InPlace> out;
  for (const Alias& alias : aliases_)
    if (alias.in_place()) out.push_back({alias.output, alias.input, alias.growth.has_value()});
  return out;
}

uint32_t State::phase_count() const {
  const bool one = std::all_of(aliases_.begin(), aliases_.end(), [](const Alias& alias) { return alias.in_place(); });
  return one ? 1 : 2;
}

const State::Alias* State::of_input(size_t index) const {
  for (const Alias& alias : aliases_)
    if (alias.input == index) return &alias;
  return nullptr;
}
const State::Alias* State::of_output(size_t index) const {
  for (const Alias& alias : aliases_)
    if (alias.output == index) return &alias;
  return nullptr;
}

uint64_t State::size_bytes() const {
  uint64_t sum = 0;
  for (const Alias& alias : aliases_) sum += alias.storage_bytes * (alias.in_place() ? 1 : 2);
  return sum;
}

Status State::reset(Device& device) {
  for (const Alias& alias : aliases_) {
    const std::vector<std::byte> zeros(alias.storage_bytes);
    for (const std::shared_ptr<Buffer>& buffer : alias.buffers) TUFF_TRY(write(device, *buffer, zeros));
  }
  std::vector<int64_t> least;
  for (const Growth& growth : growths_) least.push_back(least_size(growth));
  set_sizes(least);
  return ok_status();
}

Result<std::vector<std::byte>> State::save(Device& device, uint32_t phase) const {
  ByteWriter body;
  for (const Alias& alias : aliases_) {
    write_type(alias, body);
    std::vector<std::byte> elements(used_bytes(alias));
    TUFF_TRY(device.download(*alias.buffers[phase], 0, elements));
    body.raw(elements);
  }
  const Hash hash = hash_bytes(body.bytes().data(), body.size());
  ByteWriter out;
  out.raw(std::as_bytes(std::span(kMagic)));
  out.u32(kVersion);
  out.u64(hash.high);
  out.u64(hash.low);
  out.raw(body.bytes());
  return std::move(out.bytes());
}

Status State::load(Device& device, uint32_t phase, std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  const auto magic = in.raw(kMagic.size()), wanted_magic = std::as_bytes(std::span(kMagic));
  if (!std::equal(magic.begin(), magic.end(), wanted_magic.begin(), wanted_magic.end()))
    return corrupt("These " + std::to_string(bytes.size()) + " bytes are no saved state.");
  const uint32_t version = in.u32();
  if (in.ok() && version != kVersion)
    return unsupported("This saved state has version " + std::to_string(version) + "; this library reads version " +
                       std::to_string(kVersion) + ".");
  Hash hash;
  hash.high = in.u64();
  hash.low = in.u64();
  const auto body = in.raw(in.left());
  if (!in.ok() || hash != hash_bytes(body.data(), body.size())) return corrupt("This saved state is damaged.");
  // Everything is checked before anything is written.
  const std::optional<Saved> saved = read(body);
  if (!saved) return invalid_argument("This saved state is of other tensors than the session's.");
  for (size_t i = 0; i < aliases_.size(); ++i) TUFF_TRY(write(device, *aliases_[i].buffers[phase], saved->elements[i]));
  set_sizes(saved->sizes);
  return ok_status();
}

std::optional<State::Saved> State::read(std::span<const std::byte> body) const {
  ByteReader in(body);
  Saved saved{{}, std::vector<int64_t>(growths_.size(), -1)};
  for (Alias alias : aliases_) {
    if (in.u32() != static_cast<uint32_t>(alias.dtype)) return std::nullopt;
    const std::vector<int64_t> shape = in.list(8, [&] { return in.i64(); });
    if (alias.growth && shape.size() == alias.shape.size()) {
      const Symbol& dimension = growths_[*alias.growth].dimension;
      int64_t& size = saved.sizes[*alias.growth];
      if (size == -1) size = shape[alias.axis];
      if (size < dimension.min || size > dimension.max || size % dimension.divisor != 0) return std::nullopt;
      alias.shape[alias.axis] = size;
    }
    if (shape != alias.shape) return std::nullopt;
    saved.elements.push_back(in.raw(used_bytes(alias)));
  }
  if (!in.ok() || in.left() != 0) return std::nullopt;
  return saved;
}

}  // namespace tuff
