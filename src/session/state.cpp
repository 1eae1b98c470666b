#include "session/state.h"

#include <algorithm>
#include <cstring>

#include "base/byte_stream.h"
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

std::vector<std::byte> type_bytes(const State::Alias& alias) {
  ByteWriter out;
  out.u32(static_cast<uint32_t>(alias.dtype));
  out.list(alias.shape, [&](int64_t size) { out.i64(size); });
  return std::move(out.bytes());
}

}  // namespace

Status State::add(Device& device, InPlace state, bool in_place, const BoundTensor& tensor) {
  Alias alias{state.output, state.input, tensor.dtype, tensor.shape, tensor.storage_bytes, {}};
  TUFF_ASSIGN(alias.buffers[0], device.allocate(MemoryUse::kDevice, tensor.storage_bytes));
  alias.buffers[1] = alias.buffers[0];
  if (!in_place) {
    TUFF_ASSIGN(alias.buffers[1], device.allocate(MemoryUse::kDevice, tensor.storage_bytes));
  }
  aliases_.push_back(std::move(alias));
  return reset(device);
}

std::vector<InPlace> State::in_place() const {
  std::vector<InPlace> out;
  for (const Alias& alias : aliases_)
    if (alias.in_place()) out.push_back({alias.output, alias.input});
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
  return ok_status();
}

Result<std::vector<std::byte>> State::save(Device& device, uint32_t phase) const {
  ByteWriter body;
  for (const Alias& alias : aliases_) {
    body.raw(type_bytes(alias));
    std::vector<std::byte> elements(alias.storage_bytes);
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
  ByteReader tensors(body);
  std::vector<std::span<const std::byte>> elements;
  bool fits = true;
  for (const Alias& alias : aliases_) {
    const std::vector<std::byte> type = type_bytes(alias);
    const auto found = tensors.raw(type.size());
    fits = fits && std::equal(found.begin(), found.end(), type.begin(), type.end());
    elements.push_back(tensors.raw(alias.storage_bytes));
  }
  if (!fits || !tensors.ok() || tensors.left() != 0)
    return invalid_argument("This saved state is of other tensors than the session's.");
  for (size_t i = 0; i < aliases_.size(); ++i) TUFF_TRY(write(device, *aliases_[i].buffers[phase], elements[i]));
  return ok_status();
}

}  // namespace tuff
