#include "cli/bound.h"

#include <cmath>
#include <cstdio>

namespace tuff::cli {
namespace {

std::vector<HostTensor> doubles_like(const std::vector<NamedTensor>& outputs) {
  std::vector<HostTensor> out;
  for (const NamedTensor& output : outputs) {
    const uint64_t count = output.tensor.bytes.size() / dtype_size_bytes(output.tensor.dtype);
    out.push_back({TUFF_F64, output.tensor.shape, std::vector<std::byte>(count * sizeof(double))});
  }
  return out;
}

BoundShare share_of(const HostTensor& actual, const HostTensor& truth, const HostTensor& bound) {
  BoundShare share;
  share.count = actual.bytes.size() / dtype_size_bytes(actual.dtype);
  for (uint64_t i = 0; i < share.count; ++i) {
    const double a = element(actual, i), t = element(truth, i), allowed = element(bound, i);
    if (std::isinf(allowed)) {
      ++share.undecided;
      continue;
    }
    if (a == t || (std::isnan(a) && std::isnan(t))) continue;
    const double off = std::fabs(a - t), used = off / allowed;
    share.share = std::fmax(share.share, std::isnan(used) ? INFINITY : used);
    if (!(off <= allowed)) ++share.beyond;  // NaN is beyond
  }
  return share;
}

}  // namespace

Result<std::vector<BoundShare>> shares_of_bound(const Program& program, std::vector<HostTensor>& inputs,
                                                std::vector<NamedTensor>& outputs, const std::vector<SymbolValue>& dims) {
  std::vector<HostTensor> truths = doubles_like(outputs), bounds = truths;
  std::vector<Tensor> in, out, truth, bound;
  for (HostTensor& t : inputs) in.push_back(t.view());
  for (NamedTensor& t : outputs) out.push_back(t.tensor.view());
  for (HostTensor& t : truths) truth.push_back(t.view());
  for (HostTensor& t : bounds) bound.push_back(t.view());
  if (Status s = error_bounds(program, in, out, truth, bound, dims); !s) return s.error();
  std::vector<BoundShare> shares;
  for (size_t i = 0; i < outputs.size(); ++i) shares.push_back(share_of(outputs[i].tensor, truths[i], bounds[i]));
  return shares;
}

std::string share_text(const BoundShare& share) {
  if (share.count != 0 && share.undecided == share.count) return "no part";
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", share.share);
  return text;
}

}  // namespace tuff::cli
