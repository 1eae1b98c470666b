// A folder of a test's own, under the system's for temporary files; it goes with its object.
#pragma once

#include <filesystem>
#include <iterator>
#include <random>
#include <string>
#include <system_error>

struct TemporaryFolder {
  std::string path;

  TemporaryFolder() {
    std::random_device random;
    const std::filesystem::path parent = std::filesystem::temp_directory_path();
    for (std::filesystem::path made; path.empty();) {
      made = parent / ("tuff-test-" + std::to_string(random()));
      if (std::filesystem::create_directory(made)) path = made.string();
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path, ignored);
  }

  std::string at(const std::string& name) const { return path + "/" + name; }
  size_t entry_count() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {})); }
};
