import numpy as np
import pytest

from jwrules.kernels.drizzling import Layer, drizzle

SHAPE = (24, 24)


def layer(data, *, shift=(0.0, 0.0), weight=None, scale=1.0, **more):
    y, x = np.mgrid[: data.shape[0], : data.shape[1]].astype(float)
    pixmap = np.stack([x * scale + shift[0], y * scale + shift[1]], axis=-1)
    return Layer(data=data, weight=np.ones_like(data) if weight is None else weight, pixmap=pixmap, **more)


def star(shift=(0.0, 0.0), sigma=1.2):
    y, x = np.mgrid[:24, :24]
    return np.exp(-((x - 11 - shift[0]) ** 2 + (y - 12 - shift[1]) ** 2) / (2 * sigma**2))


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, 0.5), (0.123, -0.77), (-0.9, 0.31)])
def test_flux_is_conserved_for_any_shift(shift):
    made = drizzle([layer(star(), shift=shift)], SHAPE, fillval=0)
    assert made.data.sum() == pytest.approx(star().sum(), rel=1e-4)


def test_flux_times_pixel_area_is_conserved_for_smaller_pixels():
    made = drizzle([layer(star(), scale=2.0)], (48, 48), fillval=0, pixel_scale_ratio=0.5)
    assert made.data.sum() / 4 == pytest.approx(star().sum(), rel=1e-4)


@pytest.mark.parametrize("kernel", ["square", "point", "turbo"])
def test_kernels_that_conserve_flux_do_so_with_small_drops(kernel):
    made = drizzle([layer(star(), scale=0.5)], (12, 12), fillval=0, kernel=kernel, pixfrac=0.6, pixel_scale_ratio=2.0)
    assert made.data.sum() * 4 == pytest.approx(star().sum(), rel=1e-3)


def test_on_its_own_grid_an_image_stays_as_it_is():
    data = np.random.default_rng(1).normal(size=SHAPE)
    assert drizzle([layer(data)], SHAPE).data == pytest.approx(data, abs=1e-6)


def test_the_mean_is_weighted():
    weights = [np.full(SHAPE, w) for w in (1.0, 3.0)]
    made = drizzle(
        [layer(np.full(SHAPE, v), weight=w) for v, w in zip((4.0, 8.0), weights, strict=True)], SHAPE, count=2
    )
    assert made.data == pytest.approx(np.full(SHAPE, 7.0))
    assert made.weight == pytest.approx(np.full(SHAPE, 4.0))


def test_a_pixel_without_weight_never_shows_whatever_its_value():
    data, weight = np.ones(SHAPE), np.ones(SHAPE)
    data[5, 6], weight[5, 6] = np.nan, 0
    data[7, 8], weight[7, 8] = 1e9, 0
    made = drizzle([layer(data, weight=weight, variances={"a": data})], SHAPE)
    assert np.array_equal(np.argwhere(np.isnan(made.data)), [[5, 6], [7, 8]])
    assert np.nanmax(made.data) == pytest.approx(1.0)
    assert np.nanmax(made.variances["a"]) == pytest.approx(1.0)


def test_context_tells_which_images_have_weight():
    weights = np.random.default_rng(2).integers(0, 2, size=(40, *SHAPE)).astype(float)
    made = drizzle([layer(np.ones(SHAPE), weight=w) for w in weights], SHAPE, count=40)
    bits = [(made.context[k // 32] >> (k % 32)) & 1 for k in range(40)]
    assert made.context.shape == (2, *SHAPE)
    assert np.array_equal(bits, weights > 0)


def test_twice_the_signal_gives_twice_the_image_and_four_times_the_variance():
    data = star((0.3, 0.1)) + 1
    one, two = (drizzle([layer(f * data, shift=(0.2, 0.4), variances={"poisson": f**2 * data})], SHAPE) for f in (1, 2))
    assert two.data == pytest.approx(2 * one.data, rel=1e-5, nan_ok=True)
    assert two.variances["poisson"] == pytest.approx(4 * one.variances["poisson"], rel=1e-5, nan_ok=True)


def test_four_equal_images_have_a_quarter_of_the_variance():
    layers = [layer(np.ones(SHAPE), variances={"rnoise": np.full(SHAPE, 0.8), "poisson": np.full(SHAPE, 0.4)})] * 4
    made = drizzle(layers, SHAPE, count=4, weight_from="rnoise")
    assert made.variances["rnoise"] == pytest.approx(np.full(SHAPE, 0.2))
    assert made.variances["poisson"] == pytest.approx(np.full(SHAPE, 0.1))


def test_images_count_in_the_variance_by_their_importance():
    layers = [layer(np.ones(SHAPE), variances={"v": np.full(SHAPE, 1.0)}, importance=t) for t in (1.0, 3.0)]
    made = drizzle(layers, SHAPE, count=2)
    assert made.variances["v"] == pytest.approx(np.full(SHAPE, (1 + 9) / 16))


def test_pixels_twice_as_large_have_a_quarter_of_the_variance():
    one = layer(np.ones(SHAPE), scale=0.5, shift=(-0.25, -0.25), variances={"v": np.ones(SHAPE)})
    made = drizzle([one], (12, 12), pixel_scale_ratio=2.0)
    assert made.variances["v"] == pytest.approx(np.full((12, 12), 0.25))


def test_variances_do_not_depend_on_where_the_image_lies_on_the_grid():
    rng = np.random.default_rng(3)
    noise = rng.uniform(1, 2, SHAPE)
    near, far = (
        drizzle([layer(noise, shift=s, variances={"v": noise})], (80, 90)).variances["v"]
        for s in ((4.3, 5.7), (50.3, 40.7))
    )
    assert far[36:66, 47:77] == pytest.approx(near[1:31, 1:31], rel=1e-5, nan_ok=True)


def test_flags_are_united():
    flags = [np.full(SHAPE, bit, np.uint32) for bit in (1 << 2, 1 << 30)]
    assert np.all(drizzle([layer(np.ones(SHAPE), dq=f) for f in flags], SHAPE, count=2).dq == (1 << 2) + (1 << 30))


def test_an_image_that_misses_the_grid_adds_nothing():
    made = drizzle([layer(np.ones(SHAPE), shift=(500.0, 0.0), variances={"v": np.ones(SHAPE)})], SHAPE)
    assert np.all(np.isnan(made.data))
    assert not made.weight.any()


def test_the_order_of_images_does_not_matter():
    rng = np.random.default_rng(4)
    layers = [
        layer(rng.normal(size=SHAPE), shift=rng.uniform(-1, 1, 2), variances={"v": rng.uniform(1, 2, SHAPE)})
        for _ in range(3)
    ]
    one, two = drizzle(layers, SHAPE, count=3), drizzle(layers[::-1], SHAPE, count=3)
    assert two.data == pytest.approx(one.data, abs=1e-5, nan_ok=True)
    assert two.variances["v"] == pytest.approx(one.variances["v"], rel=1e-5, nan_ok=True)
