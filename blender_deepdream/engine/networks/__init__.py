# SPDX-License-Identifier: GPL-3.0-or-later
"""The architectures that brains are made of: modules in torch, each frozen and made quick for dreaming.

A network is called with a preprocessed 1x3xHxW tensor and layer names. It returns those layers' activations by name,
1xCxhxw each, and computes no more than they need.
"""
