#include "cli/execute.h"

#include "cli/terminal.h"

namespace tuff::cli {

std::vector<Option> session_options() {
  return {{"--submit-time-limit", nullptr, "MS",
           "split a run into submits of at most so many milliseconds, for drivers with a watchdog; default: one submit"}};
}

Result<SessionOptions> read_session_options(const Arguments& arguments) {
  SessionOptions options;
  Result<int64_t> limit_ms = arguments.integer("--submit-time-limit", 0, 1, 1'000'000);
  if (!limit_ms) return limit_ms.error();
  options.submit_time_limit_ns = static_cast<uint64_t>(*limit_ms) * 1'000'000;
  return options;
}

Result<Session> session_with_inputs(const Program& program, std::vector<HostTensor>& inputs,
                                    const std::vector<SymbolValue>& dims, const SessionOptions& options) {
  Result<Session> session = Session::create(program, options);
  if (!session) return session.error();
  std::vector<Tensor> views;
  for (HostTensor& input : inputs) views.push_back(input.view());
  // Shapes do not always say the dimensions: rows of pixels that are aligned fit several widths.
  if (Status s = session->prepare_inputs(views); !s && (dims.empty() || !session->prepare(dims))) return s.error();
  for (uint32_t i = 0; i < views.size(); ++i)
    if (Status s = session->set_input(i, views[i]); !s) return s.error();
  return session;
}

Result<std::vector<NamedTensor>> output_tensors(const Session& session, const Model& model) {
  std::vector<NamedTensor> outputs;
  uint32_t index = 0;
  for (const TensorInfo& info : model.tensors(TUFF_OUTPUT)) {
    HostTensor tensor{info.dtype, session.shape(TUFF_OUTPUT, index++), {}};
    Result<uint64_t> bytes = tensor_bytes(tensor.dtype, tensor.shape);
    if (!bytes) return bytes.error();
    tensor.bytes.resize(*bytes);
    outputs.push_back({info.name, std::move(tensor)});
  }
  return outputs;
}

Result<std::vector<NamedTensor>> execute(const Program& program, const Model& model, std::vector<HostTensor>& inputs,
                                         const std::vector<SymbolValue>& dims, DataSizes sizes, const SessionOptions& options) {
  Result<Session> session = Session::create(program, options);
  if (!session) return session.error();
  std::vector<Tensor> views;
  for (HostTensor& input : inputs) views.push_back(input.view());
  // Shapes do not always say the dimensions: rows of pixels that are aligned fit several widths.
  if (Status status = session->prepare_inputs(views); !status && (dims.empty() || !session->prepare(dims)))
    return status.error();
  if (Status status = session->run(views); !status) return status.error();
  Result<std::vector<NamedTensor>> outputs = output_tensors(*session, model);
  if (!outputs) return outputs.error();
  for (uint32_t i = 0; i < outputs->size(); ++i) {
    HostTensor& tensor = (*outputs)[i].tensor;
    if (sizes == DataSizes::kAsTheyAre) {
      tensor.shape = session->output_shape(i);
      tensor.bytes.resize(*tensor_bytes(tensor.dtype, tensor.shape));
    }
    if (Status status = session->read_output(i, tensor.view()); !status) return status.error();
  }
  return outputs;
}

}  // namespace tuff::cli
