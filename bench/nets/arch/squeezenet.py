"""SqueezeNet 1.1 (Iandola et al. 2016): no normalization, pools that round up."""


def fire(net, x, squeeze, expand):
    x = net.relu(net.conv(x, net.scaled(squeeze), 1, norm="fold"))
    return net.concat(net.relu(net.conv(x, net.scaled(expand), 1, norm="fold")),
                      net.relu(net.conv(x, net.scaled(expand), 3, norm="fold")))


def squeezenet(net):
    x = net.relu(net.conv("input", net.scaled(64), 3, 2, 0, norm="fold"))
    for squeeze, expand, pool in ((16, 64, 1), (16, 64, 0), (32, 128, 1), (32, 128, 0), (48, 192, 1), (48, 192, 0),
                                  (64, 256, 0), (64, 256, 0)):
        if pool:
            x = net.max_pool(x, 3, 2, ceil=True)
        x = fire(net, x, squeeze, expand)
    x = net.relu(net.conv(x, 1000, 1, norm="fold"))
    net.output(net.flatten(net.global_pool(x)), "output")
