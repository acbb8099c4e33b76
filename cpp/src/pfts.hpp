// Made by `python -m gppcore.constants pfts` from src/gppcore/constants, where units and sources stand.
#pragma once

namespace gppcore {

struct Pft {
  const char* name;
  double vcmax25;
  double clumping;
  double g1;
  double g0;
  double albedo;
  double height_overstory;
  double height_understory;
  double stem_area_overstory;
  double stem_area_understory;
  double psi_min;
  double psi_exponent;
  bool understory, c4;
};

constexpr Pft kPfts[] = {
    {"enf", 62.5, 0.62, 8.0, 0.0175, 0.1325, 20.0, 3.0, 0.9, 0.48, 33.0, 0.4, true, false},
    {"ebf", 41.0, 0.63, 8.0, 0.0175, 0.145, 23.0, 3.0, 0.9, 0.48, 10.0, 1.5, true, false},
    {"dnf", 39.1, 0.68, 8.0, 0.0175, 0.1325, 20.0, 3.0, 0.9, 0.48, 33.0, 0.4, true, false},
    {"dbf", 57.7, 0.7, 8.0, 0.0175, 0.145, 23.0, 3.0, 0.9, 0.48, 10.0, 1.5, true, false},
    {"mf", 60.1, 0.66, 8.0, 0.0175, 0.145, 23.0, 3.0, 0.9, 0.48, 10.0, 1.5, true, false},
    {"shrub", 57.85, 0.7, 8.0, 0.0175, 0.1625, 4.0, 0.0, 0.66, 0.002, 33.0, 0.4, true, false},
    {"grass", 78.2, 0.8, 8.0, 0.0175, 0.1775, 4.0, 0.1, 0.9, 0.002, 33.0, 0.4, false, false},
    {"crop", 100.7, 0.8, 8.0, 0.0175, 0.1775, 4.0, 0.1, 0.9, 0.002, 33.0, 0.4, false, false},
    {"grass_c4", 36.0, 0.73, 4.0, 0.04, 0.1775, 4.0, 0.1, 0.9, 0.002, 33.0, 0.4, false, true},
    {"crop_c4", 36.0, 0.73, 4.0, 0.04, 0.1775, 4.0, 0.1, 0.9, 0.002, 33.0, 0.4, false, true},
};

}  // namespace gppcore
