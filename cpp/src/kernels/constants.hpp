// Made by `python -m gppcore.constants` from src/gppcore/constants.py, where units and sources stand.
#pragma once

namespace gppcore::constants {

constexpr double gas_constant = 8.314;
constexpr double zero_celsius = 273.15;
constexpr double reference_temperature = 298.16;
constexpr double kc25 = 274.6;
constexpr double kc_energy = 80500.0;
constexpr double ko25 = 419.8;
constexpr double ko_energy = 14500.0;
constexpr double oxygen = 210.0;
constexpr double tau25 = 2904.12;
constexpr double tau_energy = -29000.0;
constexpr double rd_energy = 38000.0;
constexpr double rd_to_vcmax = 0.004657;
constexpr double rd_light_share = 0.4;
constexpr double rd_light_ppfd = 10.0;
constexpr double peak_energy = 55000.0;
constexpr double peak_deactivation = 200000.0;
constexpr double peak_temperature = 301.0;
constexpr double jmax_slope = 2.39;
constexpr double jmax_offset = -14.2;
constexpr double jmax_saturation = 2.1;
constexpr double sink_limit = 0.5;
constexpr double ppfd_per_shortwave = 2.275;
constexpr double nitrogen_decay = 0.3;
constexpr double h2o_to_co2 = 1.6;
constexpr double c4_quantum_yield = 0.05;
constexpr double c4_pep_slope = 0.02;
constexpr double c4_q10 = 2.0;
constexpr double c4_rd_to_vcmax = 0.025;
constexpr double c4_theta = 0.8;
constexpr double c4_beta = 0.95;

}  // namespace gppcore::constants
