// Both headers as C++20, without exceptions and RTTI.
#include <tuff/tuff.hpp>

#include "header_layout.h"

// Instantiates what is a template.
bool header_cxx_compiles();
bool header_cxx_compiles() {
  tuff::Result<tuff::Device> device = tuff::Device::open({.selector = "cpu", .allow_software = true});
  tuff::Device copy = *device;
  return copy.get() == device->get();
}
