# SPDX-License-Identifier: GPL-3.0-or-later
"""Which architectures there are: from the name on a brain's card to the network that its weights make.

"efficientnet_lite0"; "torchvision/NAME" for every classification network that torchvision can build; "graph" for
networks that their file describes.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ...protocol.errors import BrainFileError
from . import graph

LITE0 = "efficientnet_lite0"
TORCHVISION = "torchvision/"


def build(
    architecture: str, tensors: Mapping[str, Tensor], *, description: object = None, classes: int = 1000
) -> nn.Module:
    """The network of these weights, frozen, on the CPU.

    description: of a "graph". classes: how many a torchvision network tells apart.
    Raises BrainFileError for an architecture that is not known, and weights that do not fit it.
    """
    if architecture == graph.ARCHITECTURE:
        return graph.build(description, tensors)
    if architecture.startswith(TORCHVISION):
        from . import vision  # torchvision's models take their time to import

        return vision.build(architecture.removeprefix(TORCHVISION), tensors, classes=classes)
    if architecture == LITE0:
        return _lite0(tensors)
    raise BrainFileError(
        f"This version does not know the architecture {architecture[:80]!r}.",
        f"It knows {LITE0}, {graph.ARCHITECTURE} and {TORCHVISION}NAME; a newer version of this program may know more.",
    )


def _lite0(tensors: Mapping[str, Tensor]) -> nn.Module:
    from .efficientnet import efficientnet_lite0

    try:
        return efficientnet_lite0(tensors)
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise BrainFileError(
            f"The weights are not those of EfficientNet-Lite0: {str(error)[:200]}.", "Get the brain again."
        ) from error
