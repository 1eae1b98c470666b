#include "session/state.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace tuff {
namespace {

// A saved state: magic, version, hash of what follows; then for each alias its dtype, rank, sizes and elements in storage
// order. Numbers are little-endian.
constexpr char kMagic[8] = {'T', 'U', 'F', 'F', 'S', 'T', 'A', 'T'};
constexpr uint64_t kVersion = 1;

void put(std::vector<std::byte>& out, uint64_t v) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<std::byte>(v >> (8 * i)));
}

struct Reader {
  std::span<const std::byte> rest;
  bool failed = false;

  std::span<const std::byte> bytes(uint64_t count) {
    if (failed || count > rest.size()) {
      failed = true;
      return {};
    }
    auto taken = rest.first(static_cast<size_t>(count));
    rest = rest.subspan(static_cast<size_t>(count));
    return taken;
  }
  uint64_t number() {
    uint64_t v = 0;
    auto b = bytes(8);
    for (size_t i = 0; i < b.size(); ++i) v |= static_cast<uint64_t>(b[i]) << (8 * i);
    return v;
  }
};

Status write(Device& device, Buffer& buffer, std::span<const std::byte> bytes) {
  if (!buffer.mapped()) return device.upload(buffer, 0, bytes);
  std::memcpy(buffer.mapped(), bytes.data(), bytes.size());
  return buffer.flush();
}

void put_type(std::vector<std::byte>& out, const State::Alias& alias) {
  put(out, static_cast<uint64_t>(alias.dtype));
  put(out, alias.shape.size());
  for (int64_t size : alias.shape) put(out, static_cast<uint64_t>(size));
}

uint64_t hash_of(std::span<const std::byte> bytes) { return hash_bytes(bytes.data(), bytes.size()).low; }

}  // namespace

Status State::add(Device& device, size_t output, size_t input, const BoundTensor& tensor) {
  Alias alias{output, input, tensor.dtype, tensor.shape, tensor.storage_bytes, {}};
  for (std::shared_ptr<Buffer>& buffer : alias.buffers) {
    TUFF_ASSIGN(buffer, device.allocate(MemoryUse::kDevice, tensor.storage_bytes));
  }
  aliases_.push_back(std::move(alias));
  return reset(device);
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

Status State::reset(Device& device) {
  for (const Alias& alias : aliases_) {
    const std::vector<std::byte> zeros(alias.storage_bytes);
    for (const std::shared_ptr<Buffer>& buffer : alias.buffers) TUFF_TRY(write(device, *buffer, zeros));
  }
  return ok_status();
}

Result<std::vector<std::byte>> State::save(Device& device, uint32_t phase) const {
  std::vector<std::byte> body;
  for (const Alias& alias : aliases_) {
    put_type(body, alias);
    const size_t start = body.size();
    body.resize(start + alias.storage_bytes);
    TUFF_TRY(device.download(*alias.buffers[phase], 0, std::span(body).subspan(start)));
  }
  std::vector<std::byte> out;
  for (char c : kMagic) out.push_back(static_cast<std::byte>(c));
  put(out, kVersion);
  put(out, hash_of(body));
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

Status State::load(Device& device, uint32_t phase, std::span<const std::byte> bytes) {
  const Status corrupt(Code::kCorrupt, "These " + std::to_string(bytes.size()) + " bytes are no saved state, or are damaged.");
  Reader reader{bytes};
  auto magic = reader.bytes(sizeof kMagic);
  if (magic.size() != sizeof kMagic || std::memcmp(magic.data(), kMagic, sizeof kMagic) != 0) return corrupt;
  const uint64_t version = reader.number();
  if (!reader.failed && version != kVersion)
    return unsupported("This saved state has version " + std::to_string(version) + "; this library reads version " +
                       std::to_string(kVersion) + ".");
  const uint64_t hash = reader.number();
  if (reader.failed || hash != hash_of(reader.rest)) return corrupt;
  // Everything is checked before anything is written.
  std::vector<std::span<const std::byte>> elements;
  for (const Alias& alias : aliases_) {
    std::vector<std::byte> type;
    put_type(type, alias);
    auto found = reader.bytes(type.size());
    if (reader.failed || !std::equal(found.begin(), found.end(), type.begin()))
      return invalid_argument("This saved state is of other tensors than the session's.");
    elements.push_back(reader.bytes(alias.storage_bytes));
  }
  if (reader.failed || !reader.rest.empty())
    return invalid_argument("This saved state is of other tensors than the session's.");
  for (size_t i = 0; i < aliases_.size(); ++i) TUFF_TRY(write(device, *aliases_[i].buffers[phase], elements[i]));
  return ok_status();
}

}  // namespace tuff
