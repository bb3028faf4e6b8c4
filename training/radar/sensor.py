"""A 24 GHz continuous-wave radar: from moving points to a 64 x 64 uint8 spectrogram.

Formulas after V. C. Chen, "The Micro-Doppler Effect in Radar", Artech House 2011 (point-scatterer
echo, radar cross-section of an ellipsoid). Approaching is positive Doppler.
"""

from dataclasses import dataclass

import numpy as np

from .body import Scatterers

WAVELENGTH = 299_792_458 / 24.0e9  # metres: 12.5 mm, so 1 m/s is a Doppler shift of 160 Hz
SAMPLE_RATE = 2000.0  # Hz: Doppler from -1 to +1 kHz, speeds to +-6.25 m/s; faster ones alias
WINDOW, HOP, FRAMES, BINS = 128, 100, 64, 64
SAMPLES = WINDOW + HOP * (FRAMES - 1)  # 6428, or 3.2 s
DYNAMIC_RANGE_DB = 42.0
TOP_PERCENTILE = 99.7

Rng = np.random.Generator


def time_axis() -> np.ndarray:
    """(6428,) seconds."""
    return np.arange(SAMPLES) / SAMPLE_RATE


def ellipsoid_rcs(radius: np.ndarray, half_length: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Radar cross-section in m^2 of an ellipsoid of revolution.

    `cosine` is that of the angle between its long axis and the line of sight.
    """
    c2 = cosine**2
    a2, b2 = radius**2, half_length**2
    return np.pi * a2**2 * b2 / (a2 * (1 - c2) + b2 * c2) ** 2


def fading(rng: Rng, points: int, t: np.ndarray, depth: float = 0.35) -> np.ndarray:
    """(points, T) slow random gain of each scatterer, about 1: clothes, muscles, shadowing."""
    knots = np.linspace(t[0], t[-1], 14)
    gains = 1 + depth * rng.standard_normal((points, len(knots)))
    return np.stack([np.interp(t, knots, g) for g in np.clip(gains, 0.05, 2)])


def echo(rng: Rng, points: Scatterers, radar_height: float, floor: float = 0.0) -> np.ndarray:
    """Complex baseband echo (T,) of points in world coordinates; the radar is above the origin.

    `floor` is the amplitude of the path that returns by way of the floor, a ghost of the body at
    other speeds.
    """
    steps = points.position.shape[1]
    offset = points.position - np.array([0.0, 0.0, radar_height])
    distance = np.maximum(np.sqrt(np.einsum("pti,pti->pt", offset, offset)), 0.3)
    cosine = np.einsum("pti,pti->pt", offset, points.axis) / distance
    rcs = ellipsoid_rcs(points.radius[:, None], points.half_length[:, None], cosine)
    # Antenna pattern: a Gaussian of 80 degrees between half-power points, both ways.
    off_axis2 = 1 - (offset[..., 0] / distance) ** 2
    beam = np.exp(-2 * np.log(2) * off_axis2 / np.sin(np.radians(40)) ** 2 / 2)
    gain = np.sqrt(rcs * points.share[:, None]) * beam / distance**2
    gain *= fading(rng, len(gain), np.arange(steps) / SAMPLE_RATE)
    signal = (gain * np.exp(-4j * np.pi / WAVELENGTH * distance)).sum(0)
    if floor:
        mirror = points.position[..., 2] + radar_height
        bounced = np.sqrt(offset[..., 0] ** 2 + offset[..., 1] ** 2 + mirror**2)
        path = (distance + bounced) / 2
        signal -= floor * (gain * np.exp(-4j * np.pi / WAVELENGTH * path)).sum(0)
    return signal


@dataclass(frozen=True)
class Impairments:
    """What a real front end adds. Amplitudes are relative to the moving echo's r.m.s. value."""

    noise_db: float  # white noise below the moving echo, 9-27 dB
    clutter_db: float  # static clutter above it
    clutter_left: float  # part of the mean that clutter removal leaves
    phase_noise: float  # r.m.s. radians, turns static clutter into low Doppler
    image: complex  # IQ imbalance: gain of the mirrored spectrum
    hum: float  # mains hum, 50 and 100 Hz

    @staticmethod
    def random(rng: Rng) -> "Impairments":
        return Impairments(
            noise_db=rng.uniform(9, 27),
            clutter_db=rng.uniform(5, 25),
            clutter_left=rng.uniform(0.0, 0.04),
            phase_noise=rng.uniform(0.0005, 0.006),
            image=rng.uniform(0.005, 0.06) * np.exp(2j * np.pi * rng.random()),
            hum=rng.uniform(0.0, 0.02) if rng.random() < 0.3 else 0.0,
        )


def receive(rng: Rng, signal: np.ndarray, level: float, parts: Impairments) -> np.ndarray:
    """Echo (T,) as the radar's two converters see it; `level` is the moving echo's r.m.s."""
    t = np.arange(len(signal)) / SAMPLE_RATE
    clutter = level * 10 ** (parts.clutter_db / 20) * np.exp(2j * np.pi * rng.random())
    drift = np.cumsum(rng.standard_normal(len(t)))
    drift = parts.phase_noise * (drift - drift.mean()) / drift.std()
    x = signal + clutter * np.exp(1j * drift)
    x = x - (1 - parts.clutter_left) * x.mean()
    for frequency in (50.0, 100.0):
        x = x + parts.hum * level * np.cos(2 * np.pi * (frequency * t + rng.random()))
    noise = rng.standard_normal((2, len(t))) * level * 10 ** (-parts.noise_db / 20) / np.sqrt(2)
    x = x + noise[0] + 1j * noise[1]
    return x + parts.image * np.conj(x)


def stft_power(signal: np.ndarray) -> np.ndarray:
    """Power (64 times, 64 Doppler bins), zero Doppler in column 32, approach to the right.

    Hann window of 128, hop 100, then pairs of bins are merged with weights 1/2, 1, 1/2, so that
    zero stays in the middle of its bin. One bin is 31.25 Hz, or 0.195 m/s.
    """
    frames = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::HOP][:FRAMES]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    power = np.abs(np.fft.fftshift(np.fft.fft(frames * window, axis=1), axes=1)) ** 2
    return power[:, ::2] + 0.5 * power[:, 1::2] + 0.5 * np.roll(power, 1, axis=1)[:, ::2]


def to_image(power: np.ndarray) -> np.ndarray:
    """Power -> uint8: 255 is the 99.7th percentile, 0 is 42 dB below it."""
    level = 10 * np.log10(power + 1e-30)
    top = np.percentile(level, TOP_PERCENTILE)
    scaled = (level - top) / DYNAMIC_RANGE_DB + 1
    return np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
