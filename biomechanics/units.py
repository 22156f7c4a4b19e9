"""Factors between units: the library works in SI; mph and feet are for readers.

Stored values: speeds m/s, lengths m, durations ms, angles deg, turn rates
deg/s, energies J, angular momenta kg·m²/s, ratios and shares without or in %.
A page that shows mph or feet converts here and nowhere else.

The factors are exact by definition (NIST SP 811, appendix B.8): 1 in = 25.4 mm,
1 mile = 1609.344 m, 1 lb = 0.45359237 kg.
"""

import math

DEG_PER_RAD = 180.0 / math.pi
MPH_PER_M_PER_S = 3600.0 / 1609.344
M_PER_IN = 0.0254
M_PER_FT = 0.3048
KG_PER_LB = 0.45359237
MS_PER_S = 1000.0


def ft_to_m(length_ft: float) -> float:
    """Return a length in meters, given in feet."""
    return length_ft * M_PER_FT


def lb_to_kg(mass_lb: float) -> float:
    """Return a mass in kilograms, given in pounds."""
    return mass_lb * KG_PER_LB
