"""A graph of 50 kernels so small that running it costs what the host does.

In: nothing. Out: a Network of 50 fully connected layers of 16 x 16, each behind a ReLU.
Invariant: each layer reads all of the one before, so that no two can share a kernel.
"""

from network import Network

CHAIN = "chain50"


def chain():
    net = Network(CHAIN, seed=50, input_shape=(16, 1, 1))
    x = net.flatten("input", "flatten")
    for i in range(50):
        x = net.pointwise("relu", f"relu{i}", net.linear(x, f"fc{i}", 16))
    return net
