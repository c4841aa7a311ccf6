# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
import torch

from blender_deepdream.engine.color import Array
from blender_deepdream.engine.dream import ENGINE_VERSION, dream, dream_to_end, fingerprint
from blender_deepdream.engine.images import Image
from blender_deepdream.engine.tiling import automatic_side
from blender_deepdream.protocol.errors import ImageError, UnknownLayerError
from blender_deepdream.protocol.messages import ColorSpace
from blender_deepdream.protocol.settings import DreamSettings


def with_alpha(image: Image, alpha: Array) -> Image:
    """The image with this alpha, premultiplied."""
    return replace(image, pixels=np.dstack([image.pixels * alpha[..., None], alpha]).astype(np.float32))


def test_a_dream_changes_the_image_and_stays_finite(scene, brain, quick):
    result = dream_to_end(scene, brain, quick)
    assert result.pixels.shape == scene.pixels.shape
    assert result.pixels.dtype == np.float32
    assert np.isfinite(result.pixels).all()
    assert np.abs(result.pixels - scene.pixels).mean() > 0.005


def test_one_seed_is_one_dream(scene, brain, quick):
    first, second = (dream_to_end(scene, brain, quick).pixels for _ in range(2))
    assert first.tobytes() == second.tobytes()
    other = dream_to_end(scene, brain, quick.replace(seed=1)).pixels
    assert not np.array_equal(first, other)


def test_a_dream_reads_and_moves_no_other_random_numbers(scene, brain, quick):
    torch.manual_seed(1)
    first = dream_to_end(scene, brain, quick).pixels
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.rand(1) == drawn
    assert np.array_equal(first, dream_to_end(scene, brain, quick).pixels)


def test_the_source_is_not_written_to(scene, brain, quick):
    before = scene.pixels.copy()
    dream_to_end(scene, brain, quick)
    assert np.array_equal(scene.pixels, before)


def test_the_objective_rises_over_an_octave(scene, brain, quick):
    values = [progress.value for progress in dream(scene, brain, quick.replace(octaves=1, steps=10))]
    assert values[-1] > 1.2 * values[0]


def test_a_negative_weight_calms_its_layer(scene, brain, quick):
    settings = quick.replace(octaves=1, steps=6, step_size=0.004, layers=(("_blocks.4", -1.0),))
    values = [-progress.value for progress in dream(scene, brain, settings)]
    assert values[-1] < values[0]


def test_progress_counts_every_step_to_the_end(scene, brain, quick):
    seen = list(dream(scene, brain, quick.replace(octaves=3)))
    assert [(p.octave, p.step) for p in seen] == [(octave, step) for octave in (1, 2, 3) for step in (1, 2)]
    assert all(p.octaves == 3 and p.steps == 2 for p in seen)
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert fractions[1] < 1 / 3, "small octaves are less work"
    assert all(p.eta is not None and p.eta >= 0 for p in seen)
    assert seen[-1].eta == 0


def test_stopping_leaves_nothing_behind(scene, brain, quick):
    stopped = dream(scene, brain, quick)
    next(stopped)
    stopped.close()
    fresh = dream_to_end(scene, brain, quick).pixels
    assert np.array_equal(fresh, dream_to_end(scene, brain, quick).pixels)
    assert all(parameter.grad is None for parameter in brain.network.parameters())


def test_strength_scales_the_dream_and_0_is_the_source(scene, brain, quick):
    photo = scene.in_space(ColorSpace.SRGB)
    none, half, full = (dream_to_end(photo, brain, quick.replace(strength=value)).pixels for value in (0.0, 0.5, 1.0))
    assert none.tobytes() == photo.pixels.tobytes()
    np.testing.assert_allclose(half - photo.pixels, (full - photo.pixels) / 2, atol=1e-6)


def test_exaggerated_dreams_have_no_negative_light(scene, brain, quick):
    assert dream_to_end(scene, brain, quick.replace(strength=4.0)).pixels.min() > -1e-6


def test_masked_out_pixels_come_back_bit_for_bit(scene, brain, quick):
    mask = np.zeros((40, 56), np.float32)
    mask[:, 30:] = 1
    result = dream_to_end(scene, brain, quick, mask).pixels
    assert result[:, :30].tobytes() == scene.pixels[:, :30].tobytes()
    assert np.abs(result[:, 30:] - scene.pixels[:, 30:]).mean() > 0.005


def test_a_mask_of_half_dreams_less_than_a_whole_one(scene, brain, quick):
    half, whole = (
        np.abs(dream_to_end(scene, brain, quick, np.full((40, 56), value, np.float32)).pixels - scene.pixels).mean()
        for value in (0.5, 1.0)
    )
    assert 0.2 * whole < half < 0.8 * whole


def test_an_empty_mask_and_nan_in_it_leave_the_source(scene, brain, quick):
    for value in (0.0, -1.0, np.nan):
        mask = np.full((40, 56), value, np.float32)
        assert dream_to_end(scene, brain, quick, mask).pixels.tobytes() == scene.pixels.tobytes()


def test_a_mask_of_another_size_is_stretched(scene, brain, quick):
    result = dream_to_end(scene, brain, quick, np.array([[0, 0, 0, 1]], np.float32)).pixels
    assert np.array_equal(result[:, :10], scene.pixels[:, :10])
    assert not np.array_equal(result[:, -10:], scene.pixels[:, -10:])


def test_a_mask_must_be_grey(scene, brain, quick):
    with pytest.raises(ImageError, match="grey"):
        dream_to_end(scene, brain, quick, np.ones((4, 4, 3), np.float32))


def test_highlights_survive(scene, brain, quick):
    highlight = dream_to_end(scene, brain, quick).pixels[5:9, 6:10]
    assert highlight.min() >= 9
    assert highlight.max() <= 10


def test_rolled_off_highlights_dream_too(scene, brain, quick):
    clipped, rolled = (
        dream_to_end(scene, brain, quick.replace(highlights=value)).pixels for value in ("clip", "roll-off")
    )
    change = [np.abs(result - scene.pixels)[5:9, 6:10].mean() for result in (clipped, rolled)]
    assert change[1] > 2 * change[0]
    assert rolled[5:9, 6:10].min() > 1
    mask = np.zeros((40, 56), np.float32)
    kept = dream_to_end(scene, brain, quick.replace(highlights="roll-off"), mask).pixels
    assert kept.tobytes() == scene.pixels.tobytes()


def test_colors_outside_rec709_survive(brain, quick):
    pixels = np.zeros((24, 24, 3), np.float32)
    pixels[..., 1] = 0.8  # pure AP1 green: negative red and blue in Rec.709
    result = dream_to_end(Image(pixels, ColorSpace.ACESCG), brain, quick).pixels
    # The dream adds light that Rec.709 can show; the green's own surplus stays
    assert result[..., 1].mean() > result[..., [0, 2]].mean() + 0.3
    assert np.isfinite(result).all()


def test_exposure_lets_the_brain_see_in_the_dark(scene, brain, quick):
    dark = replace(scene, pixels=scene.pixels / 256)
    lit = dream_to_end(dark, brain, quick.replace(exposure=8.0)).pixels
    assert np.array_equal(lit, dream_to_end(scene, brain, quick).pixels / 256)


def test_alpha_is_kept_and_transparent_pixels_too(scene, brain, quick):
    alpha = np.ones((40, 56), np.float32)
    alpha[:, :20] = 0
    alpha[:, 20:24] = 0.25
    image = with_alpha(scene, alpha)
    image.pixels[:3, :3, :3] = 0.7  # a glow: colour without cover
    result = dream_to_end(image, brain, quick).pixels
    assert result[..., 3].tobytes() == image.pixels[..., 3].tobytes()
    assert result[:, :20].tobytes() == image.pixels[:, :20].tobytes()
    assert not np.array_equal(result[:, 20:24], image.pixels[:, 20:24])


def test_premultiplied_and_straight_alpha_dream_the_same(scene, brain, quick):
    alpha = np.full((40, 56), 0.5, np.float32)
    premultiplied = with_alpha(scene, alpha)
    straight = Image(np.dstack([scene.pixels, alpha]), scene.color_space, premultiplied=False)
    first = dream_to_end(premultiplied, brain, quick).straight_color()
    np.testing.assert_allclose(first, dream_to_end(straight, brain, quick).color, atol=1e-6)


def test_nan_and_infinity_stay_where_they_are(scene, brain, quick):
    image = replace(scene, pixels=scene.pixels.copy())
    image.pixels[10, 10] = np.nan
    image.pixels[12, 20, 1] = np.inf
    image.pixels[14, 30] = -np.inf
    image.pixels[16, 40] = np.finfo(np.float32).max
    bad = ~np.isfinite(image.pixels).all(axis=2)
    result = dream_to_end(image, brain, quick).pixels
    assert result[bad].tobytes() == image.pixels[bad].tobytes()
    assert np.isfinite(result[~bad]).all()
    assert bad.sum() == 3


def test_an_image_of_nothing_else_comes_back(brain, quick):
    image = Image(np.full((9, 9, 4), np.nan, np.float32))
    assert dream_to_end(image, brain, quick).pixels.tobytes() == image.pixels.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 90), (17, 5), (301, 205)])
def test_any_size(brain, quick, size):
    pixels = np.random.default_rng(0).random((*size, 3), np.float32)
    result = dream_to_end(Image(pixels), brain, quick.replace(steps=1, layers=(("_blocks.12", 1.0),))).pixels
    assert result.shape == pixels.shape
    assert np.isfinite(result).all()
    assert not np.array_equal(result, pixels)


@pytest.mark.parametrize("side", [1, 2, 5, 16])
@pytest.mark.parametrize("seamless", ["no", "both"])
def test_octaves_of_less_than_a_pixel_are_one(brain, quick, side, seamless):
    """Sixteen octaves of 4:1 would end at a billionth of a pixel: what there is of them dreams, once each."""
    settings = quick.replace(octaves=16, octave_scale=4.0, steps=1, seamless=seamless)
    image = Image(np.full((side, side, 3), 0.5, np.float32), ColorSpace.SRGB)
    seen = list(dream(image, brain, settings))
    assert len(seen) == seen[-1].octaves < 8
    assert np.isfinite(dream_to_end(image, brain, settings).pixels).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("space", [ColorSpace.ACESCG, ColorSpace.SRGB])
def test_any_channels(brain, quick, channels, space):
    pixels = np.random.default_rng(0).random((20, 24, channels), np.float32)
    result = dream_to_end(Image(pixels, space), brain, quick)
    assert result.pixels.shape == pixels.shape
    assert result.color_space == space
    assert not np.array_equal(result.pixels, pixels)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_flat_image_gives_no_nan(brain, quick, level):
    image = Image(np.full((32, 32, 3), level, np.float32))
    assert np.isfinite(dream_to_end(image, brain, quick).pixels).all()


def test_octaves_keep_the_sources_detail(brain, quick):
    """Fine stripes that no small octave can hold must come through a dream that starts on small octaves."""
    pixels = np.full((64, 64, 3), 0.2, np.float32)
    pixels[:, ::2] = 0.6
    settings = quick.replace(octaves=4, octave_scale=2.0, steps=1, step_size=0.001)
    result = dream_to_end(Image(pixels), brain, settings).pixels
    contrast = result[:, ::2].mean() - result[:, 1::2].mean()
    assert contrast == pytest.approx(0.4, abs=0.03)


def test_more_octaves_dream_larger_shapes(brain):
    pixels = np.full((96, 96, 3), 0.2, np.float32)
    settings = DreamSettings().replace(steps=4, octave_scale=2.0, layers=(("_blocks.4", 1.0),))

    def coarse_energy(octaves: int) -> float:
        result = dream_to_end(Image(pixels), brain, settings.replace(octaves=octaves)).pixels
        return float(result.reshape(12, 8, 12, 8, 3).mean(axis=(1, 3)).std())

    assert coarse_energy(3) > 1.2 * coarse_energy(1)


def test_no_layer_means_the_brains_own_choice(scene, brain, quick):
    chosen = dream_to_end(scene, brain, quick.replace(layers=brain.card.default_layers)).pixels
    assert np.array_equal(dream_to_end(scene, brain, quick.replace(layers=())).pixels, chosen)


def test_weights_are_shares(scene, brain, quick):
    """Doubling all weights changes nothing; a layer of weight 0 neither."""
    one = dream_to_end(scene, brain, quick.replace(layers=(("_blocks.3", 1.0), ("_blocks.6", 3.0)))).pixels
    two = dream_to_end(scene, brain, quick.replace(layers=(("_blocks.3", 2.0), ("_blocks.6", 6.0)))).pixels
    assert np.array_equal(one, two)


def test_an_unknown_layer_is_said_with_its_neighbours(scene, brain, quick):
    with pytest.raises(UnknownLayerError, match=r"Did you mean .*_blocks\.1.*_blocks\.15"):
        dream_to_end(scene, brain, quick.replace(layers=(("_block.1", 1.0),)))


def contrast_at_the_seam(pixels: Array, axis: int) -> float:
    """Between the last row and the first, beside that between all others: in their standard deviations."""
    contrast = np.abs(np.roll(pixels, -1, axis) - pixels).mean(axis=(1 - axis, 2))
    return float((contrast[-1] - contrast[:-1].mean()) / contrast[:-1].std())


@pytest.mark.parametrize(("seamless", "axes"), [("no", []), ("x", [1]), ("y", [0]), ("both", [0, 1])])
@pytest.mark.parametrize("tile", [0, 64])
def test_a_seamless_dream_goes_on_at_the_other_side(brain, seamless, axes, tile):
    grey = Image(np.full((72, 90, 3), 0.5, np.float32), ColorSpace.SRGB)
    settings = DreamSettings().replace(octaves=2, steps=6, smoothing=4, layers=(("_blocks.4", 1.0),), tile=tile)
    dreams = [dream_to_end(grey, brain, settings.replace(seamless=seamless, seed=seed)).pixels for seed in range(3)]
    for axis in (0, 1):
        contrast = np.mean([contrast_at_the_seam(pixels, axis) for pixels in dreams])
        assert (contrast < 3) == (axis in axes)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (300, 2)])
def test_seamless_images_of_any_size(brain, quick, shape):
    image = Image(np.full((*shape, 3), 0.5, np.float32))
    for settings in (quick.replace(seamless="both"), quick.replace(seamless="both", tile=64)):
        result = dream_to_end(image, brain, settings).pixels
        assert result.shape == image.pixels.shape
        assert np.isfinite(result).all()


def test_the_fingerprint_names_what_decides_the_bits():
    said = fingerprint("cpu")
    assert ENGINE_VERSION in said
    assert torch.__version__ in said
    assert "cpu" in said
    assert f"{torch.get_num_threads()} threads" in said
    assert f"tile {automatic_side(torch.device('cpu'))}" in said
