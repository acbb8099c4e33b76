// Air, light and leaves of a canopy hour as BEPS has them: what stays the same over its passes (E1, E4, E5, E13-E17,
// E22-E25, E29). One hour needs many passes: nothing here is tuned, and nothing depends on the robust kernel.
#include "leaf_compat-inl.hpp"
#include "rows-inl.hpp"

namespace gppcore::GPPCORE_ISA {

using D4 = Classes<D, 4>;  // leaf classes: sunlit and shaded overstory, sunlit and shaded understory

GPPCORE_INLINE D4 by_layer(D overstory, D understory) { return {{overstory, overstory, understory, understory}}; }

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
  const D es = 0.61078 * exp(17.3 * tair / (237.3 + tair)), e = maximum(es - 1e-3 * vpd, 0.01 * es);
  const D from_zero = tair + 237.3, tk = tair + constants::zero_celsius, tk2 = tk * tk, black = 5.67e-8 * (tk2 * tk2);
  k.tair = tair;
  k.deficit = es - e;
  k.slope = 2503.0 / (from_zero * from_zero) * exp(17.27 * tair / from_zero);
  k.heat_capacity = (1.292 * 1004.65) * (1.0 + (0.84 * 0.622) * e / (101.35 - 0.378 * e));
  const D emissivity = 1.0 - exp(-1.0 * exp((1.0 / 1200.0) * tk * log(10.0 * e)));
  k.longwave_air = clamp(emissivity, 0.7, 1.0) * black;
  k.longwave_ground = 0.96 * black;
  const D cold = tk + kWarmBias;
  const D unsaturation = exp(6790.4985 / cold + 5.02808 * log(cold) - 54.8781919);  // 1 / e_sat
  k.humidity_air = 10.0 * e * unsaturation;
  k.humidity_flux = (1.0 / 0.2165) * cold * unsaturation;
  k.per_co2 = cold * (constants::h2o_to_co2 * 0.022624 / (273.16 * 1.013));
}

// E22, as a flux.
GPPCORE_INLINE D diffuse_light(const D* x, bool clearness, D mu) {
  const D sw = x[kSw];
  if (!clearness) return x[kDiffuseFraction] * sw;
  const D kt = where_less(x[kCosZenith], splat<D>(0.001), splat<D>(0.0), sw / (1367.0 * mu));
  const D share = 0.943 + kt * (0.734 + kt * (-4.9 + kt * (1.796 + kt * 2.058)));
  return clamp(where_less(splat<D>(0.8), kt, splat<D>(0.13), share), 0.0, 1.0) * sw;
}

// E4, E14, E16, E17, E23: leaf areas and absorbed shortwave.
GPPCORE_INLINE void set_light(const D* x, bool clearness, const TwoLeafParameters& p, D mu, D lai, CompatCanopy& k) {
  const D zero = splat<D>(0.0), few = splat<D>(0.01), clumping = x[kClumping];
  const D abundant = 1.18 * exp(-0.99 * lai), lu = p.understory ? where_less(lai, abundant, few, abundant) : few;
  const D plant_over = lai + p.stem_area_overstory, plant_under = lu + p.stem_area_understory;
  const D kb = 0.5 * clumping / mu, kd_over = -0.5 * clumping / (0.537 + 0.025 * lai);
  const D kd_under = -0.5 * clumping / (0.537 + 0.025 * lu);
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
  const D scatter = beam * exp(-1.0 * mu), sunbeam = minimum(0.5 * beam / mu, splat<D>(0.7 * 1362.0));
  const D shade_over =
      diffuse * (1.0 - exp(kd_over * plant_over)) / plant_over + 0.07 * scatter * (1.1 - 0.1 * plant_over);
  const D shade_under = diffuse * k.trans_over * (1.0 - exp(kd_under * plant_under)) / plant_under +
                        0.05 * scatter * exp(zero - kb * lai) * (1.1 - 0.1 * plant_under);
  k.absorbed = D4{{sunbeam + shade_over, shade_over, sunbeam + shade_under, shade_under}} * (1.0 - p.albedo);
}

// E15, E19: boundary layers of leaves, and what stability does not change of the air above.
GPPCORE_INLINE void set_wind(const D* x, const TwoLeafParameters& p, const Site& site, D lai, CompatCanopy& k) {
  const D tair = x[kTair], plant = lai + p.stem_area_overstory;
  const double depth = 1.0 - p.height_understory / p.height_overstory;
  k.calm = where_less(splat<D>(0.0), x[kWind], splat<D>(0.0), splat<D>(1.0));
  const D friction = at_least(x[kWind], 0.05) * (0.4 / site.profile);
  k.per_friction = 1.0 / friction;
  k.to_length = (-0.4 * 9.8 / (1.225 * 1010.0)) / ((tair + 273.3) * (friction * friction * friction));
  const D top = friction * (1.1 / 0.4), root = sqrt(plant), decay = 0.1 + root * sqrt(root);
  const D decay_over = (0.167 + 0.179 * top) * exp((1.0 / 3.0) * log(plant * x[kClumping]));
  const D per_nu = 1e5 / (13.3 + 0.07 * tair), per_diffusivity = 0.05e6 / (18.9 + 0.07 * tair);
  const auto resistance = [&](D wind) { return at_most(per_diffusivity / sqrt(wind * per_nu), 40.0); };
  const D rb_over = resistance(top * exp(-0.2 * decay_over));
  const D rb_under = resistance(top * exp(decay * (0.8 * p.height_understory / p.height_overstory - 1.0)));
  const D4 still = splat<D4>(200.0);
  k.rb = where_less(splat<D4>(0.0), every<4>(k.calm), still, by_layer(rb_over, rb_under));
  k.r = k.rb * k.per_co2;
  k.gb = 1.0 / k.r;
  k.ra_under = (exp(depth * decay) - 1.0) / (decay * (0.41 * 0.2 * friction));
}

// E5 at the leaf area as it is, E24.
GPPCORE_INLINE void set_leaves(const D* x, const TwoLeafParameters& p, D mu, CompatCanopy& k) {
  constexpr double kn = constants::nitrogen_decay;
  const D lai = at_least(x[kLai], 1e-3), kb = 0.5 * x[kClumping] / mu;
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
  const D mu = at_least(x[kCosZenith], 1e-9), lai = at_least(x[kLai], 0.1);
  set_air(x[kTair], x[kVpd], k);
  set_light(x, clearness, p, mu, lai, k);
  set_wind(x, p, site, lai, k);
  set_leaves(x, p, mu, k);
}

}  // namespace gppcore::GPPCORE_ISA
