"""VGG-16 (Simonyan and Zisserman 2014, configuration D), without normalization."""


def vgg16(net):
    x = "input"
    for block in ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)):
        for c in block:
            x = net.relu(net.conv(x, net.scaled(c), 3, norm="fold"))
        x = net.max_pool(x, 2, 2)
    x = net.flatten(x, (net.size // 32) ** 2)
    x = net.relu(net.gemm(x, net.scaled(4096)))
    x = net.relu(net.gemm(x, net.scaled(4096)))
    net.output(net.gemm(x, 1000), "output")
