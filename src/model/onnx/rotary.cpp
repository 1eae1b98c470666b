#include "model/onnx/rotary.h"

#include "model/onnx/attention.h"
#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

// [..., n] as [..., n/2, 2]
Dims in_pairs(const Dims& shape) {
  Dims pairs = shape;
  pairs.back() = floor_div(shape.back(), IntExpr(2));
  pairs.push_back(IntExpr(2));
  return pairs;
}

Tensor swapped_pairs(Tensor x, bool interleaved) {
  if (interleaved) {
    Tensor pairs = reshape(x, in_pairs(x.shape()));
    return reshape(slice(pairs, -1, IntExpr(1), IntExpr(2), -1), x.shape());
  }
  const IntExpr half = floor_div(x.dim(-1), IntExpr(2));
  return concat({slice(x, -1, half, half), slice(x, -1, IntExpr(0), half)}, x.rank() - 1);
}

// The elements of a and b, each for the pairs [..., pairs], at the places of pairs in a head.
Tensor placed(Tensor a, Tensor b, bool interleaved) {
  if (!interleaved) return concat({a, b}, a.rank() - 1);
  Dims column = a.shape(), joined = a.shape();
  column.push_back(IntExpr(1));
  joined.back() = joined.back() * IntExpr(2);
  return reshape(concat({reshape(a, column), reshape(b, column)}, a.rank()), std::move(joined));
}

Tensor table_rows(Tensor table, Tensor positions, bool heads_first) {
  Tensor rows = gather(table, positions, 0);
  Dims shape = rows.shape();
  if (shape.size() == 3) shape.insert(shape.begin() + (heads_first ? 1 : 2), IntExpr(1));
  return reshape(rows, std::move(shape));
}

}  // namespace

RotaryTables rotary_tables(Tensor cos_cache, Tensor sin_cache, bool interleaved) {
  Tensor cosines = widen(cos_cache), sines = widen(sin_cache);
  return {placed(cosines, cosines, interleaved), placed(map(MapOp::neg, {sines}), sines, interleaved), interleaved};
}

RotaryTables rows_at(const RotaryTables& tables, Tensor positions, bool heads_first) {
  return {table_rows(tables.cosines, positions, heads_first), table_rows(tables.sines, positions, heads_first),
          tables.interleaved};
}

Tensor rotated(Tensor x, const RotaryTables& rows) {
  const IntExpr size = rows.cosines.dim(-1), rest = x.dim(-1) - size;
  Tensor turning = widen(slice(x, -1, IntExpr(0), size));
  Tensor y = cast(turning * rows.cosines + swapped_pairs(turning, rows.interleaved) * rows.sines, x.dtype());
  return rest.is(0) ? y : concat({y, slice(x, -1, size, rest)}, x.rank() - 1);
}

namespace {

// Heads of a size that the tables turn at least a part of.
Status check_rotation(Tensor x, const RotaryTables& tables) {
  TUFF_TRY(x.composition().status());
  if (proven_nonnegative(x.dim(-1) - tables.cosines.dim(-1))) return ok_status();
  return invalid_argument("its tables turn " + tables.cosines.dim(-1).text() + " elements of heads of " + x.dim(-1).text() +
                          ".");
}

struct RotaryInput {
  Tensor x;  // of rank 4
  bool heads_first;
};

// Rank 4 as it is; rank 3 as [batch, sequence, head, size].
Result<RotaryInput> rotary_input(Tensor x, int64_t heads) {
  TUFF_TRY(x.composition().status());
  if (x.rank() == 4) return RotaryInput{x, true};
  if (heads < 1) return invalid_argument("its input of rank " + std::to_string(x.rank()) + " needs the number of heads.");
  TUFF_ASSIGN(Tensor apart, split_heads(x, heads));
  return RotaryInput{apart, false};
}

Status rotate(NodeImport& node, const RotaryInput& in, const RotaryTables& rows) {
  TUFF_TRY(check_rotation(in.x, rows));
  return node.output(reshape(rotated(in.x, rows), node.input_type(0).shape));
}

Status rotary_embedding(NodeImport& node) {
  TUFF_ASSIGN(RotaryInput in, rotary_input(node.input(0), node.attributes.integer("num_heads", 0)));
  const bool interleaved = node.attributes.integer("interleaved", 0) != 0;
  RotaryTables tables = rotary_tables(node.input(1), node.input(2), interleaved);
  const int64_t turning = node.attributes.integer("rotary_embedding_dim", 0);
  const IntExpr size = turning > 0 ? IntExpr(turning) : in.x.dim(-1);
  if (!(tables.cosines.dim(-1) == size))
    return invalid_argument("its tables are for " + tables.cosines.dim(-1).text() + " elements of a head, " + size.text() +
                            " turn.");
  if (node.has_input(3)) return rotate(node, in, rows_at(tables, node.input(3), in.heads_first));
  if (node.rank(1) != 3 || node.rank(2) != 3) return invalid_argument("without positions its tables must have a row a token.");
  auto beside_heads = [&](Tensor table) {
    Dims shape = table.shape();
    shape.insert(shape.begin() + (in.heads_first ? 1 : 2), IntExpr(1));
    return reshape(table, std::move(shape));
  };
  return rotate(node, in, {beside_heads(tables.cosines), beside_heads(tables.sines), interleaved});
}

// positions: [batch, sequence], or one number, the first position of each sequence.
Status contrib_rotary_embedding(NodeImport& node) {
  if (node.attributes.integer("is_packed_batching", 0) != 0) return unsupported("packed batches are not supported.");
  if (node.attributes.real("scale", 1) != 1) return unsupported("a scale of positions is not supported.");
  RotaryTables tables = rotary_tables(node.input(2), node.input(3), node.attributes.integer("interleaved", 0) != 0);
  const bool partial = node.attributes.integer("rotary_embedding_dim", 0) > 0;
  int64_t heads = node.attributes.integer("num_heads", 0);
  if (node.rank(0) == 3 && !partial) {
    auto all = divide_exact(node.input_type(0).shape[2], tables.cosines.dim(-1));
    if (!all || !all->is_constant()) return invalid_argument("its tables do not fit its hidden size.");
    heads = all->constant();
  }
  TUFF_ASSIGN(RotaryInput in, rotary_input(node.input(0), heads));
  Tensor positions = node.input(1);
  if (node.rank(1) < 2) {
    const IntExpr sequence = in.x.dim(in.heads_first ? 2 : 1);
    Tensor first = cast(reshape(positions, {IntExpr(1), IntExpr(1)}), Dtype::kI32);
    positions = first + along(node.composition.iota(Dtype::kI32, sequence), 2, 1);
  }
  return rotate(node, in, rows_at(tables, positions, in.heads_first));
}

constexpr Operator kRotaryOperators[] = {
    {"RotaryEmbedding", 23, 3, 4, rotary_embedding},
    {"RotaryEmbedding", 1, 4, 4, contrib_rotary_embedding, "com.microsoft"},
};

}  // namespace

std::span<const Operator> rotary_operators() { return kRotaryOperators; }

}  // namespace tuff::onnx
