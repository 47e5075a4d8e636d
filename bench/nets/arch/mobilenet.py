"""MobileNetV2 (Sandler et al. 2018) and MobileNetV3-Large (Howard et al. 2019), as torchvision builds them."""


def eighths(c):
    """The multiple of 8 nearest to c, not below nine tenths of it."""
    n = max(8, int(c + 4) // 8 * 8)
    return n + 8 if n < 0.9 * c else n


def mobilenetv2(net):
    x = net.relu6(net.conv("input", net.scaled(32), 3, 2))
    for expand, c, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                     (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(count):
            x = inverted_residual(net, x, expand, net.scaled(c), stride if i == 0 else 1)
    x = net.relu6(net.conv(x, net.scaled(1280), 1))
    net.output(net.gemm(net.flatten(net.global_pool(x)), 1000, 2), "output")


def inverted_residual(net, x, expand, c, stride):
    wide, y = net.channels[x] * expand, x
    if expand != 1:
        y = net.relu6(net.conv(y, wide, 1))
    y = net.relu6(net.conv(y, wide, 3, stride, groups=wide))
    y = net.conv(y, c, 1)
    return net.add(x, y) if stride == 1 and net.channels[x] == c else y


def squeeze_excite(net, x):
    s = net.conv(net.global_pool(x), eighths(net.channels[x] / 4), 1, norm=None, bias=True)
    s = net.conv(net.relu(s), net.channels[x], 1, norm=None, bias=True)
    return net.mul(net.hard_sigmoid(s), x)


# kernel, expanded channels, output channels, squeeze and excite, hard swish, stride
V3_LARGE = ((3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1), (5, 72, 40, 1, 0, 2),
            (5, 120, 40, 1, 0, 1), (5, 120, 40, 1, 0, 1), (3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1),
            (3, 184, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1), (3, 480, 112, 1, 1, 1), (3, 672, 112, 1, 1, 1),
            (5, 672, 160, 1, 1, 2), (5, 960, 160, 1, 1, 1), (5, 960, 160, 1, 1, 1))


def mobilenetv3(net):
    x = net.hard_swish(net.conv("input", net.scaled(16), 3, 2))
    for k, wide, c, squeeze, hard, stride in V3_LARGE:
        act = net.hard_swish if hard else net.relu
        wide, c, y = net.scaled(wide), net.scaled(c), x
        if wide != net.channels[x]:
            y = act(net.conv(y, wide, 1))
        y = act(net.conv(y, wide, k, stride, groups=wide))
        if squeeze:
            y = squeeze_excite(net, y)
        y = net.conv(y, c, 1)
        x = net.add(x, y) if stride == 1 and net.channels[x] == c else y
    x = net.hard_swish(net.conv(x, net.scaled(960), 1))
    x = net.hard_swish(net.gemm(net.flatten(net.global_pool(x)), net.scaled(1280)))
    net.output(net.gemm(x, 1000, 2), "output")
