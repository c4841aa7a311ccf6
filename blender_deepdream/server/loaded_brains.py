# SPDX-License-Identifier: GPL-3.0-or-later
"""The brains that stay in the device's memory from job to job; the least recently used goes first when it is short."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn

from ..engine.brain import Brain
from ..engine.networks.traced import TracedNetwork

RESERVE_BYTES = 2**30
"""Free memory that a dream shall find, however many brains are loaded."""

UNKNOWN_FREE_BYTES = 2**31
"""What counts as free where nobody can say."""


class LoadedBrains:
    """Brains by name. load: reads one from its file. free_memory: of the device, in bytes; None if unknown."""

    def __init__(self, load: Callable[[str], Brain], free_memory: Callable[[], int | None]) -> None:
        self._load = load
        self._free_memory = free_memory
        self._brains: dict[str, Brain] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._brains

    def get(self, name: str, brain_id: str, together_with: Collection[str] = ()) -> Brain:
        """The brain of that name, loaded anew if the loaded one has another id. Raises what `load` raises.

        together_with: brains that the same dream uses: they stay.
        """
        brain = self._brains.pop(name, None)
        if brain is None or brain.card.id != brain_id:
            brain = None  # a predecessor's memory is free before it is needed
            self._make_room({name, *together_with})
            brain = self._load(name)
        self._brains[name] = brain  # as the most recently used one
        self._make_room({name, *together_with})
        return brain

    def _make_room(self, needed: Collection[str]) -> None:
        for name in [name for name in self._brains if name not in needed]:
            if not self._memory_is_short():
                return
            del self._brains[name]

    def _memory_is_short(self) -> bool:
        """Too little is free, or the brains take more than they leave."""
        free = self._free_memory()
        if free is None:
            free = UNKNOWN_FREE_BYTES
        return free < max(RESERVE_BYTES, sum(map(bytes_of, self._brains.values())))


def bytes_of(brain: Brain) -> int:
    """What a brain's weights take in memory, those copies of them included that it has made to calculate with."""
    if not isinstance(brain.network, nn.Module):
        return 0
    copies = brain.network.copies() if isinstance(brain.network, TracedNetwork) else ()
    tensors = {_memory(tensor): tensor for tensor in (*brain.network.parameters(), *brain.network.buffers(), *copies)}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def _memory(tensor: Tensor) -> int:
    """The same for two tensors of the same memory. What oneDNN has laid out does not tell its address."""
    return tensor.data_ptr() if tensor.layout == torch.strided else id(tensor)
