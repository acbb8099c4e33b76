// Air, light and leaves of a canopy hour as BEPS has them: what stays the same over its passes (E1, E4, E5, E13-E17,
// E22-E25, E29). One hour needs many passes: nothing here is tuned, and nothing depends on the robust kernel.
#include "leaf_compat-inl.hpp"
#include "rows-inl.hpp"

namespace gppcore::GPPCORE_ISA {

using D4 = Classes<D, 4>;  // leaf classes: sunlit and shaded overstory, sunlit and shaded understory

GPPCORE_INLINE D4 by_layer(D overstory, D understory) { return {{overstory, overstory, understory, understory}}; }

// Resistance of the air in calm, s m-1; least LAI of the nitrogen profile.
constexpr double kStillResistance = 200.0, kThinLai = 1e-3;

struct CompatCanopy {
  D4 absorbed, area, rb, gb, r;  // W m-2 leaf; m2 m-2; s m-1; boundary layer for CO2, mol m-2 s-1, and 1 / gb
  CompatLeaves<4> leaves;
  D tair, deficit, slope, heat_capacity, longwave_air, longwave_ground;  // E13
  D trans_over, trans_under;                                             // E14
  D per_plant_over, per_plant_under, sun_share_over, sun_share_under;    // 1 / plant area; its sunlit share
  D plant_sun_over, plant_shade_over;
  D calm, per_friction, to_length, ra_under;                // E19
  D humidity_air, humidity_flux, stomata, b0, per_co2, ca;  // E25 and Ball-Berry
};

// E1, E13, and E25 but for the latent heat.
GPPCORE_INLINE void set_air(D tair, D vpd, CompatCanopy& k) {
  const D es = constants::saturation_pressure *
               exp(constants::saturation_slope * tair / (constants::saturation_offset + tair)),
          e = maximum(es - 1e-3 * vpd, constants::least_humidity * es);
  const D from_zero = tair + constants::saturation_offset, tk = tair + constants::zero_celsius, tk2 = tk * tk,
          black = constants::stefan_boltzmann * (tk2 * tk2);
  k.tair = tair;
  k.deficit = es - e;
  k.slope = constants::derivative_scale / (from_zero * from_zero) * exp(constants::derivative_slope * tair / from_zero);
  k.heat_capacity = (constants::air_density * constants::air_heat) *
                    (1.0 + (constants::vapour_heat * constants::vapour_mass) * e /
                               (constants::air_pressure - (1.0 - constants::vapour_mass) * e));
  const D emissivity = 1.0 - exp(-1.0 * exp((1.0 / constants::emissivity_scale) * tk * log(10.0 * e)));
  k.longwave_air = clamp(emissivity, constants::least_emissivity, 1.0) * black;
  k.longwave_ground = constants::ground_emissivity * black;
  const D cold = tk + kWarmBias;
  const D unsaturation =
      exp(constants::saturation_b / cold + constants::saturation_c * log(cold) - constants::saturation_a);  // 1 / e_sat
  k.humidity_air = 10.0 * e * unsaturation;
  k.humidity_flux = (1.0 / constants::vapour_density) * cold * unsaturation;
  k.per_co2 = cold * (constants::h2o_to_co2 * constants::molar_volume /
                      (constants::molar_temperature * constants::air_pressure_bar));
}

// E22, as a flux.
GPPCORE_INLINE D diffuse_light(const D* x, bool clearness, D mu) {
  const D sw = x[kSw];
  if (!clearness) return x[kDiffuseFraction] * sw;
  const D kt =
      where_less(x[kCosZenith], splat<D>(constants::low_sun), splat<D>(0.0), sw / (constants::solar_constant * mu));
  const D share = diffuse_polynomial(kt);
  return clamp(where_less(splat<D>(constants::clear_clearness), kt, splat<D>(constants::clear_diffuse), share), 0.0,
               1.0) *
         sw;
}

// E4, E14, E16, E17, E23: leaf areas and absorbed shortwave.
GPPCORE_INLINE void set_light(const D* x, bool clearness, const TwoLeafParameters& p, D mu, D lai, CompatCanopy& k) {
  const D zero = splat<D>(0.0), few = splat<D>(constants::absent_understory), clumping = x[kClumping];
  const D abundant = constants::understory_scale * exp(-constants::understory_decay * lai),
          lu = p.understory ? where_less(lai, abundant, few, abundant) : few;
  const D plant_over = lai + p.stem_area_overstory, plant_under = lu + p.stem_area_understory;
  const D kb = constants::leaf_projection * clumping / mu,
          kd_over =
              -constants::leaf_projection * clumping / (constants::diffuse_path + constants::diffuse_path_slope * lai);
  const D kd_under =
      -constants::leaf_projection * clumping / (constants::diffuse_path + constants::diffuse_path_slope * lu);
  const auto sunlit = [&](D area) { return 2.0 * mu * (1.0 - exp(zero - kb * area)); };
  const D sun_over = sunlit(lai), sun_under = sunlit(lai + lu) - sun_over;
  k.area = {{sun_over, maximum(lai - sun_over, zero), sun_under, maximum(lu - sun_under, zero)}};
  k.plant_sun_over = sunlit(plant_over);
  const D plant_sun_under = sunlit(plant_over + plant_under) - k.plant_sun_over;
  k.plant_shade_over = maximum(plant_over - k.plant_sun_over, zero);
  k.per_plant_over = 1.0 / (k.plant_sun_over + k.plant_shade_over);
  k.per_plant_under = 1.0 / (plant_sun_under + maximum(plant_under - plant_sun_under, zero));
  k.sun_share_over = k.plant_sun_over * k.per_plant_over;
  k.sun_share_under = plant_sun_under * k.per_plant_under;
  k.trans_over = exp(kd_over * lai);
  k.trans_under = exp(kd_under * lu);

  const D diffuse = diffuse_light(x, clearness, mu), beam = x[kSw] - diffuse;
  const D scatter = beam * exp(-1.0 * mu), sunbeam = minimum(constants::leaf_projection * beam / mu,
                                                             splat<D>(constants::beam_share * constants::beam_limit));
  const D shade_over =
      diffuse * (1.0 - exp(kd_over * plant_over)) / plant_over +
      constants::scatter_over * scatter * (constants::scatter_offset - constants::scatter_slope * plant_over);
  const D shade_under = diffuse * k.trans_over * (1.0 - exp(kd_under * plant_under)) / plant_under +
                        constants::scatter_under * scatter * exp(zero - kb * lai) *
                            (constants::scatter_offset - constants::scatter_slope * plant_under);
  k.absorbed = D4{{sunbeam + shade_over, shade_over, sunbeam + shade_under, shade_under}} * (1.0 - p.albedo);
}

// E15, E19: boundary layers of leaves, and what stability does not change of the air above.
GPPCORE_INLINE void set_wind(const D* x, const TwoLeafParameters& p, const Site& site, D lai, CompatCanopy& k) {
  const D tair = x[kTair], plant = lai + p.stem_area_overstory;
  const double depth = 1.0 - p.height_understory / p.height_overstory;
  k.calm = where_less(splat<D>(0.0), x[kWind], splat<D>(0.0), splat<D>(1.0));
  const D friction = at_least(x[kWind], constants::least_wind) * (constants::von_karman / site.profile);
  k.per_friction = 1.0 / friction;
  k.to_length =
      (-constants::von_karman * constants::gravity / (constants::stability_density * constants::stability_heat)) /
      ((tair + constants::stability_zero) * (friction * friction * friction));
  const D top = friction * (constants::canopy_top_wind / constants::von_karman), root = sqrt(plant),
          decay = constants::understory_decay_offset + root * sqrt(root);
  const D decay_over =
      (constants::wind_decay + constants::wind_decay_slope * top) * exp((1.0 / 3.0) * log(plant * x[kClumping]));
  const D per_nu = (1e6 * constants::leaf_size) / (constants::viscosity + constants::viscosity_slope * tair),
          per_diffusivity =
              (1e6 * constants::leaf_boundary) / (constants::diffusivity + constants::diffusivity_slope * tair);
  const auto resistance = [&](D wind) {
    return at_most(per_diffusivity / sqrt(wind * per_nu), constants::largest_leaf_resistance);
  };
  const D rb_over = resistance(top * exp(-constants::overstory_depth * decay_over));
  const D rb_under =
      resistance(top * exp(decay * (constants::displacement * p.height_understory / p.height_overstory - 1.0)));
  const D4 still = splat<D4>(kStillResistance);
  k.rb = where_less(splat<D4>(0.0), every<4>(k.calm), still, by_layer(rb_over, rb_under));
  k.r = k.rb * k.per_co2;
  k.gb = 1.0 / k.r;
  k.ra_under =
      (exp(depth * decay) - 1.0) / (decay * (constants::von_karman_canopy * constants::canopy_diffusion * friction));
}

// E5 at the leaf area as it is, E24.
GPPCORE_INLINE void set_leaves(const D* x, const TwoLeafParameters& p, D mu, CompatCanopy& k) {
  constexpr double kn = constants::nitrogen_decay;
  const D lai = at_least(x[kLai], kThinLai), kb = constants::leaf_projection * x[kClumping] / mu;
  const D through = exp(splat<D>(0.0) - kb * lai), nitrogen = exp(-kn * lai), a1 = 1.0 - through;
  const D a2 = (1.0 - nitrogen) * (1.0 / kn), a3 = (1.0 - through * nitrogen) / (kb + kn);
  const D sun = x[kVcmax25] * (kb * a3 / a1), shade = x[kVcmax25] * ((a2 - a3) / (lai - a1 / kb));
  k.leaves = compat_leaves(x[kTair], D4{{sun, shade, sun, shade}}, constants::ppfd_per_shortwave * k.absorbed);
  k.stomata = x[kG1] * x[kSoilWaterStress] * (1.0 / constants::h2o_to_co2);
  k.b0 = splat<D>(p.g0 / constants::h2o_to_co2);
  k.ca = x[kCa];
}

// E29 for the inputs x of hours that are lit; clearness: no diffuse fraction is given. Cosines below 1e-9, which have
// no light, would overflow.
inline void set_canopy(const D* x, bool clearness, const TwoLeafParameters& p, const Site& site, CompatCanopy& k) {
  const D mu = at_least(x[kCosZenith], 1e-9), lai = at_least(x[kLai], constants::min_lai);
  set_air(x[kTair], x[kVpd], k);
  set_light(x, clearness, p, mu, lai, k);
  set_wind(x, p, site, lai, k);
  set_leaves(x, p, mu, k);
}

}  // namespace gppcore::GPPCORE_ISA
