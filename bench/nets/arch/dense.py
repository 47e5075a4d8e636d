"""Networks whose output is a map: a YOLO-style detector (small backbone, two scales joined by Resize and Concat, Sigmoid
heads) and a U-Net (Ronneberger et al. 2015) with transposed convolutions on the way up."""

BOXES, CLASSES = 3, 20


def unit(net, x, c, k, stride=1):
    return net.leaky_relu(net.conv(x, net.scaled(c), k, stride))


def yolo(net):
    x = unit(net, "input", 16, 3)
    for c in (32, 64, 128):
        x = unit(net, net.max_pool(x, 2, 2), c, 3)
    fine = unit(net, net.max_pool(x, 2, 2), 256, 3)
    coarse = unit(net, unit(net, net.max_pool(fine, 2, 2), 512, 3), 256, 1)
    heads = (BOXES * (5 + CLASSES), 1)
    large = net.sigmoid(net.conv(unit(net, coarse, 512, 3), *heads, norm=None, bias=True))
    joined = net.concat(net.upsample(unit(net, coarse, 128, 1)), fine)
    small = net.sigmoid(net.conv(unit(net, joined, 256, 3), *heads, norm=None, bias=True))
    net.output(large, "large")
    net.output(small, "small")


def double(net, x, c):
    for _ in range(2):
        x = net.relu(net.conv(x, net.scaled(c), 3))
    return x


def unet(net):
    x, skips = "input", []
    for c in (32, 64, 128, 256):
        x = double(net, x, c)
        skips.append(x)
        x = net.max_pool(x, 2, 2)
    x = double(net, x, 512)
    for c in (256, 128, 64, 32):
        x = double(net, net.concat(net.conv_transpose(x, net.scaled(c)), skips.pop()), c)
    net.output(net.conv(x, 2, 1, norm=None, bias=True), "output")
