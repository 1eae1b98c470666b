// Sentences as points on a sphere: near ones mean much the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tuff/tuff.hpp>

#include "tokenizer.h"

namespace search {

struct EncoderOptions {
  std::string device;     // an index, part of a name or a UUID; empty: the best one, a driver on the CPU where there is no GPU
  std::string cache_dir;  // where compiled kernels are kept; empty: nowhere
  bool fuse = true;       // false: one kernel an operator
};

class Encoder {
 public:
  // folder: as make_model.py leaves it, with model.onnx and vocab.txt.
  static tuff::Result<Encoder> open(const std::string& folder, const EncoderOptions& options = {});

  // For each text size() numbers whose squares add up to 1, one text after the other. cut_count, if not null: how many texts
  // were longer than the network reads.
  tuff::Result<std::vector<float>> encode(std::span<const std::string> texts, size_t* cut_count = nullptr);

  size_t size() const { return size_; }
  std::string device_name() const { return device_.name(); }

 private:
  // The chosen ones, filled up to one length, at their places in out.
  tuff::Status run(std::span<const std::vector<int32_t>> sentences, std::span<const size_t> chosen, size_t length,
                   std::vector<float>& out);

  Tokenizer tokenizer_;
  tuff::Device device_;
  tuff::Session session_;
  size_t size_ = 0;
};

// The cosine of the angle between two that encode() gave.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace search
