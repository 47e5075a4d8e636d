"""EfficientNet-B0 (Tan and Le 2019): inverted residuals with squeeze and excite, Swish as x * Sigmoid(x)."""

# expansion, kernel, stride, channels, layers
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
          (6, 3, 1, 320, 1))


def mbconv(net, x, expand, k, stride, c):
    wide, y = net.channels[x] * expand, x
    if expand != 1:
        y = net.swish(net.conv(y, wide, 1))
    y = net.swish(net.conv(y, wide, k, stride, groups=wide))
    s = net.swish(net.conv(net.global_pool(y), max(1, net.channels[x] // 4), 1, norm=None, bias=True))
    y = net.mul(net.sigmoid(net.conv(s, wide, 1, norm=None, bias=True)), y)
    y = net.conv(y, c, 1)
    return net.add(x, y) if stride == 1 and net.channels[x] == c else y


def efficientnet(net):
    x = net.swish(net.conv("input", net.scaled(32), 3, 2))
    for expand, k, stride, c, layers in STAGES:
        for i in range(layers):
            x = mbconv(net, x, expand, k, stride if i == 0 else 1, net.scaled(c))
    x = net.swish(net.conv(x, net.scaled(1280), 1))
    net.output(net.gemm(net.flatten(net.global_pool(x)), 1000, 2), "output")
