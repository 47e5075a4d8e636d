"""DenseNet-121 (Huang et al. 2016): normalizations in front of convolutions, after a concatenation, that cannot fold."""


def densenet121(net):
    growth = net.scaled(32)
    x = net.max_pool(net.relu(net.conv("input", 2 * growth, 7, 2)), 3, 2, 1)
    for stage, depth in enumerate((6, 12, 24, 16)):
        if stage:
            x = net.conv(net.relu(net.norm(x)), net.channels[x] // 2, 1, norm=None)
            x = net.average_pool(x, 2, 2)
        for _ in range(depth):
            y = net.relu(net.conv(net.relu(net.norm(x)), 4 * growth, 1))
            x = net.concat(x, net.conv(y, growth, 3, norm=None))
    x = net.global_pool(net.relu(net.norm(x)))
    net.output(net.gemm(net.flatten(x), 1000, 2), "output")
