"""The networks have as many trained parameters as those that were published, and their layers compute what they should."""

import unittest

import numpy as np

from architectures import ARCHITECTURES
from evaluate import evaluate

# As torchvision's documentation gives them for the weights trained on ImageNet.
PUBLISHED_PARAMETERS = {
    "squeezenet1_1": 1_235_496,
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "mobilenet_v2": 3_504_872,
    "efficientnet_b0": 5_288_548,
    "googlenet": 6_624_904,
    "shufflenet_v2": 2_278_604,
}
TRAINED = ("weight", "bias")  # and not a norm's statistics


def parameter_count(network):
    return sum(layer.weights[part].size for layer in network.layers for part in TRAINED if part in layer.weights)


class Architectures(unittest.TestCase):
    def test_each_has_as_many_parameters_as_the_published_one(self):
        for name, (build, _, _) in ARCHITECTURES.items():
            with self.subTest(name):
                network = build()
                self.assertEqual(parameter_count(network), PUBLISHED_PARAMETERS[name])
                self.assertEqual(network.shapes[network.output], (1000,))


class Layers(unittest.TestCase):
    def test_a_shuffle_deals_out_the_groups_in_turns(self):
        x = np.arange(6.0).reshape(6, 1, 1)
        self.assertEqual(evaluate("shuffle", {"groups": 2}, {}, [x]).ravel().tolist(), [0, 3, 1, 4, 2, 5])
        self.assertEqual(evaluate("shuffle", {"groups": 3}, {}, [x]).ravel().tolist(), [0, 2, 4, 1, 3, 5])

    def test_a_slice_is_of_channels(self):
        x = np.arange(12.0).reshape(3, 2, 2)
        self.assertEqual(evaluate("slice", {"begin": 1, "end": 3}, {}, [x]).tolist(), x[1:].tolist())


if __name__ == "__main__":
    unittest.main()
