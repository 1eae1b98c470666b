"""Graphs that are not networks but measure one thing.

In: sizes. Out: a Network.
Invariant: gemm and conv3x3 are one operator each, on one input and one weight. In the chain each layer reads all of the one
before, so that no two can share a kernel.
"""

from network import Network

CHAIN = "chain50"


def chain():
    """50 kernels so small that running it costs what the host does: fully connected layers of 16 x 16, each behind a ReLU."""
    net = Network(CHAIN, seed=50, input_shape=(16, 1, 1))
    x = net.flatten("input", "flatten")
    for i in range(50):
        x = net.pointwise("relu", f"relu{i}", net.linear(x, f"fc{i}", 16))
    return net


def gemm(name, size):
    """A square matrix times a square weight."""
    net = Network(name, seed=size, input_shape=(size, size))
    net.matmul("input", "product", size)
    return net


def conv3x3(name, channels, side):
    """As many channels out as in, of the same size."""
    net = Network(name, seed=channels, input_shape=(channels, side, side))
    net.conv("input", "conv", channels, 3, pad=1)
    return net
