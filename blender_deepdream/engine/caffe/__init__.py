# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of Caffe's (https://caffe.berkeleyvision.org) become brains, without Caffe. Read `importing` first."""

from .importing import IMAGENET_MEAN, Imported, import_caffe

__all__ = ["IMAGENET_MEAN", "Imported", "import_caffe"]
