// What stays the same over the passes of the energy balance: air, light and leaves of a vector of canopy hours.
// Equation numbers are those of src/gppcore/reference.py, which states the same model in plain scalar form.
#pragma once
#include "leaf_gas_exchange-inl.hpp"
#include "two_leaf.hpp"

namespace gppcore::GPPCORE_ISA {

template <class X>
struct CanopyHour {
  X x[kTwoLeafInputs];
  bool clearness;  // whether the diffuse fraction comes from clearness
};

// Numbers that depend on the plant functional type alone.
struct Site {
  double profile, height, depth_leaf, depth;
};
inline Site site_of(const TwoLeafParameters& p) {
  Site s;
  s.height = 30.0 - 0.8 * p.height_overstory;
  s.profile = log(splat<Lanes<double, 1>>(s.height / (0.08 * p.height_overstory))).v[0][0];
  s.depth_leaf = 1.0 - 0.8 * p.height_understory / p.height_overstory;
  s.depth = 1.0 - p.height_understory / p.height_overstory;
  return s;
}

// Leaf classes: 0 sunlit and 1 shaded overstory, 2 sunlit and 3 shaded understory.
template <class X>
GPPCORE_INLINE Classes<X, 4> layers(const X& overstory, const X& understory) {
  return {{overstory, overstory, understory, understory}};
}
template <class X>
GPPCORE_INLINE Classes<X, 4> lights(const X& sunlit, const X& shaded) {
  return {{sunlit, shaded, sunlit, shaded}};
}

template <class X>
struct Canopy {
  Classes<X, 4> absorbed, area, rb, r, vcmax25, vapour;
  Biochemistry<X, 4> leaf;
  X tair, tk, deficit, slope, heat_capacity, per_gamma;  // E13
  X longwave_air, longwave_ground, trans_over, trans_under;
  X inverse_plant_over, inverse_plant_under, sun_share_over, sun_share_under;
  X plant_sun_over, plant_shade_over;
  X friction_inverse, heat_to_length, ra_under;             // E19
  X humidity_air, humidity_flux, stomata, b0, per_co2, ca;  // E20 and Ball-Berry
};

// exp(-0.03 x) for |x| < 0.7, to 1e-13.
template <class X>
GPPCORE_INLINE X slope_correction(const X& x) {
  const X y = -0.03 * x;
  return 1.0 + y * (1.0 + y * (0.5 + y * ((1.0 / 6.0) + y * ((1.0 / 24.0) + y * (1.0 / 120.0)))));
}

// All of the canopy of an hour. Hours that are not lit get values without meaning. Divisions and logarithms that do not
// wait for each other are done together.
template <class X>
GPPCORE_INLINE void set_canopy(const CanopyHour<X>& h, const TwoLeafParameters& p, const Site& site, Canopy<X>& k) {
  const X mu = at_least(h.x[kCosZenith], 1e-3), lai = at_least(h.x[kLai], 0.1);
  const X tair = h.x[kTair], clumping = h.x[kClumping];
  k.tair = tair;
  k.tk = tair + constants::zero_celsius;
  k.ca = h.x[kCa];
  const X friction = at_least(h.x[kWind], 0.05) * (0.4 / site.profile);
  const X diffusivity = 18.9e-6 + 0.07e-6 * tair, vaporisation = 3149.0 - 2.37 * k.tk;
  const auto inverse =
      reciprocal(Classes<X, 7>{{tair + 237.3, k.tk, tair + 273.3, friction, diffusivity, vaporisation, mu}});
  const X inverse_t = inverse.c[0], inverse_tk = inverse.c[1], inverse_mu = inverse.c[6];
  k.friction_inverse = inverse.c[3];

  // E1, E13: humidity, heat and longwave of the air.
  const X scaled = tair * inverse_t, growth = exp(17.3 * scaled);
  const X es = 0.61078 * growth, e = maximum(es - 1e-3 * h.x[kVpd], 0.01 * es);
  const X plant_over = lai + p.stem_area_overstory;
  const auto logs = log(Classes<X, 3>{{10.0 * e, k.tk, plant_over * clumping}});
  k.deficit = es - e;
  k.slope = 2503.0 * (inverse_t * inverse_t) * (growth * slope_correction(scaled));
  const X tk2 = k.tk * k.tk, black = 5.67e-8 * (tk2 * tk2);
  k.longwave_air = clamp(1.0 - exp(-1.0 * exp((1.0 / 1200.0) * k.tk * logs.c[0])), 0.7, 1.0) * black;
  k.longwave_ground = 0.96 * black;
  const X unsaturation = exp(6790.4985 * inverse_tk + 5.02808 * logs.c[1] - 54.8781919);  // 1 / e_sat, E20
  k.humidity_air = 10.0 * (e * unsaturation);
  k.humidity_flux = (1e-3 / 0.2165) * (k.tk * unsaturation) * inverse.c[5];
  k.per_co2 = k.tk * (constants::h2o_to_co2 * 0.022624 / (273.16 * 1.013));

  // E2-E4, E14: leaf areas and what light they let through.
  const X kb = 0.5 * clumping * inverse_mu, kd = -0.5 * clumping;
  const X w = clamp((lai - 0.4) * 2.0, 0.0, 1.0);
  const X lu = 1.18 * exp(-0.99 * lai) * (w * w * (3.0 - 2.0 * w));
  const X plant_under = lu + p.stem_area_understory;
  const auto thickness = reciprocal(Classes<X, 4>{{plant_over, plant_under, 0.537 + 0.025 * lai, 0.537 + 0.025 * lu}});
  k.inverse_plant_over = thickness.c[0];
  k.inverse_plant_under = thickness.c[1];
  const X kd_over = kd * thickness.c[2], kd_under = kd * thickness.c[3];
  const X through = exp(-1.0 * (kb * lai)), through_stems = through * exp(-p.stem_area_overstory * kb);
  const X through_under = exp(-1.0 * (kb * lu)), through_plant_under = exp(-1.0 * (kb * plant_under));
  const X two_mu = mu + mu, covered = 1.0 - through;
  const X sun_over = two_mu * covered, sun_under = two_mu * (through * (1.0 - through_under));
  k.plant_sun_over = two_mu * (1.0 - through_stems);
  k.plant_shade_over = at_least(plant_over - k.plant_sun_over, 0.0);
  k.sun_share_over = k.plant_sun_over * k.inverse_plant_over;
  k.sun_share_under = two_mu * (through_stems * (1.0 - through_plant_under)) * k.inverse_plant_under;
  // A canopy thinner than 0.1 has the leaves of one of 0.1, but fewer.
  const X thin = at_most(h.x[kLai] * 10.0, 1.0), thin_under = p.understory ? thin : splat<X>(0.0);
  k.area = {{thin * sun_over, thin * at_least(lai - sun_over, 0.0), thin_under * sun_under,
             thin_under * at_least(lu - sun_under, 0.0)}};
  k.trans_over = exp(kd_over * lai);
  k.trans_under = exp(kd_under * lu);

  // E16, E17: absorbed shortwave.
  const X sw = at_least(h.x[kSw], 0.0);
  const X kt = at_most(sw * inverse_mu * (1.0 / 1367.0), 0.7591);
  const X share = h.clearness ? 0.943 + kt * (0.734 + kt * (-4.9 + kt * (1.796 + kt * 2.058))) : h.x[kDiffuseFraction];
  const X diffuse = share * sw, beam = sw - diffuse;
  const X scatter = beam * exp(-1.0 * mu), sunbeam = at_most(0.5 * (beam * inverse_mu), 0.7 * 1362.0);
  const X shade_over = diffuse * (1.0 - exp(kd_over * plant_over)) * k.inverse_plant_over +
                       0.07 * scatter * at_least(1.1 - 0.1 * plant_over, 0.0);
  const X shade_under = diffuse * k.trans_over * (1.0 - exp(kd_under * plant_under)) * k.inverse_plant_under +
                        0.05 * (scatter * through) * at_least(1.1 - 0.1 * plant_under, 0.0);
  k.absorbed = Classes<X, 4>{{sunbeam + shade_over, shade_over, sunbeam + shade_under, shade_under}} * (1.0 - p.albedo);

  // E5, E15, E19: nitrogen, boundary layers of leaves, air between the layers.
  constexpr double kn = constants::nitrogen_decay;
  const X nitrogen = exp(-kn * lai), root = sqrt(plant_over), decay = 0.1 + root * sqrt(root);
  const X k_sum = kb + kn, overlap = kb * lai - covered;
  const auto rest = reciprocal(Classes<X, 5>{{decay, 101.35 - 0.378 * e, k_sum, covered, overlap}});
  k.heat_capacity = (1.292 * 1004.65) * (1.0 + (0.84 * 0.622) * (e * rest.c[1]));
  k.per_gamma = k.heat_capacity * (1.0 / 0.066);
  // C4 leaves hardly feel a lower Ci, so that drought must act on their capacity too (Sellers et al. 1996).
  const X stress = h.x[kSoilWaterStress], g0 = splat<X>(p.g0 / constants::h2o_to_co2);
  const X top = kb * (p.c4 ? h.x[kVcmax25] * stress : h.x[kVcmax25]);
  const X a3 = (1.0 - through * nitrogen) * rest.c[2], a2 = (1.0 - nitrogen) * (1.0 / kn);
  k.vcmax25 = lights(top * a3 * rest.c[3], top * (a2 - a3) * rest.c[4]);
  k.b0 = p.c4 ? g0 * stress : g0;
  k.stomata = h.x[kG1] * stress * (1.0 / constants::h2o_to_co2);
  const X third = exp((1.0 / 3.0) * logs.c[2]), wind_top = friction * (1.1 / 0.4);
  const X viscous = sqrt((13.3 + 0.07 * tair) * k.friction_inverse * (1e-5 * 0.4 / 1.1));  // 10 nu / u_h
  const X resistance = 0.05 * inverse.c[4] * viscous;
  const X rb_over = resistance * exp(0.1 * ((0.167 + 0.179 * wind_top) * third));
  const X rb_under = resistance * exp((0.5 * site.depth_leaf) * decay);
  k.rb = layers(at_most(rb_over, 40.0), at_most(rb_under, 40.0));
  k.r = k.rb * k.per_co2;
  k.ra_under = (exp(site.depth * decay) - 1.0) * k.friction_inverse * (1.0 / (0.41 * 0.2)) * rest.c[0];
  k.heat_to_length =
      (-0.4 * 9.8 / (1.225 * 1010.0)) * (k.friction_inverse * k.friction_inverse) * (k.friction_inverse * inverse.c[2]);

  const Classes<X, 4> ppfd = constants::ppfd_per_shortwave * k.absorbed;
  if (p.leaf_temperature) return;  // then each pass sets the biochemistry
  if (p.c4) {
    set_biochemistry_c4(temperature_c4(tair), k.vcmax25, ppfd, k.leaf);
  } else {
    RatesC3<X, 4, X> rates;
    set_rates_c3(temperature_c3(tair, inverse_tk), k.vcmax25, ppfd, rates);
    set_biochemistry_c3(rates, k.r, k.ca, k.leaf);
  }
}

}  // namespace gppcore::GPPCORE_ISA
