// DeviceSource: the devices of one API, found but not yet opened. A backend hands one to the registry (backend.cpp).
#pragma once

#include "backend/backend.h"

namespace tuff {

class DeviceSource {
 public:
  virtual ~DeviceSource() = default;
  virtual const std::vector<DeviceInfo>& infos() const = 0;
  // `index` is one of infos().
  virtual Result<std::shared_ptr<Device>> open(size_t index, const OpenOptions& options) = 0;
};

}  // namespace tuff
