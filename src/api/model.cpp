#include <algorithm>

#include "api/guard.h"
#include "api/handles.h"

namespace tuff {
namespace {

static_assert(static_cast<int>(Dtype::kBool) == TUFF_BOOL);
static_assert(static_cast<int>(Dtype::kF64) == TUFF_F64);
static_assert(static_cast<int>(Dtype::kI64) == TUFF_I64);

constexpr int64_t kMayBeEmpty = -1;  // of tuff_symbol_range_t::min, whose 0 is the default

Status read_symbols(const tuff_model_desc_t& desc, LoadOptions& options) {
  if (desc.symbol_count != 0 && !desc.symbols) return null_argument("desc->symbols");
  for (uint32_t i = 0; i < desc.symbol_count; ++i) {
    tuff_symbol_range_t range;
    TUFF_TRY(read_desc(desc_element(desc.symbols, i), range, "tuff_symbol_range_t"));
    Symbol symbol;
    symbol.name = text_in(range.name, range.name_length);
    if (range.min != 0) symbol.min = range.min == kMayBeEmpty ? 0 : range.min;
    if (range.max != 0) symbol.max = range.max;
    if (range.divisor != 0) symbol.divisor = range.divisor;
    if (symbol.min < 0 || symbol.max < symbol.min || symbol.max > Symbol::kMax) {
      return invalid_argument("Dimension '" + symbol.name + "' cannot range from " + std::to_string(symbol.min) + " to " +
                              std::to_string(symbol.max) + ".");
    }
    options.symbols[symbol.name] = symbol;
  }
  return ok_status();
}

Status read_input_shapes(const tuff_model_desc_t& desc, LoadOptions& options) {
  if (desc.input_shape_count != 0 && !desc.input_shapes) return null_argument("desc->input_shapes");
  for (uint32_t i = 0; i < desc.input_shape_count; ++i) {
    tuff_input_shape_t input;
    TUFF_TRY(read_desc(desc_element(desc.input_shapes, i), input, "tuff_input_shape_t"));
    if (input.rank != 0 && !input.sizes) return null_argument("input_shapes->sizes");
    Dims dims;
    for (uint32_t axis = 0; axis < input.rank; ++axis) dims.push_back(IntExpr(input.sizes[axis]));
    options.input_shapes[std::string(text_in(input.name, input.name_length))] = std::move(dims);
  }
  return ok_status();
}

static_assert(static_cast<int>(PixelFormat::kNv12) == TUFF_PIXELS_NV12);
static_assert(static_cast<int>(Yuv::kBt709Full) == TUFF_YUV_BT709_FULL);
static_assert(static_cast<int>(ImageResize::kLinear) == TUFF_RESIZE_LINEAR);

Status read_images(const tuff_model_desc_t& desc, LoadOptions& options) {
  if (desc.image_count != 0 && !desc.images) return null_argument("desc->images");
  for (uint64_t i = 0; i < desc.image_count; ++i) {
    tuff_image_t d;
    TUFF_TRY(read_desc(desc_element(desc.images, i), d, "tuff_image_t"));
    Image image;
    image.tensor = text_in(d.tensor, d.tensor_length);
    auto is_one_of = [&](int32_t value, int32_t last, const char* what) {
      return value >= 0 && value <= last ? ok_status()
                                         : invalid_argument("The image '" + image.tensor + "' has no known " + what + ": " +
                                                            std::to_string(value) + ".");
    };
    TUFF_TRY(is_one_of(d.direction, TUFF_OUTPUT, "direction"));
    TUFF_TRY(is_one_of(d.pixels, TUFF_PIXELS_NV12, "pixels"));
    TUFF_TRY(is_one_of(d.yuv, TUFF_YUV_BT709_FULL, "yuv"));
    TUFF_TRY(is_one_of(d.resize, TUFF_RESIZE_LINEAR, "resize"));
    image.is_output = d.direction == TUFF_OUTPUT;
    image.format = static_cast<PixelFormat>(d.pixels);
    image.yuv = static_cast<Yuv>(d.yuv);
    image.row_alignment = d.row_alignment == 0 ? 1 : d.row_alignment;
    image.orientation = d.orientation == 0 ? 1 : d.orientation;
    image.width = d.width;
    image.height = d.height;
    image.crop = {d.crop_x, d.crop_y, d.crop_width, d.crop_height};
    image.resize = static_cast<ImageResize>(d.resize);
    std::copy(d.mean, d.mean + 4, image.mean.begin());
    std::copy(d.scale, d.scale + 4, image.scale.begin());
    options.images.push_back(std::move(image));
  }
  return ok_status();
}

struct ModelRequest {
  LoadOptions options;
  std::vector<std::string> outputs;
  bool borrow_memory = false;
};

Result<ModelRequest> model_request(const tuff_model_desc_t* desc) {
  tuff_model_desc_t d;
  TUFF_TRY(read_desc(desc, d, "tuff_model_desc_t"));
  ModelRequest request;
  request.borrow_memory = d.borrow_memory != 0;
  TUFF_TRY(read_symbols(d, request.options));
  TUFF_TRY(read_input_shapes(d, request.options));
  TUFF_TRY(read_images(d, request.options));
  if (d.output_count != 0 && !d.outputs) return null_argument("desc->outputs");
  for (uint64_t i = 0; i < d.output_count; ++i)
    request.outputs.emplace_back(text_in(d.outputs[i].name, d.outputs[i].name_length));
  return request;
}

Status hand_out(Result<LoadedModel> loaded, tuff_model_t** out_model) {
  if (!loaded.ok()) return loaded.status();
  auto model = std::make_unique<tuff_model>();
  model->model = std::make_shared<const LoadedModel>(std::move(loaded).value());
  *out_model = model.release();
  return ok_status();
}

struct TensorOf {
  std::string_view name;
  const Value* value;
};

Result<TensorOf> tensor_of(const tuff_model_t* model, tuff_direction_t direction, uint32_t index) {
  if (!model) return null_argument("model");
  const Graph& graph = model->model->graph;
  uint32_t count = tuff_model_tensor_count(model, direction);
  if (index >= count) {
    return invalid_argument("There is no " + std::string(direction == TUFF_INPUT ? "input " : "output ") +
                            std::to_string(index) + "; the model has " + std::to_string(count) + ".");
  }
  if (direction == TUFF_INPUT) {
    const Value& value = graph.value(graph.inputs[index]);
    return TensorOf{value.name, &value};
  }
  return TensorOf{graph.output_names[index], &graph.value(graph.outputs[index])};
}

Result<const Value*> named_value(const tuff_model_t* model, uint64_t index) {
  if (!model) return null_argument("model");
  const LoadedModel& loaded = *model->model;
  if (index >= loaded.named.size())
    return invalid_argument("There is no value " + std::to_string(index) + "; the model has " +
                            std::to_string(loaded.named.size()) + " with names.");
  return &loaded.graph.value(loaded.named[static_cast<size_t>(index)]);
}

}  // namespace
}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_model_load_file(const char* path, uint64_t path_length, const tuff_model_desc_t* desc,
                                   tuff_model_t** out_model, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(path);
    TUFF_NOT_NULL(out_model);
    TUFF_ASSIGN(ModelRequest request, model_request(desc));
    return hand_out(load_model(std::string(text_in(path, path_length)), request.options, request.outputs), out_model);
  });
}

tuff_status_t tuff_model_load_memory(const void* data, uint64_t size_bytes, const char* name, uint64_t name_length,
                                     const tuff_model_desc_t* desc, tuff_model_t** out_model, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(data);
    TUFF_NOT_NULL(out_model);
    TUFF_ASSIGN(ModelRequest request, model_request(desc));
    Bytes bytes;
    if (request.borrow_memory) {
      bytes.data = {static_cast<const std::byte*>(data), static_cast<size_t>(size_bytes)};
    } else {
      bytes = bytes_from_string(std::make_shared<const std::string>(static_cast<const char*>(data), size_bytes));
    }
    std::string source(text_in(name, name_length));
    return hand_out(load_model(bytes, source.empty() ? "model in memory" : source, request.options, request.outputs),
                    out_model);
  });
}

void tuff_model_retain(tuff_model_t* model) { retain_handle(model); }
void tuff_model_release(tuff_model_t* model) { release_handle(model); }

uint64_t tuff_model_load_time_ns(const tuff_model_t* model) { return model ? static_cast<uint64_t>(model->model->load_ns) : 0; }

uint32_t tuff_model_tensor_count(const tuff_model_t* model, tuff_direction_t direction) {
  if (!model) return 0;
  const Graph& graph = model->model->graph;
  if (direction == TUFF_INPUT) return static_cast<uint32_t>(graph.inputs.size());
  return direction == TUFF_OUTPUT ? static_cast<uint32_t>(graph.outputs.size()) : 0;
}

tuff_status_t tuff_model_tensor_name(const tuff_model_t* model, tuff_direction_t direction, uint32_t index, char* buffer,
                                     uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(TensorOf tensor, tensor_of(model, direction, index));
    text_out(tensor.name, buffer, capacity, out_length);
    return ok_status();
  });
}

tuff_status_t tuff_model_tensor_type(const tuff_model_t* model, tuff_direction_t direction, uint32_t index,
                                     tuff_dtype_t* out_dtype, uint32_t* out_rank, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(TensorOf tensor, tensor_of(model, direction, index));
    if (out_dtype) *out_dtype = static_cast<tuff_dtype_t>(tensor.value->dtype);
    if (out_rank) *out_rank = static_cast<uint32_t>(tensor.value->shape.size());
    return ok_status();
  });
}

tuff_status_t tuff_model_tensor_axis(const tuff_model_t* model, tuff_direction_t direction, uint32_t index, uint32_t axis,
                                     int64_t* out_size, char* buffer, uint64_t capacity, uint64_t* out_length,
                                     tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(TensorOf tensor, tensor_of(model, direction, index));
    if (axis >= tensor.value->shape.size()) {
      return invalid_argument("'" + std::string(tensor.name) + "' has no axis " + std::to_string(axis) + ".");
    }
    const IntExpr& size = tensor.value->shape[axis];
    if (out_size) *out_size = size.is_constant() ? size.constant() : -1;
    text_out(size.text(), buffer, capacity, out_length);
    return ok_status();
  });
}

uint64_t tuff_model_value_count(const tuff_model_t* model) { return model ? model->model->named.size() : 0; }

tuff_status_t tuff_model_value_name(const tuff_model_t* model, uint64_t index, char* buffer, uint64_t capacity,
                                    uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(const Value* value, named_value(model, index));
    text_out(value->name, buffer, capacity, out_length);
    return ok_status();
  });
}

tuff_status_t tuff_model_value_nodes(const tuff_model_t* model, uint64_t index, char* buffer, uint64_t capacity,
                                     uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_ASSIGN(const Value* value, named_value(model, index));
    std::string nodes;
    for (const std::string& name : model->model->graph.node(value->producer).origins)
      nodes += (nodes.empty() ? "" : ", ") + name;
    text_out(nodes, buffer, capacity, out_length);
    return ok_status();
  });
}

uint32_t tuff_model_symbol_count(const tuff_model_t* model) {
  return model ? static_cast<uint32_t>(model->model->graph.symbols.size()) : 0;
}

tuff_status_t tuff_model_symbol(const tuff_model_t* model, uint32_t index, tuff_symbol_range_t* out_range, char* buffer,
                                uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(model);
    const std::vector<Symbol>& symbols = model->model->graph.symbols;
    if (index >= symbols.size()) return invalid_argument("There is no symbol " + std::to_string(index) + ".");
    const Symbol& symbol = symbols[index];
    if (out_range) {
      tuff_symbol_range_t range = TUFF_SYMBOL_RANGE_INIT;
      range.min = symbol.min == 0 ? kMayBeEmpty : symbol.min;
      range.max = symbol.max;
      range.divisor = static_cast<uint32_t>(symbol.divisor);
      range.name_length = symbol.name.size();
      TUFF_TRY(write_info(range, out_range, "out_range"));
    }
    text_out(symbol.name, buffer, capacity, out_length);
    return ok_status();
  });
}

tuff_status_t tuff_model_print(const tuff_model_t* model, tuff_stage_t stage, tuff_format_t format, char* buffer,
                               uint64_t capacity, uint64_t* out_length, tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(model);
    if (stage != TUFF_STAGE_GRAPH) return unsupported("A model has only the graph stage; a program has the later ones.");
    if (format != TUFF_FORMAT_TEXT) return unsupported("A graph prints as text only.");
    text_out(print(model->model->graph), buffer, capacity, out_length);
    return ok_status();
  });
}
