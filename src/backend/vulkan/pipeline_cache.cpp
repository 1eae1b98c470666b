#include "backend/vulkan/pipeline_cache.h"

#include <cstring>

#include "base/hash.h"

namespace tuff::vulkan {
namespace {

// Little-endian, as every host that Tuff runs on.
struct Header {
  char magic[8];
  uint32_t format_version;
  uint32_t header_bytes;
  Hash owner;  // of the device and its driver
  uint64_t payload_bytes;
  Hash payload;
  Hash header;  // of the members above
};
static_assert(sizeof(Header) == 72);

constexpr char kMagic[8] = {'T', 'U', 'F', 'F', 'V', 'K', 'P', 'C'};
constexpr uint32_t kFormatVersion = 1;

Hash owner_hash(const DeviceInfo& info, uint32_t driver_version) {
  return Hasher()
      .text(info.uuid)
      .text(info.device_uuid)
      .text(info.driver_name)
      .text(info.driver_version)
      .number(info.vendor_id)
      .number(info.device_id)
      .number(driver_version)
      .finish();
}

Hash header_hash(const Header& header) { return hash_bytes(&header, offsetof(Header, header)); }

}  // namespace

std::vector<std::byte> wrap_pipeline_cache(std::span<const std::byte> payload, const DeviceInfo& info,
                                           uint32_t driver_version) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.format_version = kFormatVersion;
  header.header_bytes = sizeof header;
  header.owner = owner_hash(info, driver_version);
  header.payload_bytes = payload.size();
  header.payload = hash_bytes(payload.data(), payload.size());
  header.header = header_hash(header);
  std::vector<std::byte> file(sizeof header + payload.size());
  std::memcpy(file.data(), &header, sizeof header);
  if (!payload.empty()) std::memcpy(file.data() + sizeof header, payload.data(), payload.size());
  return file;
}

std::optional<std::span<const std::byte>> unwrap_pipeline_cache(std::span<const std::byte> file, const DeviceInfo& info,
                                                                uint32_t driver_version) {
  Header header;
  if (file.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, file.data(), sizeof header);
  const auto payload = file.subspan(sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.format_version != kFormatVersion ||
      header.header_bytes != sizeof header || header.header != header_hash(header) ||
      header.owner != owner_hash(info, driver_version) || header.payload_bytes != payload.size() ||
      header.payload != hash_bytes(payload.data(), payload.size()))
    return std::nullopt;
  return payload;
}

}  // namespace tuff::vulkan
