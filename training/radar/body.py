"""An articulated body of 16 segments, from joint angles to points in space.

Body frame: x forward, y to the left, z up, origin on the floor below the pelvis' start; metres and
radians. Time is the last axis of angles, the second last of positions.

Segment lengths are fractions of stature after Drillis and Contini (1966), as tabulated in
D. A. Winter, "Biomechanics and Motor Control of Human Movement", 4th ed. 2009, fig. 4.1.
"""

from dataclasses import dataclass, field

import numpy as np

THIGH, SHANK, FOOT, ANKLE_HEIGHT = 0.245, 0.246, 0.152, 0.039
TRUNK, HEAD = 0.288, 0.182
UPPER_ARM, FOREARM, HAND = 0.186, 0.146, 0.108
HALF_HIP, HALF_SHOULDER = 0.0955, 0.1295

# Radius of each segment (fraction of stature; rough means of anthropometric girths / 2 pi) and the
# number of scatterers along it. Hands and feet get two, long segments more: where a segment
# rotates, its points have different speeds, and that spread is the micro-Doppler signature.
SEGMENTS = {
    "trunk": (0.085, 5),
    "head": (0.050, 2),
    "thigh": (0.042, 4),
    "shank": (0.030, 4),
    "foot": (0.022, 2),
    "upper_arm": (0.026, 3),
    "forearm": (0.021, 3),
    "hand": (0.019, 2),
}


@dataclass(frozen=True)
class Subject:
    """Who moves: stature in metres (1.50-1.92), girth as a factor on all radii (0.85-1.2)."""

    stature: float
    girth: float

    @property
    def leg(self) -> float:
        """Length of the stretched leg from hip to ankle, metres."""
        return (THIGH + SHANK) * self.stature

    @property
    def hip_height(self) -> float:
        return self.leg + ANKLE_HEIGHT * self.stature


@dataclass
class Pose:
    """Joint angles over T time steps. Pairs are (left, right), shape (2, T).

    Legs and the trunk are measured against the world's vertical, arms against the trunk. A limb
    with angles (flexion f, spread s) points to (cos s sin f, +-sin s, -cos s cos f): f = s = 0
    hangs down, f = 90 degrees points forward, f = 180 degrees up, s spreads it sideways.
    """

    pelvis: np.ndarray  # (T, 3)
    lean: np.ndarray  # (T,) trunk pitch, 0 = upright, -90 degrees = on the back
    thigh: np.ndarray  # (2, T)
    knee: np.ndarray  # (2, T) >= 0, heel towards the buttocks
    arm: np.ndarray  # (2, T) flexion of the upper arm
    forearm: np.ndarray  # (2, T) flexion of the forearm, against the trunk, not the upper arm
    leg_spread: np.ndarray | float = 0.05
    arm_spread: np.ndarray | float = 0.15
    forearm_spread: np.ndarray | float = 0.05
    roll: np.ndarray | float = 0.0  # trunk to the side
    twist: np.ndarray | float = 0.0  # trunk about its own axis
    toes: np.ndarray | float = 0.0  # plantar flexion
    heading: np.ndarray | float = field(default=0.0)  # extra turn of the whole body


def leg_angles(subject: Subject, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thigh and knee angle that hold the ankle `distance` metres straight below the hip.

    Plane two-link inverse kinematics by the law of cosines.
    """
    a, b = THIGH * subject.stature, SHANK * subject.stature
    # The knee's speed has a pole where the leg is straight: approach 0.99 of its length softly.
    limit, soft = 0.99 * (a + b), 0.01
    d = limit - soft * np.logaddexp(0, (limit - distance) / soft)
    d = np.maximum(d, 0.35 * (a + b))
    thigh = np.arccos((a * a + d * d - b * b) / (2 * a * d))
    knee = np.pi - np.arccos((a * a + b * b - d * d) / (2 * a * b))
    return thigh, knee


def _limb(flexion: np.ndarray, spread: np.ndarray | float, side: float) -> np.ndarray:
    """Unit vectors (T, 3) of a limb; side is +1 for left, -1 for right."""
    spread = np.broadcast_to(spread, np.shape(flexion))
    c = np.cos(spread)
    return np.stack([c * np.sin(flexion), side * np.sin(spread), -c * np.cos(flexion)], -1)


def _trunk_axes(pose: Pose, steps: int) -> np.ndarray:
    """Rotation matrices (T, 3, 3): columns are the trunk's forward, left and up axes."""
    lean, roll, twist = (np.broadcast_to(v, steps) for v in (pose.lean, pose.roll, pose.twist))
    up = np.stack([np.sin(lean) * np.cos(roll), np.sin(roll), np.cos(lean) * np.cos(roll)], -1)
    forward = np.stack([np.cos(lean), np.zeros(steps), -np.sin(lean)], -1)
    left = np.cross(up, forward)
    c, s = np.cos(twist)[:, None], np.sin(twist)[:, None]
    return np.stack([c * forward + s * left, c * left - s * forward, up], -1)


def _side(values: np.ndarray | float, index: int) -> np.ndarray | float:
    return values[index] if np.ndim(values) == 2 else values


def segments(subject: Subject, pose: Pose) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """End points of all 16 segments: name -> two arrays (T, 3) in the body frame."""
    h = subject.stature
    steps = len(pose.pelvis)
    axes = _trunk_axes(pose, steps)
    up, left = axes[:, :, 2], axes[:, :, 1]
    neck = pose.pelvis + TRUNK * h * up
    found = {"trunk": (pose.pelvis, neck), "head": (neck + 0.02 * h * up, neck + HEAD * h * up)}
    for i, side in enumerate((1.0, -1.0)):
        name = "left" if side > 0 else "right"
        hip = pose.pelvis + np.array([0.0, side * HALF_HIP * h, 0.0])
        spread = _side(pose.leg_spread, i)
        knee = hip + THIGH * h * _limb(pose.thigh[i], spread, side)
        shank = pose.thigh[i] - pose.knee[i]
        ankle = knee + SHANK * h * _limb(shank, spread, side)
        toe_angle = shank + np.pi / 2 - _side(pose.toes, i)
        toe = ankle + FOOT * h * _limb(toe_angle, 0.0, side)
        shoulder = neck + side * HALF_SHOULDER * h * left
        turn = lambda v: np.einsum("tij,tj->ti", axes, v)  # noqa: E731 - trunk frame to body frame
        upper = turn(_limb(pose.arm[i], _side(pose.arm_spread, i), side))
        lower = turn(_limb(pose.forearm[i], _side(pose.forearm_spread, i), side))
        elbow = shoulder + UPPER_ARM * h * upper
        wrist = elbow + FOREARM * h * lower
        found |= {
            f"thigh {name}": (hip, knee),
            f"shank {name}": (knee, ankle),
            f"foot {name}": (ankle, toe),
            f"upper_arm {name}": (shoulder, elbow),
            f"forearm {name}": (elbow, wrist),
            f"hand {name}": (wrist, wrist + HAND * h * lower),
        }
    return found


@dataclass
class Scatterers:
    """P points over T steps, ready for the sensor."""

    position: np.ndarray  # (P, T, 3) metres
    axis: np.ndarray  # (P, T, 3) unit vector along the segment
    half_length: np.ndarray  # (P,) metres
    radius: np.ndarray  # (P,) metres
    share: np.ndarray  # (P,) part of the segment's radar cross-section, sums to 1 per segment


def scatterers(subject: Subject, pose: Pose) -> Scatterers:
    """Spread points along every segment and turn the body by `pose.heading` about the vertical."""
    position, axis, half_length, radius, share = [], [], [], [], []
    for name, (start, end) in segments(subject, pose).items():
        fraction, count = SEGMENTS[name.split()[0]]
        delta = end - start
        length = np.linalg.norm(delta, axis=1, keepdims=True)
        for k in range(count):
            position.append(start + (k + 0.5) / count * delta)
            axis.append(delta / length)
            half_length.append(length[0, 0] / 2)
            radius.append(fraction * subject.stature * subject.girth)
            share.append(1.0 / count)
    rotate = lambda v: turned(np.array(v), pose.heading)  # noqa: E731
    return Scatterers(
        rotate(position), rotate(axis), np.array(half_length), np.array(radius), np.array(share)
    )


def turned(vectors: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    """Rotate (..., T, 3) about the vertical by a constant or a (T,) angle."""
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack([c * x - s * y, s * x + c * y, z], -1)
