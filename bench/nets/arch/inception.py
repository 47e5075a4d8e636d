"""Inception-v3 (Szegedy et al. 2015) without its auxiliary head, as torchvision builds it: 299 x 299, oblong kernels."""


def unit(net, x, c, k, stride=1, pad=None):
    return net.relu(net.conv(x, net.scaled(c), k, stride, pad))


def chain(net, x, *steps):
    for step in steps:
        x = unit(net, x, *step)
    return x


def block_a(net, x, pooled):
    return net.concat(unit(net, x, 64, 1), chain(net, x, (48, 1), (64, 5)), chain(net, x, (64, 1), (96, 3), (96, 3)),
                      unit(net, net.average_pool(x, 3, 1, 1), pooled, 1))


def block_b(net, x):
    return net.concat(unit(net, x, 384, 3, 2, 0), chain(net, x, (64, 1), (96, 3), (96, 3, 2, 0)), net.max_pool(x, 3, 2))


def block_c(net, x, c):
    return net.concat(unit(net, x, 192, 1), chain(net, x, (c, 1), (c, (1, 7)), (192, (7, 1))),
                      chain(net, x, (c, 1), (c, (7, 1)), (c, (1, 7)), (c, (7, 1)), (192, (1, 7))),
                      unit(net, net.average_pool(x, 3, 1, 1), 192, 1))


def block_d(net, x):
    return net.concat(chain(net, x, (192, 1), (320, 3, 2, 0)),
                      chain(net, x, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, 0)), net.max_pool(x, 3, 2))


def block_e(net, x):
    split = unit(net, x, 384, 1)
    deep = chain(net, x, (448, 1), (384, 3))
    return net.concat(unit(net, x, 320, 1), net.concat(unit(net, split, 384, (1, 3)), unit(net, split, 384, (3, 1))),
                      net.concat(unit(net, deep, 384, (1, 3)), unit(net, deep, 384, (3, 1))),
                      unit(net, net.average_pool(x, 3, 1, 1), 192, 1))


def inception_v3(net):
    x = chain(net, "input", (32, 3, 2, 0), (32, 3, 1, 0), (64, 3))
    x = chain(net, net.max_pool(x, 3, 2), (80, 1), (192, 3, 1, 0))
    x = net.max_pool(x, 3, 2)
    for pooled in (32, 64, 64):
        x = block_a(net, x, pooled)
    x = block_b(net, x)
    for c in (128, 160, 160, 192):
        x = block_c(net, x, c)
    x = block_d(net, x)
    x = block_e(net, block_e(net, x))
    net.output(net.gemm(net.flatten(net.global_pool(x)), 1000, 2), "output")
