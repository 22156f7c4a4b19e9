"""Where the numbers of real hitters lie, in two stages, by metric.

Outside `Range.usual` a value is shown, marked as unusual and still counted. Outside
`Range.plausible` it is shown and left out of averages: more likely a fault of the
recording than a swing.

Sources. Peaks, rotations, bends, body speed, bat speed and attack angle: own summary
of 673 published swings of 98 hitters from high school to independent leagues
(OpenBiomechanics Project, drivelineresearch/openbiomechanics, `baseball_hitting`);
`usual` holds at least their middle 99 %, moved where our definition reads differently
(shoulder line for thorax, twist for thorax angle). Youth: Escamilla et al. 2009 (J Appl
Biomech 25:210-218). Men: Welch et al. 1995 (JOSPT 22:193-201). Tilt and bat speed of
major-league hitters: Statcast. Times, travel, momentum and energy, of which nothing is
published for hitters: own limits, wide around real and modeled swings. Lower limits of
speeds, momenta and energies stay low, because children and softball players are slower,
and that is no fault.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Two stages of one metric, in its unit.

    Attributes
    ----------
    usual, plausible : (float, float)
        Least and most, both included.
    """

    usual: tuple[float, float]
    plausible: tuple[float, float]


_SPEEDS = {
    "peak_pelvis_omega": Range((250, 930), (180, 1050)),
    "peak_torso_omega": Range((320, 1300), (230, 1450)),
    "peak_lead_arm_omega": Range((400, 1600), (280, 1850)),
    "peak_lead_forearm_omega": Range((450, 2000), (320, 2400)),
    "peak_bat_omega": Range((900, 3200), (600, 3500)),
    "peak_hand_speed": Range((3, 12.5), (2.5, 14)),
    "peak_hand_speed_lead": Range((3, 13), (2.5, 14.5)),
    "peak_hand_speed_rear": Range((3, 13.5), (2.5, 15)),
    "bat_speed_max": Range((9, 38), (6, 42)),
    "bat_speed_ref": Range((9, 38), (6, 42)),
    "com_speed_max": Range((0.3, 2), (0.1, 3)),
    "lead_knee_ext_rate": Range((0, 750), (-50, 1100)),
}
_RATIOS = {
    "gain_torso_pelvis": Range((0.95, 1.8), (0.7, 2.4)),
    "gain_arm_torso": Range((0.8, 1.8), (0.6, 2.4)),
    "gain_bat_torso": Range((1.8, 3.6), (1.3, 4.6)),
    "decel_pelvis": Range((0, 110), (-10, 160)),
}
# Before the reference, which may be contact or, some 20 to 60 ms earlier, peak hand
# speed.
_TIMES = {
    "t_peak_pelvis": Range((-10, 170), (-80, 300)),
    "t_peak_torso": Range((-20, 130), (-80, 250)),
    "t_peak_lead_arm": Range((-30, 110), (-80, 220)),
    "t_peak_lead_forearm": Range((-30, 100), (-80, 200)),
    "t_peak_bat": Range((-15, 50), (-40, 90)),
    "t_peak_hand": Range((0, 90), (-30, 150)),
    "t_x_factor_max": Range((0, 300), (-10, 900)),
    "gap_pelvis_torso": Range((-20, 70), (-80, 150)),
    "gap_torso_arm": Range((-30, 70), (-80, 150)),
    "gap_arm_bat": Range((-20, 80), (-60, 150)),
    "time_to_ref": Range((120, 420), (60, 750)),
    "tempo_load_fd": Range((0, 800), (-200, 1300)),
    "tempo_fd_ref": Range((60, 450), (20, 700)),
}
_ANGLES = {
    "pelvis_rot_fd": Range((-50, 65), (-80, 100)),
    "pelvis_rot_ref": Range((45, 135), (10, 165)),
    "torso_rot_fd": Range((-55, 60), (-85, 100)),
    "torso_rot_ref": Range((30, 135), (0, 165)),
    "pelvis_turn_fd_ref": Range((20, 145), (0, 185)),
    "torso_turn_fd_ref": Range((30, 150), (5, 190)),
    # Real swings 6 to 9 degrees; beyond 45 the axis is not believed.
    "stride_direction": Range((-30, 30), (-45, 45)),
    "x_factor_fd": Range((-20, 50), (-40, 65)),
    "x_factor_ref": Range((-30, 45), (-50, 60)),
    "x_factor_max": Range((4, 58), (-8, 70)),
    "x_factor_stretch": Range((0, 40), (0, 55)),
    "lead_knee_flex_fd": Range((10, 85), (-5, 125)),
    "lead_knee_flex_ref": Range((-5, 80), (-10, 125)),
    "lead_knee_ext": Range((-25, 60), (-50, 95)),
    "rear_elbow_flex_fd": Range((60, 150), (15, 165)),
    "side_bend_ref": Range((0, 55), (-20, 70)),
    "side_bend_max": Range((5, 60), (-10, 75)),
    "fwd_bend_fd": Range((-8, 50), (-25, 70)),
    "fwd_bend_ref": Range((-35, 45), (-55, 65)),
    "attack_angle": Range((-16, 25), (-30, 40)),
    "attack_direction": Range((-40, 40), (-70, 70)),
    "swing_tilt": Range((10, 65), (0, 82)),
    "vertical_bat_angle": Range((-60, 5), (-85, 30)),
    "bat_torso_fm": Range((70, 160), (40, 175)),
    "bat_torso_ref": Range((60, 115), (35, 140)),
}
_LENGTHS = {
    "stride_spread_pct": Range((20, 65), (8, 85)),
    "stride_spread_leg": Range((40, 135), (15, 175)),
    "stride_travel_pct": Range((0, 50), (0, 80)),
    "head_fwd": Range((-0.1, 0.32), (-0.25, 0.5)),
    "head_drop": Range((-0.08, 0.2), (-0.2, 0.35)),
    "head_excursion": Range((0, 0.45), (0, 0.8)),
    "pelvis_fwd": Range((-0.05, 0.6), (-0.25, 0.9)),
    "pelvis_fwd_fd_ref": Range((-0.06, 0.3), (-0.2, 0.5)),
    "bat_path_length": Range((1, 3.6), (0.5, 5)),
    "contact_depth_hip": Range((-0.35, 1.1), (-0.8, 1.6)),
    "contact_depth_com": Range((-0.15, 1.3), (-0.6, 1.8)),
}
_MOMENTA = {
    "peak_L_pelvis": Range((0.1, 12), (0.02, 30)),
    "peak_L_torso": Range((0.3, 30), (0.05, 60)),
    "peak_L_arms": Range((0.3, 35), (0.05, 60)),
    # A vendor may deliver the bat's spin alone, which is a tenth of the whole.
    "peak_L_bat": Range((0.4, 35), (0.1, 45)),
    "t_peak_L_pelvis": Range((-20, 200), (-80, 400)),
    "t_peak_L_torso": Range((-30, 130), (-80, 300)),
    "t_peak_L_arms": Range((-30, 110), (-80, 250)),
    "t_peak_L_bat": Range((-30, 60), (-60, 150)),
    "L_ratio_torso_pelvis": Range((0.5, 15), (0.1, 60)),
    "L_ratio_arms_torso": Range((0.3, 6), (0.05, 30)),
    "L_ratio_bat_arms": Range((0.1, 6), (0.02, 30)),
}
_ENERGIES = {
    "peak_KE_lower": Range((5, 350), (1, 800)),
    "peak_KE_torso": Range((5, 350), (1, 800)),
    "peak_KE_arms": Range((10, 400), (2, 800)),
    "peak_KE_bat": Range((30, 480), (8, 600)),
    "peak_KE_total": Range((50, 1300), (15, 2000)),
    "t_peak_KE_lower": Range((-20, 250), (-80, 500)),
    "t_peak_KE_torso": Range((-30, 150), (-80, 300)),
    "t_peak_KE_arms": Range((-30, 110), (-80, 250)),
    "t_peak_KE_bat": Range((-20, 50), (-50, 120)),
    "t_peak_KE_total": Range((-20, 80), (-60, 250)),
    "KE_ratio_arms_torso": Range((0.3, 10), (0.05, 40)),
    "KE_ratio_bat_arms": Range((0.3, 8), (0.05, 40)),
    "KE_rate_max_lower": Range((30, 4000), (5, 15000)),
    "KE_rate_max_torso": Range((50, 6000), (10, 20000)),
    "KE_rate_max_arms": Range((100, 10000), (20, 30000)),
    "KE_rate_max_bat": Range((300, 16000), (50, 40000)),
    "KE_rate_max_total": Range((300, 25000), (50, 60000)),
    "KE_lower_drop": Range((0, 98), (0, 100)),
    "KE_per_kg_lower": Range((0.1, 5), (0.02, 12)),
    "KE_per_kg_torso": Range((0.1, 5), (0.02, 12)),
    "KE_per_kg_arms": Range((0.2, 6), (0.04, 15)),
    "KE_per_kg_total": Range((1, 18), (0.3, 30)),
}
RANGES: dict[str, Range] = {
    **_SPEEDS,
    **_RATIOS,
    **_TIMES,
    **_ANGLES,
    **_LENGTHS,
    **_MOMENTA,
    **_ENERGIES,
}
"""By metric; one that is no longer measured has none."""


def within(value: float, limits: tuple[float, float] | None) -> bool:
    """Return whether a value lies in a range, its ends included, or there is none."""
    return limits is None or limits[0] <= value <= limits[1]


def in_words(limits: tuple[float, float] | None, unit: str) -> str:
    """Return a range as ``4 to 58 deg``."""
    return "" if limits is None else f"{limits[0]:g} to {limits[1]:g} {unit}"
