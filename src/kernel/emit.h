// Points to source: the one printer of kernel code. In: a Point and where its coordinates come from. Out: statements.
//
// A kernel body is a chain of blocks, outermost first (per row, per tap, per step, per element ...). Each statement goes into
// the outermost block in which everything it uses is known, once: that is all the hoisting and sharing there is.
// A Point is written for W neighbouring elements along one coordinate at a time; a load becomes a vector load where its
// address is proven to advance by one and to be a multiple of W.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "device/device_info.h"
#include "fusion/point.h"
#include "kernel/dialect.h"
#include "kernel/kernel.h"

namespace tuff {

// What of a device decides how kernels read and write buffers.
struct StorageFeatures {
  int64_t most_texel_buffers = 0;
  bool storage8 = false, storage16 = false;
  bool unpacks_halves = false;  // as they are
};
StorageFeatures storage_features(const DeviceInfo& device);

// Do several elements of the dtype share a word of storage?
inline bool is_packed(Dtype dtype) { return dtype_size_bytes(dtype) < 4; }

// What all blocks of one kernel share: buffers, parameters, declarations.
class KernelWriter {
 public:
  KernelWriter(const Graph& graph, const std::vector<Placement>& placements, const Dialect& dialect, bool exact,
               StorageFeatures features = {})
      : graph_(graph), placements_(placements), dialect_(dialect), exact_(exact), features_(features) {}

  // Element `index` of the value, or word where it is packed, seen as vectors of the given width: an expression to read or to
  // assign to.
  std::string load(ValueId value, int width, const std::string& index);
  std::string stored(ValueId value, int width, const std::string& index);
  // Can the device write single elements of the packed dtype? Then as narrow_element(), to assign a narrow_type() to.
  bool stores_narrow(Dtype dtype) const { return dtype_size_bytes(dtype) == 1 ? features_.storage8 : features_.storage16; }
  std::string narrow_element(ValueId value, const std::string& index);
  // May halves be widened by the device's own unpacking? Not in exact mode: of NaNs it may keep or change the bits.
  bool unpacks_halves() const { return features_.unpacks_halves && !exact_; }
  // An expression over dimension symbols only, as a word of the parameter block (or a literal).
  std::string parameter(const IntExpr& e);

  // The kernel's workgroups leave each other this, as vectors of floats in partials.e, and count in counters.e.
  void share_results(IntExpr partial_bytes, IntExpr counter_count, std::string vector);
  const IntExpr& partial_bytes() const { return partial_bytes_; }
  const IntExpr& counter_count() const { return counter_count_; }

  std::string declarations() const;
  std::vector<KernelBinding> bindings() const;
  const std::vector<IntExpr>& parameters() const { return parameters_; }
  bool uses(Register r) const { return used_registers_[static_cast<int>(r)]; }
  void note(Register r) { used_registers_[static_cast<int>(r)] = true; }

  const Graph& graph() const { return graph_; }
  const Dialect& dialect() const { return dialect_; }
  bool exact() const { return exact_; }
  int fresh() { return next_name_++; }

 private:
  static constexpr int kNarrow = 0;  // among a slot's widths: single packed elements
  struct Slot {
    KernelBinding binding;
    std::set<int> widths;
  };
  // The value, then what it lies in, up to what has storage of its own.
  std::vector<ValueId> owners(ValueId value) const;
  // How many words a texel of the value's buffer has when `width` elements are loaded; 0: a storage buffer.
  int texel_words_of(ValueId value, int width) const;
  // The name of the buffer that holds the value.
  std::string buffer(ValueId value, Access access, int width, int texel_words);

  const Graph& graph_;
  const std::vector<Placement>& placements_;
  const Dialect& dialect_;
  bool exact_;
  StorageFeatures features_;
  std::vector<Slot> slots_;
  std::vector<IntExpr> parameters_;
  IntExpr partial_bytes_, counter_count_;
  std::string partial_vector_;
  bool used_registers_[7] = {};
  int next_name_ = 0;
};

// One nesting level of the body. Blocks know their parents; names bound in one are seen in all below it.
class Block {
 public:
  Block(KernelWriter& writer, const Block* parent)
      : writer_(writer), parent_(parent), depth_(parent ? parent->depth_ + 1 : 0) {}

  void line(std::string text) { lines_.push_back(std::move(text)); }
  // A temporary with this initialiser, shared by all who ask for the same one here or in a block around.
  std::string temporary(std::string_view type, const std::string& expression);
  std::string text(int indent) const;
  int depth() const { return depth_; }
  KernelWriter& writer() const { return writer_; }
  const Block* parent() const { return parent_; }

 private:
  KernelWriter& writer_;
  const Block* parent_;
  int depth_;
  std::vector<std::string> lines_;
  std::map<std::string, std::string> known_;
};

// Where names live: loop variables of IntExprs and inputs of Points, each with its text and its block.
class Emitter {
 public:
  explicit Emitter(std::vector<Block*> blocks) : blocks_(std::move(blocks)) {}

  void bind(const std::string& variable, std::string text, int block);
  // The lanes of an input: one text (the same for all lanes) or W.
  void bind_input(int input, std::vector<std::string> lanes, int block);

  // The integer, with invariant parts computed in the outermost block possible.
  std::string integer(const IntExpr& e);
  // All ops of the Point that `root` needs, for `width` elements along `vector_variable` (empty: one element). The bound
  // text of that variable is its value divided by `width`. Returns the texts of the lanes: `width` of them.
  std::vector<std::string> emit(const Point& point, int root, const std::string& vector_variable, int width);
  // The word that holds four neighbours along the variable, of a load of bytes for which contiguous() holds; the bound text of
  // the variable is its value divided by four. `fill`: the word where a check fails.
  std::string word(const PointOp& load, const std::string& variable, const std::string& fill);
  // Writes value[address] for lanes that lie along `vector_variable`.
  Status store(ValueId value, const IntExpr& address, const std::vector<std::string>& lanes, const std::string& vector_variable,
               int width);
  // May `width` lanes be one vector access?
  static bool contiguous(const IntExpr& address, const std::string& vector_variable, int width);

 private:
  struct Binding {
    std::string text;
    int block;
  };
  struct Lanes {
    std::vector<std::string> texts;  // 1 or width
    int block = 0;
  };
  int block_of(const IntExpr& e) const;
  std::string atom(const Atom& a, int* block);
  Lanes emit_op(const Point& point, int op, const std::string& variable, int width, std::map<int, Lanes>& done);
  std::string condition(const std::vector<RangeCheck>& checks, int* block);

  std::vector<Block*> blocks_;
  std::map<std::string, Binding> variables_;
  std::map<int, Lanes> inputs_;
};

// A lane's IntExpr: the vector variable v becomes width * v + lane, v now counting vectors.
IntExpr at_lane(const IntExpr& e, const std::string& vector_variable, int width, int lane);
// The same of all coordinates of the Point.
Point at_lane(Point point, const std::string& vector_variable, int width, int lane);

// A map op over register texts: ops.def's expression for the operands' class and the writer's mode.
std::string map_text(const KernelWriter& writer, MapOp op, Dtype operand, Dtype result,
                     const std::vector<std::string>& arguments);

// What values of the dtype are combined in, to be narrowed once at the end: f32 for f16 and bf16.
inline Dtype sum_dtype(Dtype dtype) { return register_of(dtype) == Register::kFloat ? Dtype::kF32 : dtype; }

// A value of the dtype, given as a register text, rounded or wrapped to what the dtype can hold.
std::string narrow(Dtype dtype, const std::string& text);

}  // namespace tuff
