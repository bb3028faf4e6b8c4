"""The simulator: reproducible, and physics where it can be checked by hand."""

import numpy as np
import pytest

from radar import body, dataset, motions, sensor


def point(position: np.ndarray) -> body.Scatterers:
    """One small sphere on a path (T, 3)."""
    axis = np.zeros_like(position)
    axis[:, 2] = 1
    return body.Scatterers(
        position[None], axis[None], np.array([0.1]), np.array([0.1]), np.array([1.0])
    )


def doppler_of(speed: float) -> float:
    """Doppler in Hz at which a point that approaches at `speed` m/s appears."""
    t = sensor.time_axis()
    path = np.stack([8 - speed * t, 0 * t, 1 + 0 * t], -1)
    signal = sensor.echo(np.random.default_rng(1), point(path), radar_height=1.0)
    spectrum = np.abs(np.fft.fft(signal * np.hanning(len(signal))))
    return float(np.fft.fftfreq(len(signal), 1 / sensor.SAMPLE_RATE)[spectrum.argmax()])


@pytest.mark.parametrize("speed", [1.0, -1.0, 2.2])
def test_scatterer_appears_at_twice_its_speed_over_the_wavelength(speed: float) -> None:
    assert doppler_of(speed) == pytest.approx(2 * speed / sensor.WAVELENGTH, abs=1.0)


def test_approach_is_to_the_right_of_zero_doppler() -> None:
    t = sensor.time_axis()
    path = np.stack([8 - t, 0 * t, 1 + 0 * t], -1)
    power = sensor.stft_power(sensor.echo(np.random.default_rng(1), point(path), 1.0))
    column = 32 + 2 * 1.0 / sensor.WAVELENGTH / 31.25
    assert power.shape == (64, 64)
    assert np.all(np.abs(power.argmax(1) - column) <= 1)


def test_echo_falls_with_the_square_of_the_range() -> None:
    t = sensor.time_axis()

    def level(distance: float) -> float:
        path = np.stack([distance + 0 * t, 0 * t, 1 + 0 * t], -1)
        signal = sensor.echo(np.random.default_rng(1), point(path), 1.0)
        return float(np.abs(signal).mean())

    assert level(2) / level(4) == pytest.approx(4, rel=1e-6)


def test_sphere_has_the_cross_section_of_a_sphere() -> None:
    rcs = sensor.ellipsoid_rcs(np.array(0.1), np.array(0.1), np.array([0.0, 0.5, 1.0]))
    assert rcs == pytest.approx(np.pi * 0.01)


def test_noise_reaches_the_level_that_visibility_expects() -> None:
    rng = np.random.default_rng(3)
    parts = sensor.Impairments(10.0, -200.0, 0.0, 0.0, 0j, 0.0)
    power = sensor.stft_power(sensor.receive(rng, np.zeros(sensor.SAMPLES), 1.0, parts))
    assert power.mean() == pytest.approx(0.1 * 48 * 2, rel=0.05)


def test_segments_keep_their_length_whatever_the_motion() -> None:
    t = sensor.time_axis()[::40]
    subject = body.Subject(1.75, 1.0)
    for motion in (*dataset.MOTIONS, *(m for m, _ in motions.OTHER if m)):
        ends = body.segments(subject, motion(np.random.default_rng(5), subject, t))
        for name, fraction in (("thigh left", body.THIGH), ("forearm right", body.FOREARM)):
            length = np.linalg.norm(ends[name][1] - ends[name][0], axis=1)
            assert length == pytest.approx(fraction * 1.75), (motion.__name__, name)


def test_leg_angles_hold_the_ankle_below_the_hip() -> None:
    subject = body.Subject(1.80, 1.0)
    distance = np.linspace(0.5, 0.9, 20) * subject.leg
    thigh, knee = body.leg_angles(subject, distance)
    a, b = body.THIGH * 1.80, body.SHANK * 1.80
    assert a * np.sin(thigh) + b * np.sin(thigh - knee) == pytest.approx(0, abs=1e-9)
    assert a * np.cos(thigh) + b * np.cos(thigh - knee) == pytest.approx(distance, rel=1e-3)


def test_jumps_leave_the_floor_at_the_speed_their_height_needs() -> None:
    t = sensor.time_axis()
    subject = body.Subject(1.75, 1.0)
    for seed in range(20):
        pose = motions._vertical_jumps(np.random.default_rng(seed), subject, t)
        height = pose.pelvis[:, 2]
        speed = np.gradient(height, t)
        rise = height.max() - subject.hip_height * 0.995 - 0.06  # above the tips of the toes
        if 5 < height.argmax() < len(t) - 5 and rise > 0:
            before = speed[: height.argmax()]
            assert before.max() == pytest.approx(np.sqrt(2 * motions.GRAVITY * rise), rel=0.12)


def test_same_seed_same_samples_and_order_does_not_matter() -> None:
    x, y, _ = dataset.simulate(7, per_class=2)
    again, _, _ = dataset.simulate(7, per_class=2, workers=2)
    assert x.dtype == np.uint8 and x.shape == (10, 64, 64)
    assert y.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert np.array_equal(x, again)
    assert np.array_equal(x[5], dataset.sample(7, 2, 1)[0])
    assert not np.array_equal(x, dataset.simulate(8, per_class=2)[0])
