"""How each activity moves: random but plausible joint angles over time.

Every function takes the random generator, the subject and the time axis t (T,) in seconds and
returns a Pose. Ranges are drawn anew for each sample. Sources:

 [B] R. Boulic, N. Magnenat-Thalmann, D. Thalmann, "A global human walking model with real-time
     kinematic personification", The Visual Computer 6, 1990: cycle rate 0.96 Hz at 1.4 m/s, rate
     ~ sqrt(speed), hip +25/-15 degrees, knee peak about 70 degrees.
 [N] T. F. Novacheck, "The biomechanics of running", Gait and Posture 7, 1998: knee to 90-110
     degrees in swing and about 40 in stance, peak before that of the hip, trunk lean 5-12 degrees.
 [L] N. P. Linthorne, "Analysis of standing vertical jumps using a force platform", American
     Journal of Physics 69, 2001: crouch 0.2-0.4 m, take-off speed sqrt(2 g h), flight 2 v / g.
 [F] T. Flash, N. Hogan, "The coordination of arm movements", J. Neuroscience 5, 1985: reaching
     follows minimum-jerk, bell-shaped speed profiles.
 [S] M. Schenkman et al., "Whole-body movements during rising to standing from sitting", Physical
     Therapy 70, 1990: trunk flexes forward (to 35-50 degrees) before the seat is left, 1.5-2 s.
 [H] J.-P. Hsiao, S. N. Robinovitch, "Common protective movements govern unexpected falls from
     standing height", J. Biomechanics 31, 1998: 0.7-0.8 s from loss of balance to impact.
 [C] V. C. Chen, "The Micro-Doppler Effect in Radar", Artech House 2011, ch. 3: body models for
     radar, and that such kinematics give the signatures that are measured.
"""

from collections.abc import Callable

import numpy as np

from .body import HALF_HIP, Pose, Subject, leg_angles

GRAVITY = 9.81
DEG = np.pi / 180
Motion = Callable[[np.random.Generator, Subject, np.ndarray], Pose]
Rng = np.random.Generator


# -- building blocks -------------------------------------------------------------------------------


def wander(rng: Rng, t: np.ndarray, cutoff: float) -> np.ndarray:
    """Slow random function of time, about unit variance, frequencies below `cutoff` Hz."""
    rate = rng.uniform(0.08, cutoff, 5)
    phase = rng.uniform(0, 2 * np.pi, 5)
    return np.sqrt(0.4) * np.sin(2 * np.pi * np.outer(t, rate) + phase).sum(1)


def cycle(rng: Rng, t: np.ndarray, rate: float, jitter: float = 0.05) -> np.ndarray:
    """Phase in radians of a repeated movement: nobody keeps a rate exactly."""
    speed = rate * (1 + jitter * wander(rng, t, 0.6))
    return rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(speed) * (t[1] - t[0])


def bump(phase: np.ndarray, width: float) -> np.ndarray:
    """Periodic pulse of height 1 at phase 0; width in radians (a von Mises bell)."""
    return np.exp((np.cos(phase) - 1) / width**2)


def hermite(t: np.ndarray, knots: list[tuple[float, float, float]]) -> np.ndarray:
    """Cubic through knots (time, value, slope); constant outside. Between two knots of slope 0
    this is the bell-shaped speed profile of [F], give or take its ends."""
    time, value, slope = (np.array(v) for v in zip(*knots, strict=True))
    k = np.clip(np.searchsorted(time, t, side="right") - 1, 0, len(time) - 2)
    d = time[k + 1] - time[k]
    u = np.clip((t - time[k]) / d, 0, 1)
    return (
        (1 + 2 * u) * (1 - u) ** 2 * value[k]
        + u * (1 - u) ** 2 * d * slope[k]
        + u * u * (3 - 2 * u) * value[k + 1]
        + u * u * (u - 1) * d * slope[k + 1]
    )


def moves(t: np.ndarray, knots: list[tuple[float, float]]) -> np.ndarray:
    """hermite() through resting points (time, value)."""
    return hermite(t, [(time, value, 0.0) for time, value in knots])


def pair(left: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    return np.stack([left, left if right is None else right])


def at(
    t: np.ndarray, x: np.ndarray | float, y: np.ndarray | float, z: np.ndarray | float
) -> np.ndarray:
    """Positions (T, 3) from coordinates that may be constants."""
    return np.stack([np.broadcast_to(v, t.shape) for v in (x, y, z)], -1).astype(float)


def sway(rng: Rng, t: np.ndarray, size: float = 0.006) -> tuple[np.ndarray, np.ndarray]:
    """Forward and sideways drift of a standing body, metres, and what breathing adds to it."""
    breath = 0.003 * np.sin(cycle(rng, t, rng.uniform(0.2, 0.35)))
    return size * wander(rng, t, 0.7) + breath, size * wander(rng, t, 0.5)


def standing(rng: Rng, subject: Subject, t: np.ndarray, drop: np.ndarray | float = 0.0) -> Pose:
    """Upright with arms hanging; `drop` lowers the pelvis, knees bending to follow.

    Where the pelvis is higher than the leg is long (drop < 0) the feet leave the floor.
    """
    height = subject.hip_height * 0.995 - drop
    thigh, knee = leg_angles(subject, np.broadcast_to(height, t.shape) - 0.039 * subject.stature)
    forward, side = sway(rng, t)
    arm = 0.04 * wander(rng, t, 0.8)
    return Pose(
        pelvis=at(t, forward, side, height),
        lean=0.03 + 0.008 * wander(rng, t, 0.5),
        thigh=pair(thigh),
        knee=pair(knee),
        arm=pair(arm, 0.04 * wander(rng, t, 0.8)),
        forearm=pair(arm + rng.uniform(0.1, 0.4)),
    )


# -- the four named activities ---------------------------------------------------------------------


def jogging(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Running on the spot (60 %) or along the line of sight at 1.7-2.9 m/s. [N]"""
    on_spot = rng.random() < 0.6
    speed = 0.0 if on_spot else rng.uniform(1.7, 2.9)
    phase = cycle(rng, t, rng.uniform(1.15, 1.6), 0.03)
    if on_spot:
        swing, middle = rng.uniform(14, 28) * DEG, rng.uniform(10, 24) * DEG
        peak = rng.uniform(60, 105) * DEG
    else:
        swing = (17 + 5 * speed) * rng.uniform(0.85, 1.1) * DEG
        middle, peak = rng.uniform(8, 16) * DEG, rng.uniform(80, 112) * DEG
    legs = pair(phase, phase + np.pi)
    thigh = middle + swing * np.cos(legs)
    knee = 12 * DEG + (peak - 12 * DEG) * bump(legs + 0.33 * np.pi, 0.85)
    knee += rng.uniform(15, 28) * DEG * bump(legs - 0.55 * np.pi, 0.6)
    bounce = rng.uniform(0.025, 0.05) * np.cos(2 * phase + rng.uniform(-0.5, 0.5))
    forward, side = sway(rng, t, 0.02)
    surge = 0.012 * np.sin(2 * phase)
    elbow = rng.uniform(70, 110) * DEG
    arm_swing = rng.uniform(12, 35) * DEG
    arm = -5 * DEG - arm_swing * np.cos(legs)
    return Pose(
        pelvis=at(t, speed * t + forward + surge, side, 0.93 * subject.hip_height + bounce),
        lean=rng.uniform(2, 12) * DEG + 0.02 * np.sin(2 * phase),
        thigh=thigh,
        knee=knee,
        arm=arm,
        forearm=arm + elbow + 0.2 * arm_swing * np.cos(legs),
        twist=rng.uniform(3, 10) * DEG * np.cos(phase),
        toes=25 * DEG * bump(legs + 0.8 * np.pi, 0.8),
    )


def jumping(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Jumps with a counter-movement (60 %) or jumping jacks."""
    return _vertical_jumps(rng, subject, t) if rng.random() < 0.6 else _jacks(rng, subject, t)


def _vertical_jumps(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Crouch, push-off, flight, landing, again and again. [L]"""
    rise, depth = rng.uniform(0.10, 0.36), rng.uniform(0.14, 0.34)
    crouch_time, pause = rng.uniform(0.32, 0.55), rng.uniform(0.02, 0.45)
    arm_back, arm_up = rng.uniform(10, 55) * DEG, rng.uniform(20, 150) * DEG
    height, arm, lean = [], [], []
    now = -rng.uniform(0.0, 1.6)
    while now < t[-1]:
        h, d = rise * rng.uniform(0.85, 1.15), depth * rng.uniform(0.85, 1.15)
        v = np.sqrt(2 * GRAVITY * h)
        bottom = now + crouch_time
        off = bottom + 2 * (d + 0.06) / v  # constant acceleration up to the toes
        down = off + 2 * v / GRAVITY
        absorbed = down + rng.uniform(0.14, 0.24)
        rest = absorbed + rng.uniform(0.28, 0.45)
        height += [(now, 0, 0), (bottom, -d, 0), (off, 0.06, v), (down, 0.06, -v)]
        height += [(absorbed, -rng.uniform(0.4, 0.8) * d, 0), (rest, 0, 0)]
        arm += [(now, 0), (bottom, -arm_back), (off + 0.08, arm_up), (down + 0.1, 0.2), (rest, 0)]
        lean += [(now, 0), (bottom, d * 1.6), (off, 0), (down, 0.05), (absorbed, d), (rest, 0)]
        now = rest + pause * rng.uniform(0.6, 1.4) + 0.02
    pose = standing(rng, subject, t, -hermite(t, height))
    pose.lean = pose.lean + moves(t, lean)
    swing = moves(t, arm)
    pose.arm = pair(swing, swing * rng.uniform(0.85, 1.0))
    pose.forearm = pose.arm + rng.uniform(10, 50) * DEG
    pose.pelvis[:, 0] -= 0.25 * pose.lean  # the hips go back as the trunk goes forward
    pose.toes = 35 * DEG * np.sin(np.pi / 2 * np.clip(hermite(t, height) / 0.10, 0, 1)) ** 2
    return pose


def _jacks(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Arms up and legs apart, then back: one hop each way."""
    phase = cycle(rng, t, rng.uniform(0.85, 1.35), 0.03)
    opening = 0.5 - 0.5 * np.cos(phase)
    hop = rng.uniform(0.05, 0.11) * np.abs(np.sin(phase)) ** 1.5
    dip = rng.uniform(0.02, 0.06) * bump(2 * phase, 0.8)
    pose = standing(rng, subject, t, dip - hop)
    spread = 8 * DEG + rng.uniform(100, 150) * DEG * opening
    pose.arm = pair(rng.uniform(0, 20) * DEG + 0.0 * t)
    pose.arm_spread = pair(spread, spread * rng.uniform(0.92, 1.0))
    pose.forearm_spread = pose.arm_spread + rng.uniform(0, 20) * DEG
    pose.forearm = pose.arm + rng.uniform(0, 15) * DEG
    pose.leg_spread = 3 * DEG + rng.uniform(14, 24) * DEG * opening
    return pose


def situp(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """On the back with bent knees; the trunk rises to sitting and sinks again."""
    top, bottom = rng.uniform(-22, 15) * DEG, -rng.uniform(82, 90) * DEG
    up_time, down_time = rng.uniform(0.6, 1.2), rng.uniform(0.7, 1.5)
    lean, now = [], -rng.uniform(0.0, 2.5)
    while now < t[-1]:
        reach = top + rng.uniform(-6, 6) * DEG
        a = now + rng.uniform(0.05, 0.35)
        b = a + up_time * rng.uniform(0.9, 1.1)
        c = b + rng.uniform(0.05, 0.35)
        now = c + down_time * rng.uniform(0.9, 1.1)
        lean += [(a, bottom), (b, reach), (c, reach), (now, bottom)]
    trunk = moves(t, lean)
    progress = (trunk - bottom) / (top - bottom)
    thigh_angle = rng.uniform(118, 140) * DEG
    thigh = thigh_angle - rng.uniform(0, 6) * DEG * progress
    # Hands behind the head, crossed on the chest, or reaching for the knees.
    style = rng.integers(3)
    arm, forearm, spread = [(150, 260, 60), (35, 150, 20), (60, 80, 10)][style]
    still = np.zeros_like(t)
    wobble = 4 * DEG * wander(rng, t, 1.0)
    return Pose(
        pelvis=at(t, 0.04 * progress, 0.004 * wander(rng, t, 0.8), 0.10 + 0.03 * progress),
        lean=trunk,
        thigh=pair(thigh),
        knee=pair(thigh - rng.uniform(15, 45) * DEG),
        arm=pair(arm * DEG + wobble, arm * DEG - wobble),
        forearm=pair(forearm * DEG + wobble + (25 * DEG * progress if style == 2 else still)),
        arm_spread=spread * DEG,
        forearm_spread=rng.uniform(-25, 5) * DEG,
    )


def waving(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Standing, waving a forearm or the whole arm, one side or both."""
    pose = standing(rng, subject, t)
    phase = cycle(rng, t, rng.uniform(0.9, 2.1), 0.06)
    whole_arm, both = rng.random() < 0.4, rng.random() < 0.35
    size = (rng.uniform(18, 40) if whole_arm else rng.uniform(22, 50)) * DEG
    size = size * (1 + 0.1 * wander(rng, t, 0.8))
    # Plane of the wave: 0 = sideways (frontal plane), 90 degrees = beckoning towards the radar.
    plane = rng.uniform(0, 65) * DEG
    side_part, forward_part = np.cos(plane) * size, np.sin(plane) * size
    lifted = rng.uniform(120, 165) * DEG
    spread0 = rng.uniform(5, 30) * DEG
    pose.arm_spread, pose.forearm_spread = (pair(np.full_like(t, v)) for v in (0.15, 0.05))
    active = [0, 1] if both else [int(rng.integers(2))]
    offset = rng.choice([0.0, np.pi])  # both arms: mirrored or parallel
    for i in active:
        wave = np.sin(phase + offset * i)
        if whole_arm:
            pose.arm[i] = lifted + forward_part * wave
            pose.arm_spread[i] = spread0 + side_part * wave
            pose.forearm[i] = pose.arm[i] + 0.25 * forward_part * wave + 8 * DEG
            pose.forearm_spread[i] = pose.arm_spread[i] + 0.25 * side_part * wave
        else:
            pose.arm[i] = rng.uniform(15, 70) * DEG + 0.12 * size * wave
            pose.arm_spread[i] = rng.uniform(10, 60) * DEG
            pose.forearm[i] = rng.uniform(150, 180) * DEG + forward_part * wave
            pose.forearm_spread[i] = side_part * wave
    pose.roll = 0.02 * np.sin(phase) * (0.5 if both else 1.0)
    pose.twist = 0.03 * np.sin(phase + 0.4)
    return pose


# -- everything else -------------------------------------------------------------------------------


def walking(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """[B]; knee curve with its small stance and large swing peak."""
    speed = rng.uniform(0.6, 1.7)
    phase = cycle(rng, t, 0.96 * np.sqrt(speed / 1.4) * rng.uniform(0.93, 1.07), 0.03)
    legs = pair(phase, phase + np.pi)
    swing = 20 * DEG * np.sqrt(speed / 1.4) * rng.uniform(0.9, 1.1)
    knee = 6 * DEG + rng.uniform(48, 64) * DEG * bump(legs + 0.42 * np.pi, 0.75)
    knee += 14 * DEG * bump(legs - 0.35 * np.pi, 0.5)
    arm = rng.uniform(5, 24) * DEG * -np.cos(legs) + 3 * DEG
    return Pose(
        pelvis=at(
            t,
            speed * t + 0.015 * np.sin(2 * phase),
            0.02 * np.sin(phase),
            0.965 * subject.hip_height + 0.018 * np.cos(2 * phase),
        ),
        lean=rng.uniform(1, 6) * DEG + 0.015 * np.sin(2 * phase),
        thigh=5 * DEG + swing * np.cos(legs),
        knee=knee,
        arm=arm,
        forearm=arm + rng.uniform(10, 30) * DEG + 0.3 * np.abs(arm),
        twist=rng.uniform(2, 6) * DEG * np.cos(phase),
        toes=15 * DEG * bump(legs + 0.75 * np.pi, 0.6),
    )


def boxing(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Single punches, left and right, at irregular intervals from a guard; footwork drifts."""
    pose = standing(rng, subject, t, 0.03 + 0.012 * wander(rng, t, 1.5))
    extension = np.zeros((2, len(t)))
    now = rng.uniform(0, 0.4)
    while now < t[-1]:
        out, back = rng.uniform(0.13, 0.25), rng.uniform(0.18, 0.35)
        blow = [(now, 0), (now + out, 1), (now + out + back, 0)]
        extension[int(rng.integers(2))] += rng.uniform(0.7, 1.0) * moves(t, blow)
        now += rng.uniform(0.25, 0.95)
    extension = np.minimum(extension, 1.0)
    pose.arm = 25 * DEG + 60 * DEG * extension
    pose.forearm = 145 * DEG - 58 * DEG * extension
    pose.twist = 22 * DEG * (extension[1] - extension[0])
    pose.lean = pose.lean + 5 * DEG + 4 * DEG * extension.sum(0) + 0.03 * wander(rng, t, 1.2)
    pose.pelvis[:, 0] += 0.05 * wander(rng, t, 0.9)
    pose.pelvis[:, 1] += 0.04 * wander(rng, t, 0.9)
    return pose


def sitting(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Standing to sitting or back, on a chair of 0.42-0.48 m. [S]"""
    seat = subject.hip_height - rng.uniform(0.48, 0.54)
    start, time = rng.uniform(0.2, 1.3), rng.uniform(1.1, 1.9)
    rising = rng.random() < 0.5
    ends = (1.0, 0.0) if rising else (0.0, 1.0)
    drop = moves(t, [(start, ends[0]), (start + time, ends[1])])
    middle = start + (0.35 if rising else 0.6) * time
    lean = moves(t, [(start - 0.3, 0), (middle, rng.uniform(32, 50) * DEG), (start + time, 0)])
    pose = standing(rng, subject, t, seat * drop)
    pose.lean = pose.lean + lean
    # On the seat the hips are behind the feet: tilt the folded leg so that the thigh lies level.
    pose.pelvis[:, 0] -= 0.38 * drop * subject.stature * 0.6
    pose.thigh = pose.thigh + 0.5 * drop
    pose.arm = pose.arm + 0.5 * lean + 15 * DEG * drop
    pose.forearm = pose.arm + 40 * DEG * drop + 10 * DEG
    return pose


def still(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Standing, now and then shifting weight or moving an arm a little."""
    pose = standing(rng, subject, t)
    if rng.random() < 0.6:
        a = rng.uniform(0, 2)
        shift = moves(t, [(a, 0), (a + rng.uniform(0.6, 1.2), rng.uniform(-0.06, 0.06))])
        pose.pelvis[:, 0] += 0.5 * shift
        pose.pelvis[:, 1] += shift
    if rng.random() < 0.5:
        a, up = rng.uniform(0, 1.8), rng.uniform(20, 90) * DEG
        lift = moves(t, [(a, 0), (a + 0.7, up), (a + 1.1, up), (a + 1.9, 0)])
        pose.forearm[int(rng.integers(2))] += lift
    return pose


def falling(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Like a pendulum from upright to the floor, forward, backward or sideways. [H]"""
    start, time = rng.uniform(0.3, 1.9), rng.uniform(0.65, 1.0)
    # Slow at first, fastest at impact, then a short settling.
    angle = hermite(t, [(start, 0, 0), (start + time, 1, 1.9 / time), (start + time + 0.2, 1, 0)])
    pose = standing(rng, subject, t)
    direction = rng.choice([-1.0, 1.0, 0.0], p=[0.35, 0.4, 0.25])
    tilt = 85 * DEG * angle
    buckle = rng.uniform(10, 70) * DEG * 4 * angle * (1 - 0.8 * angle)
    length = subject.hip_height * (1 - 0.1 * angle)
    fall, side = (direction, 0.0) if direction else (0.0, 1.0)
    pose.lean = pose.lean + fall * tilt
    pose.roll = side * tilt
    pose.thigh = pair(-fall * tilt + 0.5 * buckle)
    pose.knee = pair(np.maximum(buckle, 0.05))
    pose.leg_spread = pair(-side * tilt, side * tilt)
    pose.pelvis[:, 0] += fall * length * np.sin(tilt)
    pose.pelvis[:, 1] += side * length * np.sin(tilt)
    pose.pelvis[:, 2] = np.maximum(length * np.cos(tilt), 0.12)
    reach = rng.uniform(30, 110) * DEG * angle
    pose.arm = pair(reach, reach * rng.uniform(0.5, 1.0))
    pose.forearm = pose.arm + 20 * DEG
    return pose


def picking_up(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Bending down to the floor and up again, more from the back or more from the knees."""
    start, down = rng.uniform(0, 0.9), rng.uniform(0.7, 1.2)
    hold, up = rng.uniform(0.1, 0.5), rng.uniform(0.7, 1.3)
    bent = start + down
    knots = [(start, 0), (bent, 1), (bent + hold, 1), (bent + hold + up, 0)]
    progress = moves(t, knots)
    pose = standing(rng, subject, t, rng.uniform(0.1, 0.42) * progress)
    pose.lean = pose.lean + rng.uniform(50, 95) * DEG * progress
    pose.pelvis[:, 0] -= 0.16 * progress
    reach = rng.uniform(60, 100) * DEG * progress
    pose.arm[int(rng.integers(2))] += reach
    pose.forearm = pose.arm + 10 * DEG
    return pose


def turning(rng: Rng, subject: Subject, t: np.ndarray) -> Pose:
    """Turning on the spot with small steps."""
    pose = standing(rng, subject, t, 0.01)
    start = rng.uniform(0, 0.8)
    turn = rng.choice([-1, 1]) * rng.uniform(90, 300) * DEG
    pose.heading = moves(t, [(start, 0), (start + rng.uniform(1.2, 2.2), turn)])
    phase = cycle(rng, t, rng.uniform(0.8, 1.3))
    moving = np.gradient(pose.heading, t)
    step = np.minimum(np.abs(moving), 1.5) / 1.5
    legs = pair(phase, phase + np.pi)
    lift = np.maximum(np.sin(legs), 0) * step
    pose.thigh = pose.thigh + 18 * DEG * lift
    pose.knee = pose.knee + 32 * DEG * lift
    # The body turns about a point between the feet, not about its own axis.
    pose.pelvis[:, 1] += HALF_HIP * subject.stature * step * np.sin(phase)
    return pose


# The empty room (5 %) has no body: see dataset.py.
OTHER: list[tuple[Motion | None, float]] = [
    (walking, 0.26),
    (boxing, 0.14),
    (sitting, 0.14),
    (still, 0.12),
    (falling, 0.12),
    (picking_up, 0.12),
    (turning, 0.05),
    (None, 0.05),
]
