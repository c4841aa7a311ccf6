# SPDX-License-Identifier: GPL-3.0-or-later
"""How a brain is made from an artist's own pictures: torch; stands on the engine. Begin reading at finetune.py."""
