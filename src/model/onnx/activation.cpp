// Activation functions as formulas of maps. A branch that select does not take may overflow; its value is not used.
#include <cmath>
#include <numbers>

#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

Tensor exp(Tensor x) { return map(MapOp::exp, {x}); }
Tensor sigmoid(Tensor x) { return map(MapOp::sigmoid, {x}); }
Tensor tanh(Tensor x) { return map(MapOp::tanh, {x}); }
Tensor softplus(Tensor x) { return map(MapOp::softplus, {x}); }
Tensor zero_like(Tensor x) { return x.composition().scalar(x.dtype(), 0); }

// max(x, 0)
Status relu(NodeImport& node) { return node.output(maximum(node.input(0), 0)); }

// x < 0 ? alpha * x : x
Status leaky_relu(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(select(less(x, 0), x * node.attributes.real("alpha", 0.01f), x));
}

// x < 0 ? slope * x : x
Status prelu(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(select(less(x, 0), x * node.input(1), x));
}

// x < 0 ? alpha * (exp(x) - 1) : x
Status elu(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(select(less(x, 0), (exp(x) - 1) * node.attributes.real("alpha", 1), x));
}

// gamma * (x < 0 ? alpha * (exp(x) - 1) : x)
Status selu(NodeImport& node) {
  Tensor x = node.input(0);
  float alpha = node.attributes.real("alpha", 1.67326319217681884765625f);
  float gamma = node.attributes.real("gamma", 1.05070102214813232421875f);
  return node.output(select(less(x, 0), (exp(x) - 1) * alpha, x) * gamma);
}

// x < 0 ? alpha * (exp(x / alpha) - 1) : x, for positive alpha
Status celu(NodeImport& node) {
  Tensor x = node.input(0);
  float alpha = node.attributes.real("alpha", 1);
  return node.output(select(less(x, 0), (exp(x * (1.0 / alpha)) - 1) * alpha, x));
}

// x > alpha ? x : 0
Status thresholded_relu(NodeImport& node) {
  Tensor x = node.input(0);
  Tensor alpha = node.composition.scalar(x.dtype(), node.attributes.real("alpha", 1));
  return node.output(select(map(MapOp::less, {alpha, x}), x, zero_like(x)));
}

Tensor hard_sigmoid(Tensor x, double alpha, double beta) { return maximum(minimum(x * alpha + beta, 1), 0); }

// max(0, min(1, alpha * x + beta))
Status hard_sigmoid(NodeImport& node) {
  return node.output(hard_sigmoid(node.input(0), node.attributes.real("alpha", 0.2f), node.attributes.real("beta", 0.5f)));
}

// x * max(0, min(1, x / 6 + 1 / 2))
Status hard_swish(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(x * hard_sigmoid(x, 1.0 / 6, 0.5));
}

// x < -lambd ? x + bias : x > lambd ? x - bias : 0
Status shrink(NodeImport& node) {
  Tensor x = node.input(0);
  float lambd = node.attributes.real("lambd", 0.5f), bias = node.attributes.real("bias", 0);
  Tensor limit = node.composition.scalar(x.dtype(), lambd);
  return node.output(select(less(x, -lambd), x + bias, select(map(MapOp::less, {limit, x}), x - bias, zero_like(x))));
}

// x / (1 + |x|)
Status softsign(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(x / (map(MapOp::abs, {x}) + 1));
}

Status sigmoid(NodeImport& node) { return node.output(sigmoid(node.input(0))); }
Status softplus(NodeImport& node) { return node.output(softplus(node.input(0))); }

// x * tanh(softplus(x))
Status mish(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(x * tanh(softplus(x)));
}

// x * sigmoid(alpha * x)
Status swish(NodeImport& node) {
  Tensor x = node.input(0);
  float alpha = node.attributes.real("alpha", 1);
  return node.output(x * sigmoid(alpha == 1 ? x : x * alpha));
}

// 0.5 * x * (1 + erf(x / sqrt(2)))
Tensor gelu_by_erf(Tensor x) { return x * 0.5 * (map(MapOp::erf, {x * (1 / std::numbers::sqrt2)}) + 1); }

// 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
Tensor gelu_by_tanh(Tensor x) {
  double scale = std::sqrt(2 / std::numbers::pi);
  return x * 0.5 * (tanh((x + x * x * x * 0.044715) * scale) + 1);
}

Status gelu(NodeImport& node) {
  std::string_view approximate = node.attributes.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return invalid_argument("its approximation is '" + std::string(approximate) + "', not none or tanh.");
  Tensor x = node.input(0);
  return node.output(approximate == "tanh" ? gelu_by_tanh(x) : gelu_by_erf(x));
}

// gelu_by_tanh(x + bias)
Status fast_gelu(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(gelu_by_tanh(node.has_input(1) ? x + node.input(1) : x));
}

// gelu_by_erf(x + bias)
Status bias_gelu(NodeImport& node) { return node.output(gelu_by_erf(node.input(0) + node.input(1))); }

// x * sigmoid(alpha * x)
Status quick_gelu(NodeImport& node) {
  Tensor x = node.input(0);
  return node.output(x * sigmoid(x * node.attributes.real("alpha", 1.702f)));
}

constexpr Operator kActivationOperators[] = {
    {"BiasGelu", 1, 2, 2, bias_gelu, "com.microsoft"},
    {"Celu", 12, 1, 1, celu},
    {"Elu", 6, 1, 1, elu},
    {"FastGelu", 1, 1, 2, fast_gelu, "com.microsoft"},
    {"Gelu", 20, 1, 1, gelu},
    {"Gelu", 1, 1, 1, gelu, "com.microsoft"},
    {"HardSigmoid", 6, 1, 1, hard_sigmoid},
    {"HardSwish", 14, 1, 1, hard_swish},
    {"LeakyRelu", 6, 1, 1, leaky_relu},
    {"Mish", 18, 1, 1, mish},
    {"PRelu", 7, 2, 2, prelu},
    {"QuickGelu", 1, 1, 1, quick_gelu, "com.microsoft"},
    {"Relu", 6, 1, 1, relu},
    {"Selu", 6, 1, 1, selu},
    {"Shrink", 9, 1, 1, shrink},
    {"Sigmoid", 6, 1, 1, sigmoid},
    {"Softplus", 1, 1, 1, softplus},
    {"Softsign", 1, 1, 1, softsign},
    {"Swish", 24, 1, 1, swish},
    {"ThresholdedRelu", 10, 1, 1, thresholded_relu},
};

}  // namespace

std::span<const Operator> activation_operators() { return kActivationOperators; }

}  // namespace tuff::onnx
