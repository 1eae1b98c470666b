// MatMul, Gemm and Einsum as contract: labelled axes, so that neither transposes nor batch axes need views of their own.
#include <algorithm>
#include <map>

#include "model/onnx/operators.h"
#include "model/onnx/products.h"

namespace tuff::onnx {
namespace {

Tensor contract(Tensor a, Tensor b, std::vector<int> a_labels, std::vector<int> b_labels, std::vector<int> out) {
  return a.composition().add(ContractAttrs{std::move(a_labels), std::move(b_labels), std::move(out), {}}, {a, b});
}

// Removes axes of size 1 that the labels name as dropped (-1).
Tensor drop_axes(Tensor x, std::vector<int>& labels) {
  Dims shape;
  std::vector<int> kept;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    shape.push_back(x.shape()[i]);
    kept.push_back(labels[i]);
  }
  labels = std::move(kept);
  return reshape(x, std::move(shape));
}

}  // namespace

// Batch axes get a label each; where one side has size 1 there, the axis is dropped from it, so that its elements serve every
// index of the other.
Tensor matmul(Tensor a, Tensor b) {
  constexpr int kM = 0, kN = 1, kK = 2, kBatch = 3;
  int batch_rank = std::max({a.rank(), b.rank(), 2}) - 2;
  auto label = [&](Tensor x, Tensor other, bool left) {
    std::vector<int> labels;
    int batch = std::max(x.rank() - 2, 0);
    for (int i = 0; i < batch; ++i) {
      int from_end = batch - i;
      bool other_has = std::max(other.rank() - 2, 0) >= from_end && !other.dim(-2 - from_end).is(1);
      bool drop = x.dim(i).is(1) && other_has;
      labels.push_back(drop ? -1 : kBatch + batch_rank - from_end);
    }
    if (x.rank() == 1)
      labels.push_back(kK);
    else
      labels.insert(labels.end(), {left ? kM : kK, left ? kK : kN});
    return labels;
  };
  std::vector<int> a_labels = label(a, b, true), b_labels = label(b, a, false), out;
  for (int i = 0; i < batch_rank; ++i) out.push_back(kBatch + i);
  if (a.rank() > 1) out.push_back(kM);
  if (b.rank() > 1) out.push_back(kN);
  a = drop_axes(a, a_labels);
  b = drop_axes(b, b_labels);
  return contract(a, b, a_labels, b_labels, out);
}

namespace {

Status matmul(NodeImport& node) {
  Tensor a = node.input(0), b = node.input(1);
  if (node.rank(0) == 0 || node.rank(1) == 0) return invalid_argument("it does not multiply scalars.");
  TUFF_TRY(node.composition.status());
  return node.output(matmul(a, b));
}

// alpha * A B + beta * C, with A and B as they are or transposed. The product is rounded to the dtype before alpha.
Status gemm(NodeImport& node) {
  bool trans_a = node.attributes.integer("transA", 0) != 0, trans_b = node.attributes.integer("transB", 0) != 0;
  float alpha = node.attributes.real("alpha", 1), beta = node.attributes.real("beta", 1);
  if (node.rank(0) != 2 || node.rank(1) != 2) return invalid_argument("its factors must be matrices.");
  Tensor a = node.input(0), b = node.input(1);
  constexpr int kM = 0, kN = 1, kK = 2;
  Tensor y = contract(a, b, trans_a ? std::vector<int>{kK, kM} : std::vector<int>{kM, kK},
                      trans_b ? std::vector<int>{kN, kK} : std::vector<int>{kK, kN}, {kM, kN});
  if (is_integer(node.input_type(0).dtype) && (alpha != 1 || (node.has_input(2) && beta != 1 && beta != 0)))
    return unsupported("factors alpha and beta for integers are not supported.");
  if (alpha != 1) y = y * alpha;
  if (!node.has_input(2) || beta == 0) return node.output(y);
  Tensor c = node.input(2);
  if (beta != 1) c = c * beta;
  return node.output(y + broadcast(c, y.shape()));
}

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

// "bij,bjk->bik"; spaces do not count. Without an arrow the output has the letters that occur once, in order.
Result<Equation> read_equation(std::string_view text) {
  Equation equation;
  std::map<char, int> uses;
  bool arrow = false;
  equation.inputs.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ') continue;
    if (c == ',' && !arrow) {
      equation.inputs.emplace_back();
    } else if (c == '-' && i + 1 < text.size() && text[i + 1] == '>' && !arrow) {
      arrow = true;
      ++i;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      if (!arrow) ++uses[c];
      (arrow ? equation.output : equation.inputs.back()) += c;
    } else {
      return unsupported("its equation '" + std::string(text) + "' has more than letters, commas and one arrow.");
    }
  }
  if (!arrow)
    for (auto [c, count] : uses)
      if (count == 1) equation.output += c;
  for (const std::string& labels : equation.inputs)
    for (char c : labels)
      if (std::count(labels.begin(), labels.end(), c) > 1)
        return unsupported("its equation '" + std::string(text) + "' repeats a letter within one input.");
  for (char c : equation.output)
    if (uses[c] == 0 || std::count(equation.output.begin(), equation.output.end(), c) > 1)
      return invalid_argument("its equation '" + std::string(text) + "' has an output letter without an input, or twice.");
  return equation;
}

// Sums and drops the axes whose letters neither the output nor the other operand has.
Tensor sum_alone(Tensor x, std::string& letters, const std::string& others) {
  std::vector<int> axes;
  Dims shape;
  std::string kept;
  for (size_t i = 0; i < letters.size(); ++i) {
    if (others.find(letters[i]) == std::string::npos) {
      axes.push_back(static_cast<int>(i));
    } else {
      shape.push_back(x.dim(static_cast<int>(i)));
      kept += letters[i];
    }
  }
  letters = kept;
  return reshape(sum(x, axes), std::move(shape));
}

// One operand: a sum and a transpose. Two: a contraction of what is left of them.
Status einsum(NodeImport& node) {
  TUFF_ASSIGN(Equation equation, read_equation(node.attributes.text("equation", "")));
  std::vector<std::string>& in = equation.inputs;
  if (in.size() != node.input_count()) return invalid_argument("its equation is for another number of inputs.");
  if (in.size() > 2) return unsupported("more than two operands are not supported.");
  for (size_t i = 0; i < in.size(); ++i)
    if (in[i].size() != static_cast<size_t>(node.rank(i)))
      return invalid_argument("its equation is for another rank of input " + std::to_string(i) + ".");
  auto labels = [](const std::string& letters) { return std::vector<int>(letters.begin(), letters.end()); };
  if (in.size() == 1) {
    Tensor x = sum_alone(node.input(0), in[0], equation.output);
    std::vector<int> perm;
    for (char c : equation.output) perm.push_back(static_cast<int>(in[0].find(c)));
    return node.output(transpose(x, std::move(perm)));
  }
  std::string b_letters = in[1];
  Tensor a = sum_alone(node.input(0), in[0], equation.output + b_letters);
  Tensor b = sum_alone(node.input(1), in[1], equation.output + in[0]);
  return node.output(contract(a, b, labels(in[0]), labels(in[1]), labels(equation.output)));
}

constexpr Operator kMatmulOperators[] = {
    {"Einsum", 12, 1, kVariadic, einsum},
    {"Gemm", 7, 2, 3, gemm},
    {"MatMul", 1, 2, 2, matmul},
};

}  // namespace

std::span<const Operator> matmul_operators() { return kMatmulOperators; }

}  // namespace tuff::onnx
