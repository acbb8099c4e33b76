// Made by `python -m gppcore.variables header` from src/gppcore/variables.py.
#pragma once

namespace gppcore {

// Name, unit, valid range, and the unit that it is often given in with the range of a field's maximum there.
struct Variable {
  const char *name, *unit;
  double low, high;
  const char* look_alike;
  double look_alike_low, look_alike_high;
};

constexpr Variable kVariables[] = {
    {"apar", "umol m-2 s-1", 0, 3500, nullptr, 0, 0},
    {"boundary_conductance", "mol m-2 s-1", 0.001, 20, nullptr, 0, 0},
    {"burned_fraction", "1", 0, 1, nullptr, 0, 0},
    {"c4_fraction", "1", 0, 1, nullptr, 0, 0},
    {"ca", "umol mol-1", 50, 2000, nullptr, 0, 0},
    {"ci_guess", "umol mol-1", 0, 2000, nullptr, 0, 0},
    {"clumping", "1", 0.10000000000000001, 1, nullptr, 0, 0},
    {"conductance", "mol m-2 s-1", 0, 20, nullptr, 0, 0},
    {"cos_zenith", "1", -1, 1, nullptr, 0, 0},
    {"dewpoint", "degC", -90, 45, "K", 150, 320},
    {"diffuse_fraction", "1", 0, 1, nullptr, 0, 0},
    {"elevation", "m", -500, 9000, nullptr, 0, 0},
    {"elevation_coarse", "m", -500, 9000, nullptr, 0, 0},
    {"fpar", "1", 0, 1, nullptr, 0, 0},
    {"fraction_wetland", "1", 0, 1, nullptr, 0, 0},
    {"g0", "mol m-2 s-1", 0, 1, nullptr, 0, 0},
    {"g1", "1", 0, 30, nullptr, 0, 0},
    {"gpp", "umol m-2 s-1", 0, 150, nullptr, 0, 0},
    {"gpp_daily", "g m-2 d-1", 0, 60, nullptr, 0, 0},
    {"gpp_daily_high", "g m-2 d-1", 0, 60, nullptr, 0, 0},
    {"gpp_daily_low", "g m-2 d-1", 0, 60, nullptr, 0, 0},
    {"humidity", "1", 0, 2, nullptr, 0, 0},
    {"igbp", "1", 0, 16, nullptr, 0, 0},
    {"kn", "1", 0, 5, nullptr, 0, 0},
    {"lai", "m2 m-2", 0, 15, nullptr, 0, 0},
    {"lai_modis", "m2 m-2", 0, 15, nullptr, 0, 0},
    {"lat", "degrees_north", -90, 90, nullptr, 0, 0},
    {"leaf_temperature", "degC", -95, 75, nullptr, 0, 0},
    {"lon", "degrees_east", -180, 360, nullptr, 0, 0},
    {"lst_day", "K", 180, 360, "degC", -90, 85},
    {"lst_night", "K", 180, 340, "degC", -90, 65},
    {"ndvi", "1", -0.29999999999999999, 1, nullptr, 0, 0},
    {"ndvi_max", "1", -0.29999999999999999, 1, nullptr, 0, 0},
    {"ndvi_min", "1", -0.29999999999999999, 1, nullptr, 0, 0},
    {"ndwi", "1", -1, 1, nullptr, 0, 0},
    {"par", "W m-2", 0, 700, nullptr, 0, 0},
    {"par_diffuse", "W m-2", 0, 700, nullptr, 0, 0},
    {"patm", "Pa", 30000, 110000, "hPa", 300, 1100},
    {"pet", "mm d-1", -1, 60, nullptr, 0, 0},
    {"pft_fraction", "1", 0, 1, nullptr, 0, 0},
    {"ppfd", "umol m-2 s-1", 0, 3500, nullptr, 0, 0},
    {"precip", "mm d-1", 0, 2000, "kg m-2 s-1", 9.9999999999999998e-13, 0.002},
    {"precip_3m", "mm d-1", 0, 2000, nullptr, 0, 0},
    {"psi_exponent", "1", 0.050000000000000003, 10, nullptr, 0, 0},
    {"rh", "%", 0, 105, "1", 1.0000000000000001e-09, 1.05},
    {"skin_temperature", "K", 180, 360, "degC", -90, 85},
    {"snow_cover", "%", 0, 100, nullptr, 0, 0},
    {"soil_clay", "%", 0, 100, nullptr, 0, 0},
    {"soil_field_capacity", "%", 0, 100, nullptr, 0, 0},
    {"soil_organic", "5 g kg-1", 0, 250, nullptr, 0, 0},
    {"soil_sand", "%", 0, 100, nullptr, 0, 0},
    {"soil_water", "1", 0, 1, nullptr, 0, 0},
    {"soil_water_stress", "1", 0, 1, nullptr, 0, 0},
    {"specific_humidity", "kg kg-1", 0, 0.059999999999999998, "g kg-1", 0.10000000000000001, 60},
    {"surface_soil_moisture", "m3 m-3", 0, 1, nullptr, 0, 0},
    {"sw", "W m-2", 0, 1500, "MJ m-2 d-1", 1.0000000000000001e-09, 50},
    {"sw_toa", "W m-2", 0, 1500, nullptr, 0, 0},
    {"tair", "degC", -90, 65, "K", 150, 350},
    {"tair_range", "degC", 0, 40, nullptr, 0, 0},
    {"tmax", "degC", -90, 65, "K", 150, 350},
    {"tmin", "degC", -90, 65, "K", 150, 350},
    {"transpiration", "kg m-2 s-1", -0.001, 0.001, nullptr, 0, 0},
    {"vcmax25", "umol m-2 s-1", 0, 400, nullptr, 0, 0},
    {"vcmax25_peak_c3", "umol m-2 s-1", 0, 400, nullptr, 0, 0},
    {"vpd", "Pa", 0, 15000, "hPa or kPa", 1.0000000000000001e-09, 100},
    {"wind", "m s-1", 0, 80, nullptr, 0, 0},
};

}  // namespace gppcore
