// One run of a model, from the command line to its outputs: what run and verify share.
#pragma once

#include "cli/arguments.h"
#include "cli/host_tensor.h"

namespace tuff::cli {

std::vector<Option> session_options();  // --submit-time-limit
Result<SessionOptions> read_session_options(const Arguments& arguments);

// Outputs whose size the data decide: as large as they are, or as they can be.
enum class DataSizes { kAsTheyAre, kLargest };

// Runs `program` on the inputs and gives every output by its name.
Result<std::vector<NamedTensor>> execute(const Program& program, const Model& model, std::vector<HostTensor>& inputs,
                                         const std::vector<SymbolValue>& dims, DataSizes sizes,
                                         const SessionOptions& options = {});

// A session that is prepared for the inputs' shapes, or the dims, and has the inputs.
Result<Session> session_with_inputs(const Program& program, std::vector<HostTensor>& inputs,
                                    const std::vector<SymbolValue>& dims, const SessionOptions& options = {});

// Space for each output of the session's current shape.
Result<std::vector<NamedTensor>> output_tensors(const Session& session, const Model& model);

}  // namespace tuff::cli
