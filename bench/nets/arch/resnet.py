"""ResNet-18 and -50 (He et al. 2015), with the stride in the 3x3 convolution as torchvision has it."""


def stem(net):
    return net.max_pool(net.relu(net.conv("input", net.scaled(64), 7, 2)), 3, 2, 1)


def head(net, x):
    net.output(net.gemm(net.flatten(net.global_pool(x)), 1000, 2), "output")


def shortcut(net, x, c, stride):
    return x if net.channels[x] == c and stride == 1 else net.conv(x, c, 1, stride)


def basic(net, x, c, stride):
    y = net.relu(net.conv(x, c, 3, stride))
    y = net.conv(y, c, 3, gain=0.5)
    return net.relu(net.add(y, shortcut(net, x, c, stride)))


def bottleneck(net, x, c, stride):
    y = net.relu(net.conv(x, c, 1))
    y = net.relu(net.conv(y, c, 3, stride))
    y = net.conv(y, 4 * c, 1, gain=0.5)
    return net.relu(net.add(y, shortcut(net, x, 4 * c, stride)))


def resnet(net, block, depths):
    x = stem(net)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            x = block(net, x, net.scaled(64 << stage), 2 if stage and i == 0 else 1)
    head(net, x)


def resnet18(net):
    resnet(net, basic, (2, 2, 2, 2))


def resnet50(net):
    resnet(net, bottleneck, (3, 4, 6, 3))
