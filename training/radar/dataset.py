"""Labelled sets of simulated spectrograms, reproducible from one seed."""

from multiprocessing import get_context

import numpy as np

from . import motions
from .body import Scatterers, Subject, scatterers, turned
from .sensor import Impairments, echo, receive, stft_power, time_axis, to_image

CLASSES = ("jogging", "jumping", "sit-up", "waving", "other")
PER_CLASS = 276  # 1380 in all, five test folds of 276
MOTIONS = (motions.jogging, motions.jumping, motions.situp, motions.waving)

Rng = np.random.Generator


def _draw_motion(rng: Rng, label: int) -> motions.Motion | None:
    if label < len(MOTIONS):
        return MOTIONS[label]
    choices, weights = zip(*motions.OTHER, strict=True)
    return choices[rng.choice(len(choices), p=weights)]


def _place(rng: Rng, points: Scatterers, subject: Subject) -> Scatterers:
    """Turn the body to its aspect and put it in front of the radar."""
    path = points.position.mean(0)
    travel = path[-1, 0] - path[0, 0]
    towards = rng.random() < (0.5 if travel > 1 else 0.85)
    aspect = np.radians(22) * rng.standard_normal()
    heading = aspect + (np.pi if towards else 0.0)
    position = turned(points.position, heading)
    # Keep the nearest approach beyond 1.4 m, the farthest a little beyond 9 m if one walks.
    near = position[..., 0].min()
    start = rng.uniform(1.4, 9.0 - min(abs(travel), 5.0))
    sideways = np.clip(0.12 * rng.standard_normal(), -0.3, 0.3) * start
    position = position + np.array([start - near, sideways, 0.0])
    points.position, points.axis = position, turned(points.axis, heading)
    return points


def _empty_room(rng: Rng, t: np.ndarray) -> np.ndarray:
    """Echo of a curtain or a fan: a few centimetres of swinging at several rates, or nothing."""
    swing = np.zeros_like(t)
    for _ in range(int(rng.integers(0, 4))):
        phase = motions.cycle(rng, t, rng.uniform(0.3, 6.0), 0.15)
        swing += rng.uniform(0.002, 0.03) * np.sin(phase) * (1 + 0.4 * motions.wander(rng, t, 0.8))
    return 0.05 * np.exp(4j * np.pi / 0.0125 * swing)


def _body_echo(rng: Rng, motion: motions.Motion, t: np.ndarray, radar_height: float) -> np.ndarray:
    subject = Subject(rng.uniform(1.50, 1.92), rng.uniform(0.85, 1.2))
    points = _place(rng, scatterers(subject, motion(rng, subject, t)), subject)
    return echo(rng, points, radar_height, floor=rng.uniform(0.0, 0.3))


def _visible(clean: np.ndarray, level: float, parts: Impairments) -> bool:
    """Does motion stand out of the noise at all?

    True if in at least a fifth of the frames the echo beyond +-47 Hz (0.3 m/s) exceeds the noise in
    the same bins by 3 dB. Without this the set holds recordings that nobody could label, of
    people who move across the line of sight.
    """
    outer = np.abs(np.arange(64) - 32) >= 2
    moving = stft_power(clean)[:, outer].sum(1)
    # Expected noise power of a bin: sum of the squared window (48) for each merged weight (2).
    noise = level**2 * 10 ** (-parts.noise_db / 10) * 48 * 2 * outer.sum()
    return bool(np.mean(moving > 2 * noise) >= 0.2)


def sample(seed: int, label: int, index: int) -> tuple[np.ndarray, int]:
    """One spectrogram (64, 64) uint8 and how often it had to be redrawn."""
    rng = np.random.default_rng([seed, label, index])
    t = time_axis()
    redrawn = 0
    while True:
        motion = _draw_motion(rng, label)
        radar_height = rng.uniform(0.6, 1.6)
        parts = Impairments.random(rng)
        clean = _body_echo(rng, motion, t, radar_height) if motion else _empty_room(rng, t)
        moving = np.sqrt(np.mean(np.abs(clean - clean.mean()) ** 2))
        level = max(moving, 0.2 * np.sqrt(np.mean(np.abs(clean) ** 2)))
        if motion in (None, motions.still) or _visible(clean, level, parts):
            break
        redrawn += 1
    if motion and rng.random() < 0.06:  # somebody else walks by, 12-22 dB weaker
        second = _body_echo(rng, motions.walking, t, radar_height)
        second *= level / np.sqrt(np.mean(np.abs(second) ** 2))
        clean = clean + second * 10 ** (-rng.uniform(12, 22) / 20)
    return to_image(stft_power(receive(rng, clean, level, parts))), redrawn


def _job(arguments: tuple[int, int, int]) -> tuple[np.ndarray, int]:
    return sample(*arguments)


def simulate(
    seed: int, per_class: int = PER_CLASS, workers: int = 1
) -> tuple[np.ndarray, np.ndarray, int]:
    """x (5 * per_class, 64, 64) uint8, y (5 * per_class,) int64 in class order, redrawn samples.

    Each sample has a random stream of its own, so the result does not depend on `workers`.
    """
    jobs = [(seed, label, k) for label in range(len(CLASSES)) for k in range(per_class)]
    if workers > 1:
        with get_context("fork").Pool(workers) as pool:
            results = pool.map(_job, jobs, chunksize=20)
    else:
        results = [_job(job) for job in jobs]
    x = np.stack([image for image, _ in results])
    y = np.array([label for _, label, _ in jobs], dtype=np.int64)
    return x, y, sum(count > 0 for _, count in results)
