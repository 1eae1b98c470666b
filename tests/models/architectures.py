"""Seven image networks at their published layer sizes, 3x224x224 in, 1000 logits out.

In: nothing. Out: a Network with seeded random weights. Names follow the modules of the usual
framework implementations, so that a node's name says which block it belongs to.
Invariant: layer sizes and order are those of the papers' reference code; only the weights are made up.
"""

from network import Network

# A residual branch is added at this scale, so that the sum's variance grows slowly with depth.
BRANCH = 0.5


def squeezenet1_1():
    net = Network("squeezenet1_1", seed=11)

    def fire(x, index, squeeze, expand):
        name = f"features.{index}"
        x = net.conv(x, f"{name}.squeeze", squeeze, 1, bias=True)
        x = net.pointwise("relu", f"{name}.squeeze_activation", x)
        one = net.conv(x, f"{name}.expand1x1", expand, 1, bias=True)
        one = net.pointwise("relu", f"{name}.expand1x1_activation", one)
        three = net.conv(x, f"{name}.expand3x3", expand, 3, pad=1, bias=True)
        three = net.pointwise("relu", f"{name}.expand3x3_activation", three)
        return net.concat(f"{name}.concat", one, three)

    x = net.conv("input", "features.0", 64, 3, stride=2, bias=True)
    x = net.pointwise("relu", "features.1", x)
    x = net.max_pool(x, "features.2", 3, 2, ceil=True)
    x = fire(x, 3, 16, 64)
    x = fire(x, 4, 16, 64)
    x = net.max_pool(x, "features.5", 3, 2, ceil=True)
    x = fire(x, 6, 32, 128)
    x = fire(x, 7, 32, 128)
    x = net.max_pool(x, "features.8", 3, 2, ceil=True)
    x = fire(x, 9, 48, 192)
    x = fire(x, 10, 48, 192)
    x = fire(x, 11, 64, 256)
    x = fire(x, 12, 64, 256)
    x = net.pointwise("dropout", "classifier.0", x)
    x = net.conv(x, "classifier.1", 1000, 1, bias=True)
    x = net.pointwise("relu", "classifier.2", x)
    x = net.global_pool(x, "classifier.3")
    net.flatten(x, "flatten")
    return net


def resnet(name, seed, block_counts, bottleneck):
    net = Network(name, seed)
    expansion = 4 if bottleneck else 1

    def conv_bn(x, conv, bn, *size, scale=1.0, **attributes):
        return net.batchnorm(net.conv(x, conv, *size, **attributes), bn, scale)

    def block(x, at, width, stride):
        shortcut = x
        convs = (
            [(width, 1, 1), (width, 3, stride), (width * 4, 1, 1)]
            if bottleneck
            else [(width, 3, stride), (width, 3, 1)]
        )
        for i, (channels, kernel, step) in enumerate(convs, 1):
            last = i == len(convs)
            x = conv_bn(
                x,
                f"{at}.conv{i}",
                f"{at}.bn{i}",
                channels,
                kernel,
                stride=step,
                pad=kernel // 2,
                scale=BRANCH if last else 1.0,
            )
            if not last:
                x = net.pointwise("relu", f"{at}.relu{i}", x)
        if stride != 1 or net.shapes[shortcut][0] != width * expansion:
            shortcut = conv_bn(
                shortcut, f"{at}.downsample.0", f"{at}.downsample.1", width * expansion, 1, stride=stride
            )
        return net.pointwise("relu", f"{at}.relu", net.pointwise("add", f"{at}.add", x, shortcut))

    x = conv_bn("input", "conv1", "bn1", 64, 7, stride=2, pad=3)
    x = net.pointwise("relu", "relu", x)
    x = net.max_pool(x, "maxpool", 3, 2, pad=1)
    for stage, count in enumerate(block_counts):
        for i in range(count):
            x = block(x, f"layer{stage + 1}.{i}", 64 << stage, 2 if stage > 0 and i == 0 else 1)
    x = net.flatten(net.global_pool(x, "avgpool"), "flatten")
    net.linear(x, "fc", 1000)
    return net


def resnet18():
    return resnet("resnet18", 18, [2, 2, 2, 2], bottleneck=False)


def resnet50():
    return resnet("resnet50", 50, [3, 4, 6, 3], bottleneck=True)


def mobilenet_v2():
    net = Network("mobilenet_v2", seed=2)

    def conv_bn(x, at, channels, kernel, scale=1.0, activate=True, **attributes):
        x = net.conv(x, f"{at}.0", channels, kernel, pad=kernel // 2, **attributes)
        x = net.batchnorm(x, f"{at}.1", scale)
        return net.pointwise("relu6", f"{at}.2", x) if activate else x

    def block(x, at, channels, stride, expand):
        shortcut, width = x, net.shapes[x][0]
        added = stride == 1 and width == channels
        if expand != 1:
            x = conv_bn(x, f"{at}.expand", width * expand, 1)
        x = conv_bn(x, f"{at}.depthwise", width * expand, 3, stride=stride, groups=width * expand)
        x = conv_bn(x, f"{at}.project", channels, 1, activate=False, scale=BRANCH if added else 1.0)
        return net.pointwise("add", f"{at}.add", shortcut, x) if added else x

    x = conv_bn("input", "features.0", 32, 3, stride=2)
    index = 1
    for expand, channels, count, stride in [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]:
        for i in range(count):
            x = block(x, f"features.{index}", channels, stride if i == 0 else 1, expand)
            index += 1
    x = conv_bn(x, f"features.{index}", 1280, 1)
    x = net.flatten(net.global_pool(x, "avgpool"), "reshape", by_shape=True)
    net.linear(x, "classifier.1", 1000)
    return net


def efficientnet_b0():
    net = Network("efficientnet_b0", seed=7)

    def conv_bn(x, at, channels, kernel, scale=1.0, activate=True, **attributes):
        x = net.conv(x, f"{at}.0", channels, kernel, pad=kernel // 2, **attributes)
        x = net.batchnorm(x, f"{at}.1", scale)
        return net.silu(x, f"{at}.2") if activate else x

    def squeeze_excite(x, at, squeeze):
        gate = net.global_pool(x, f"{at}.avgpool")
        gate = net.conv(gate, f"{at}.fc1", squeeze, 1, bias=True)
        gate = net.silu(gate, f"{at}.activation")
        gate = net.conv(gate, f"{at}.fc2", net.shapes[x][0], 1, bias=True)
        return net.pointwise("mul", f"{at}.mul", x, net.pointwise("sigmoid", f"{at}.sigmoid", gate))

    def block(x, at, channels, kernel, stride, expand):
        shortcut, width = x, net.shapes[x][0]
        added = stride == 1 and width == channels
        if expand != 1:
            x = conv_bn(x, f"{at}.expand", width * expand, 1)
        x = conv_bn(x, f"{at}.depthwise", width * expand, kernel, stride=stride, groups=width * expand)
        x = squeeze_excite(x, f"{at}.se", max(1, width // 4))
        x = conv_bn(x, f"{at}.project", channels, 1, activate=False, scale=BRANCH if added else 1.0)
        return net.pointwise("add", f"{at}.add", x, shortcut) if added else x

    x = conv_bn("input", "features.0", 32, 3, stride=2)
    stages = [
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    ]
    for stage, (expand, kernel, stride, channels, count) in enumerate(stages, 1):
        for i in range(count):
            x = block(x, f"features.{stage}.{i}", channels, kernel, stride if i == 0 else 1, expand)
    x = conv_bn(x, "features.8", 1280, 1)
    x = net.flatten(net.global_pool(x, "avgpool"), "flatten")
    net.linear(x, "classifier.1", 1000)
    return net


def googlenet():
    """Inception v1 as it is passed around: batch norms behind the convolutions, 3x3 where the paper has 5x5, one head."""
    net = Network("googlenet", seed=22)

    def conv_bn(x, at, channels, kernel, **attributes):
        x = net.conv(x, f"{at}.conv", channels, kernel, pad=kernel // 2, **attributes)
        return net.pointwise("relu", f"{at}.relu", net.batchnorm(x, f"{at}.bn"))

    def inception(x, at, one, three_reduced, three, five_reduced, five, pooled):
        branches = [
            conv_bn(x, f"{at}.branch1", one, 1),
            conv_bn(conv_bn(x, f"{at}.branch2.0", three_reduced, 1), f"{at}.branch2.1", three, 3),
            conv_bn(conv_bn(x, f"{at}.branch3.0", five_reduced, 1), f"{at}.branch3.1", five, 3),
            conv_bn(net.max_pool(x, f"{at}.branch4.0", 3, 1, pad=1, ceil=True), f"{at}.branch4.1", pooled, 1),
        ]
        return net.concat(f"{at}.concat", *branches)

    x = conv_bn("input", "conv1", 64, 7, stride=2)
    x = net.max_pool(x, "maxpool1", 3, 2, ceil=True)
    x = conv_bn(x, "conv2", 64, 1)
    x = conv_bn(x, "conv3", 192, 3)
    x = net.max_pool(x, "maxpool2", 3, 2, ceil=True)
    x = inception(x, "inception3a", 64, 96, 128, 16, 32, 32)
    x = inception(x, "inception3b", 128, 128, 192, 32, 96, 64)
    x = net.max_pool(x, "maxpool3", 3, 2, ceil=True)
    x = inception(x, "inception4a", 192, 96, 208, 16, 48, 64)
    x = inception(x, "inception4b", 160, 112, 224, 24, 64, 64)
    x = inception(x, "inception4c", 128, 128, 256, 24, 64, 64)
    x = inception(x, "inception4d", 112, 144, 288, 32, 64, 64)
    x = inception(x, "inception4e", 256, 160, 320, 32, 128, 128)
    x = net.max_pool(x, "maxpool4", 2, 2, ceil=True)
    x = inception(x, "inception5a", 256, 160, 320, 32, 128, 128)
    x = inception(x, "inception5b", 384, 192, 384, 48, 128, 128)
    x = net.flatten(net.global_pool(x, "avgpool"), "flatten")
    net.linear(x, "fc", 1000)
    return net


def shufflenet_v2():
    """At width 1.0."""
    net = Network("shufflenet_v2", seed=16)

    def conv_bn(x, at, index, channels, kernel, activate=True, **attributes):
        """index: of the convolution within its branch; its norm and activation follow."""
        x = net.conv(x, f"{at}.{index}", channels, kernel, pad=kernel // 2, **attributes)
        x = net.batchnorm(x, f"{at}.{index + 1}")
        return net.pointwise("relu", f"{at}.{index + 2}", x) if activate else x

    def depthwise(x, at, index, stride):
        width = net.shapes[x][0]
        return conv_bn(x, at, index, width, 3, activate=False, stride=stride, groups=width)

    def main_branch(x, at, channels, stride):
        x = conv_bn(x, at, 0, channels, 1)
        x = depthwise(x, at, 3, stride)
        return conv_bn(x, at, 5, channels, 1)

    def block(x, at, channels, stride):
        half = channels // 2
        if stride == 1:
            kept = net.slice(x, f"{at}.kept", 0, half)
            changed = main_branch(net.slice(x, f"{at}.changed", half, channels), f"{at}.branch2", half, 1)
        else:
            kept = conv_bn(depthwise(x, f"{at}.branch1", 0, stride), f"{at}.branch1", 2, half, 1)
            changed = main_branch(x, f"{at}.branch2", half, stride)
        return net.shuffle(net.concat(f"{at}.concat", kept, changed), f"{at}.shuffle", 2)

    x = conv_bn("input", "conv1", 0, 24, 3, stride=2)
    x = net.max_pool(x, "maxpool", 3, 2, pad=1)
    for stage, channels, count in [(2, 116, 4), (3, 232, 8), (4, 464, 4)]:
        for i in range(count):
            x = block(x, f"stage{stage}.{i}", channels, 2 if i == 0 else 1)
    x = conv_bn(x, "conv5", 0, 1024, 1)
    x = net.flatten(net.global_pool(x, "avgpool"), "flatten")
    net.linear(x, "fc", 1000)
    return net


# Name: (builder, whether the file that is usually passed around has its batch norms folded, the
# operators in that file; of the last two in this folder's, for theirs differ).
ARCHITECTURES = {
    "squeezenet1_1": (squeezenet1_1, False, 66),
    "resnet18": (resnet18, False, 69),
    "resnet50": (resnet50, True, 122),
    "mobilenet_v2": (mobilenet_v2, True, 105),
    "efficientnet_b0": (efficientnet_b0, True, 239),
    "googlenet": (googlenet, True, 139),
    "shufflenet_v2": (shufflenet_v2, True, 187),
}
