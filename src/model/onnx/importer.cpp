#include "model/onnx/importer.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "model/onnx/fold.h"
#include "model/onnx/input_shapes.h"
#include "model/onnx/node_import.h"
#include "model/onnx/node_order.h"
#include "model/onnx/operators.h"
#include "model/onnx/step_order.h"
#include "model/onnx/value_table.h"

namespace tuff::onnx {
namespace {

class Importer {
 public:
  Importer(const ModelProto& model, TensorLoader& loader, const LoadOptions& options)
      : model_(model), options_(options), builder_(named_graph(model.graph)), values_(builder_, loader) {}

  Result<Graph> run() {
    TUFF_TRY(read_operator_sets());
    TUFF_ASSIGN(std::vector<size_t> order, node_order(model_.graph));
    TUFF_TRY(add_inputs());
    TUFF_TRY(add_initializers());
    for (const NodeProto& node : model_.graph.nodes)
      for (std::string_view input : node.inputs) values_.mark_used(input);
    for (const ValueInfoProto& input : model_.graph.inputs) values_.declare(input);
    for (const ValueInfoProto& output : model_.graph.outputs) {
      values_.declare(output);
      values_.mark_used(output.name);
    }
    for (size_t index : order) {
      TUFF_TRY(add_node(index));
      end_step(model_.graph.nodes[index]);
    }
    if (!reasons_.empty()) return all_unsupported();
    std::unordered_set<std::string_view> names;
    for (const ValueInfoProto& output : model_.graph.outputs) {
      if (!names.insert(output.name).second)
        return invalid_argument("Two outputs have the name '" + std::string(output.name) + "'.");
      TUFF_ASSIGN(ValueId value, values_.value(output.name));
      builder_.output(value, std::string(output.name));
    }
    TUFF_TRY(add_data_sizes());
    return order_steps(std::move(builder_).finish(), steps_);
  }

 private:
  static Graph named_graph(const GraphProto& proto) {
    Graph graph;
    graph.name = proto.name;
    return graph;
  }

  Status read_operator_sets() {
    bool found = false;
    for (const OperatorSet& set : model_.opset_imports) {
      if (!set.domain.empty() && set.domain != "ai.onnx") continue;
      found = true;
      opset_ = set.version;
    }
    if (found && (opset_ < kOldestOpset || opset_ > kNewestOpset))
      return unsupported("The model uses version " + std::to_string(opset_) + " of ONNX's operator set; Tuff knows " +
                         std::to_string(kOldestOpset) + " to " + std::to_string(kNewestOpset) + ".");
    return ok_status();
  }

  Status add_inputs() {
    std::set<std::string_view> defaults;
    for (const TensorProto& t : model_.graph.initializers) defaults.insert(t.name);
    // An input with a default is a constant here: files before IR version 4 list every weight as an input.
    std::vector<const ValueInfoProto*> inputs;
    for (const ValueInfoProto& input : model_.graph.inputs)
      if (defaults.count(input.name) == 0) inputs.push_back(&input);
    InputShapes shapes(options_, builder_);
    TUFF_TRY(shapes.read_overrides(inputs));
    for (const ValueInfoProto* input : inputs) {
      auto dtype = dtype_from_tensor_type(input->elem_type);
      if (!input->is_tensor || !dtype) {
        refuse(input->name,
               "input '" + std::string(input->name) + "': " +
                   (input->is_tensor ? "its element type " + tensor_type_name(input->elem_type) + " is not supported"
                                     : "it is not a tensor"));
        continue;
      }
      auto shape = shapes.shape(*input);
      if (shape.status().code() == Code::kUnsupported) {
        refuse(input->name, "input '" + std::string(input->name) + "': it has no shape, and none is given for it");
        continue;
      }
      TUFF_TRY(shape.status());
      ValueId value = builder_.input(std::string(input->name), *dtype, std::move(*shape));
      Status bound = values_.bind(input->name, value);
      if (!bound.ok()) return bound.with_context("Input '" + std::string(input->name) + "'");
    }
    return ok_status();
  }

  Status add_initializers() {
    for (std::string_view name : model_.graph.sparse_initializers)
      refuse(name, "initializer '" + std::string(name) + "': sparse tensors are not supported");
    for (const TensorProto& t : model_.graph.initializers) {
      Status bound = values_.bind(t.name, t, std::string(t.name));
      if (bound.code() == Code::kUnsupported) {
        refuse(t.name, "initializer '" + std::string(t.name) + "': its element type " + tensor_type_name(t.data_type) +
                           " is not supported");
      } else if (!bound.ok()) {
        return bound;
      }
    }
    return ok_status();
  }

  // Remembers why a name has no value; nodes that read it are passed over in silence.
  void refuse(std::string_view name, std::string reason) {
    unavailable_.insert(name);
    reasons_.push_back(std::move(reason));
  }

  void refuse(const NodeProto& node, const std::string& label, std::string_view reason) {
    std::string domain = node.domain.empty() ? "" : std::string(node.domain) + ".";
    while (!reason.empty() && reason.back() == '.') reason.remove_suffix(1);
    reasons_.push_back("node '" + label + "' (" + domain + std::string(node.op_type) + "): " + std::string(reason));
    skip(node);
  }

  void skip(const NodeProto& node) {
    for (std::string_view output : node.outputs)
      if (!output.empty()) unavailable_.insert(output);
  }

  Status all_unsupported() const {
    std::string message = "The model has " + std::to_string(reasons_.size()) +
                          (reasons_.size() == 1 ? " part that is not supported: " : " parts that are not supported: ");
    for (size_t i = 0; i < reasons_.size(); ++i) message += (i ? "; " : "") + reasons_[i];
    return unsupported(message + ".");
  }

  Status add_node(size_t index) {
    const NodeProto& node = model_.graph.nodes[index];
    std::string label = node_label(model_.graph, index);
    bool ready = std::none_of(node.inputs.begin(), node.inputs.end(),
                              [&](std::string_view name) { return !name.empty() && unavailable_.count(name); });
    const Operator* op = find_operator(node.domain, node.op_type);
    if (!op) {
      refuse(node, label,
             is_local_function(node) ? "functions defined in the model are not supported" : "the operator is not supported");
      return ok_status();
    }
    if (op->domain.empty() && opset_ < op->first_opset) {
      refuse(node, label,
             "the operator is supported from version " + std::to_string(op->first_opset) +
                 " of the operator set on, the model has version " + std::to_string(opset_));
      return ok_status();
    }
    if (!ready) {
      skip(node);
      return ok_status();
    }
    builder_.set_origins({label});
    Status status = check_inputs(node, *op);
    const bool reads_sized = std::any_of(node.inputs.begin(), node.inputs.end(), [&](auto name) { return sized_.count(name); });
    if (status.ok()) status = import_node(node, *op);
    if (status.ok() && reads_sized) status = carry_data_axis(node, *op);
    if (status.ok()) status = check_outputs(node);
    if (status.ok()) return status;
    // Where the graph's own checks failed they have named the node already.
    std::string message = status.message();
    if (message.rfind(label + ": ", 0) == 0) message.erase(0, label.size() + 2);
    if (status.code() == Code::kUnsupported) {
      refuse(node, label, message);
      return ok_status();
    }
    return Status(status.code(), message).with_context("Node '" + label + "' (" + std::string(node.op_type) + ")");
  }

  void end_step(const NodeProto& node) {
    Step step{builder_.graph().nodes.size(), {}};
    for (std::string_view output : node.outputs)
      if (values_.contains(output) && values_.at(output).value.valid()) step.results.push_back(values_.at(output).value);
    steps_.push_back(std::move(step));
  }

  bool is_local_function(const NodeProto& node) const {
    return std::any_of(model_.functions.begin(), model_.functions.end(),
                       [&](const FunctionProto& f) { return f.name == node.op_type && f.domain == node.domain; });
  }

  static Status check_inputs(const NodeProto& node, const Operator& op) {
    size_t count = node.inputs.size();
    bool missing = static_cast<int>(count) < op.min_inputs;
    for (size_t i = 0; !missing && static_cast<int>(i) < op.min_inputs; ++i) missing = node.inputs[i].empty();
    bool variadic = op.max_inputs == kVariadic;
    for (size_t i = 0; variadic && i < count; ++i) missing = missing || node.inputs[i].empty();
    if (missing || static_cast<int64_t>(count) > op.max_inputs)
      return invalid_argument("the operator takes " + std::to_string(op.min_inputs) +
                              (variadic                         ? " or more"
                               : op.max_inputs != op.min_inputs ? " to " + std::to_string(op.max_inputs)
                                                                : "") +
                              " inputs; the node has " + std::to_string(count) + ".");
    return ok_status();
  }

  // What is read later has to be there: Tuff does not make every output, and a node may name some that its operator lacks.
  Status check_outputs(const NodeProto& node) const {
    for (std::string_view output : node.outputs)
      if (!output.empty() && values_.is_used(output) && !values_.contains(output))
        return unsupported("its output '" + std::string(output) + "' is not supported.");
    return ok_status();
  }

  Status import_node(const NodeProto& node, const Operator& op) {
    if (op.domain.empty()) {
      TUFF_ASSIGN(bool folded, fold_node(node));
      if (folded) return ok_status();
    }
    NodeImport call(node, opset_, values_);
    Status status = op.import(call);
    if (!call.attributes.status().ok()) return call.attributes.status();
    if (call.data_axis() && !node.outputs.empty()) sized_.emplace(node.outputs[0], *call.data_axis());
    return status;
  }

  Status carry_data_axis(const NodeProto& node, const Operator& op) {
    std::vector<SizedInput> inputs;
    for (std::string_view name : node.inputs) {
      SizedInput input;
      if (!name.empty()) input.shape = values_.at(name).type.shape;
      if (auto found = sized_.find(name); found != sized_.end()) input.axis = found->second;
      inputs.push_back(std::move(input));
    }
    for (std::string_view output : node.outputs) {
      if (output.empty()) continue;
      TUFF_ASSIGN(DataAxis axis, carried_axis(node, is_elementwise(op), inputs, values_.at(output).type.shape));
      sized_.emplace(output, axis);
    }
    return ok_status();
  }

  // Outputs whose size the data decide; each is followed, after all of the model's, by one that says it.
  Status add_data_sizes() {
    Graph graph = std::move(builder_).finish();
    std::map<uint32_t, size_t> counts;  // by the value that says it: the output
    const size_t model_outputs = graph.outputs.size();
    for (size_t i = 0; i < model_outputs; ++i) {
      auto found = sized_.find(model_.graph.outputs[i].name);
      if (found == sized_.end()) continue;
      const DataAxis& axis = found->second;
      auto [count, is_new] = counts.emplace(axis.count.value, graph.outputs.size());
      if (is_new) {
        graph.outputs.push_back(axis.count);
        graph.output_names.push_back(graph.output_names[i] + ".size");
      }
      graph.data_sizes.push_back({i, axis.axis, count->second});
    }
    builder_ = GraphBuilder(std::move(graph));
    return ok_status();
  }

  Result<bool> fold_node(const NodeProto& node) {
    constexpr size_t kInputLimit = 256;
    if (!can_fold(node.op_type) || node.inputs.size() > kInputLimit) return false;
    FoldCall call{node.op_type, opset_, Attributes(node), {}, node.outputs.size()};
    for (std::string_view input : node.inputs) {
      call.inputs.push_back(input.empty() ? nullptr : values_.known(input));
      if (!input.empty() && !call.inputs.back()) return false;
    }
    if (call.inputs.empty()) return false;
    auto outputs = fold(call);
    if (!outputs || !call.attributes.status().ok()) return false;
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (!node.outputs[i].empty())
        TUFF_TRY(values_.bind(node.outputs[i], std::move((*outputs)[i]), builder_.origins().front()));
    return true;
  }

  const ModelProto& model_;
  const LoadOptions& options_;
  GraphBuilder builder_;
  ValueTable values_;
  int64_t opset_ = 0;
  std::unordered_set<std::string_view> unavailable_;
  std::vector<std::string> reasons_;
  std::vector<Step> steps_;
  std::unordered_map<std::string_view, DataAxis> sized_;  // what has a size that the data decide
};

}  // namespace

Result<Graph> import_model(const ModelProto& model, TensorLoader& loader, const LoadOptions& options) {
  return Importer(model, loader, options).run();
}

}  // namespace tuff::onnx
