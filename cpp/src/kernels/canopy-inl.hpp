// What stays the same over the passes of the energy balance: air, light and leaves of a vector of canopy hours.
// Equation numbers are those of src/gppcore/process/reference.py, which states the same model in plain scalar form.
//
// Resistances are those for CO2, in m2 s mol-1, and radiation is in units of (heat capacity of air x those): so the
// passes need no factors. Divisions are left where they stand, in pairs at most: the divider works beside the rest.
#pragma once
#include "leaf_gas_exchange-inl.hpp"
#include "two_leaf.hpp"

namespace gppcore::GPPCORE_ISA {

// Numbers are of type X, and of type F where they depend on the weather alone: derivatives by the leaves cost less so.
template <class X, class F = X>
struct CanopyHour {
  const X* leaves;   // inputs from kLai to kG1
  const F* weather;  // the others
  bool clearness;    // whether the diffuse fraction comes from clearness
};

// Numbers that depend on the plant functional type alone.
struct Site {
  double profile, height, depth_leaf, depth;
};
inline Site site_of(const TwoLeafParameters& p) {
  Site s;
  s.height = constants::reference_height - constants::displacement * p.height_overstory;
  s.profile = log(splat<Lanes<double>>(s.height / (constants::roughness * p.height_overstory))).v[0];
  s.depth_leaf = 1.0 - constants::displacement * p.height_understory / p.height_overstory;
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

// Numbers of over- and understory.
template <class X>
struct Layers {
  X over, under;
};
template <class X>
GPPCORE_INLINE Classes<X, 4> layers(const Layers<X>& x) {
  return layers(x.over, x.under);
}

// Classes of a part of the leaves; of all, they are not copied.
template <class X, int N = kBeside<X>>
GPPCORE_INLINE decltype(auto) part_of(const Classes<X, kLeafClasses>& x, int part) {
  if constexpr (N == kLeafClasses) {
    return (x);
  } else {
    Classes<X, N> r;
    for (int i = 0; i < N; ++i) r.c[i] = x.c[part * N + i];
    return r;
  }
}
template <class X, int N = kBeside<X>>
GPPCORE_INLINE Classes<X, N> part_of(const Layers<X>& x, int part) {
  if constexpr (N == kLeafClasses) {
    return layers(x);
  } else {
    return every<N>(part ? x.under : x.over);
  }
}
template <class X, int N>
GPPCORE_INLINE void set_part(Classes<X, kLeafClasses>& to, int part, const Classes<X, N>& x) {
  if constexpr (N == kLeafClasses) {
    to = x;
  } else {
    for (int i = 0; i < N; ++i) to.c[part * N + i] = x.c[i];
  }
}

template <class X, class F = X>
struct Canopy {
  Classes<X, 4> absorbed, area, vcmax25;  // shortwave, W m-2 leaf; leaf area
  Biochemistry<X, kBeside<X>> leaf[kLeafClasses / kBeside<X>];
  F tair, tk, per_co2, heat_capacity;          // per_co2 turns s m-1 into units of r
  F ca;                                        // CO2 of the air
  X b0, stomata;                               // Ball-Berry
  Layers<X> r;                                 // E15: boundary layers
  Classes<X, 4> radiation;                     // E18: without the longwave of leaves,
  Layers<X> longwave_over, longwave_under;     //      and what a layer gets from each layer's T^4
  Layers<X> sun_share;                         // of plant area
  F deficit, slope;                            // E13: over the psychrometric constant
  X humidity_air;                              // E20, times `stomata`: of the air,
  Layers<X> humidity_deficit, humidity_slope;  //      and what transpiration adds to it
  F ra_neutral, ra_stable;                     // E19
  X ra_under, heat_sunlit, heat_shaded;        // E19: from warm leaves to the height over the Obukhov length,
  F heat_most;                                 //      and its bound
};

template <class X, class F>
GPPCORE_INLINE Supply<X, kBeside<X>, F> supply_of(const Canopy<X, F>& k, int part) {
  return {part_of(k.r, part), k.b0, k.ca};
}

// exp(-0.03 x) for |x| < 0.7, to 1e-13; 0.03 is saturation_slope - derivative_slope.
template <class X>
GPPCORE_INLINE X slope_correction(const X& x) {
  const X y = -0.03 * x;
  return 1.0 + y * (1.0 + y * (0.5 + y * ((1.0 / 6.0) + y * ((1.0 / 24.0) + y * (1.0 / 120.0)))));
}

// E1, E13, E20: humidity, heat and emissivity of the air.
template <class F>
struct Air {
  F inverse_tk, emissivity, per_heat;  // per_heat: 1 / (heat capacity x per_co2)
};
template <class X, class F>
GPPCORE_INLINE Air<F> set_air(const CanopyHour<X, F>& h, Canopy<X, F>& k) {
  constexpr double gamma = constants::psychrometer,
                   molar = constants::h2o_to_co2 * constants::molar_volume /
                           (constants::molar_temperature * constants::air_pressure_bar);
  const F tair = h.weather[kTair], tk = tair + constants::zero_celsius;
  const F vaporisation = constants::vaporisation_at_zero / 1000.0 - (constants::vaporisation_slope / 1000.0) * tk;
  const auto inverse = reciprocal(Classes<F, 3>{{tk, vaporisation, tair + constants::saturation_offset}});
  const F inverse_t = inverse.c[2], scaled = tair * inverse_t,
          growth = exp_normal(constants::saturation_slope * scaled);
  const F es = constants::saturation_pressure * growth,
          e = maximum(es - 1e-3 * h.weather[kVpd], constants::least_humidity * es);
  const auto logs = log(Classes<F, 2>{{10.0 * e, tk}});
  const F dry = constants::air_pressure - (1.0 - constants::vapour_mass) * e,
          moist = dry + (constants::vapour_heat * constants::vapour_mass) * e, per_both = reciprocal(dry * moist);
  Air<F> air;
  air.inverse_tk = inverse.c[0];
  air.emissivity = clamp(1.0 - exp_normal(-1.0 * exp_normal((1.0 / constants::emissivity_scale) * tk * logs.c[0])),
                         constants::least_emissivity, 1.0);
  air.per_heat =
      (1.0 / (constants::air_density * constants::air_heat * molar)) * (dry * dry) * (per_both * air.inverse_tk);
  k.tair = tair;
  k.tk = tk;
  k.per_co2 = molar * tk;
  k.heat_capacity = (constants::air_density * constants::air_heat) * (moist * moist) * per_both;
  k.deficit = (1.0 / gamma) * (es - e);
  k.slope = (constants::derivative_scale / gamma) * (inverse_t * inverse_t) * (growth * slope_correction(scaled));
  k.stomata = h.leaves[kG1] * h.leaves[kSoilWaterStress] * (1.0 / constants::h2o_to_co2);
  const X unsaturation = exp_normal(constants::saturation_b * air.inverse_tk + constants::saturation_c * logs.c[1] -
                                    constants::saturation_a) *
                         k.stomata;  // E20
  k.humidity_air = 10.0 * (e * unsaturation);
  const X flux = (1e-3 / constants::vapour_density) * (tk * unsaturation) * (inverse.c[1] * k.heat_capacity);
  k.humidity_deficit.over = flux * k.deficit;  // times r, where that is known
  k.humidity_slope.over = flux * k.slope;
  return air;
}

// E2, E22: diffuse share of shortwave over clearness.
template <class F>
GPPCORE_INLINE F diffuse_polynomial(const F& kt) {
  namespace k = constants;
  return k::diffuse_0 + kt * (k::diffuse_1 + kt * (k::diffuse_2 + kt * (k::diffuse_3 + kt * k::diffuse_4)));
}

// E2-E4, E14, E16-E18: leaf areas, what light they let through and what they absorb, longwave without that of leaves.
template <class X>
struct Light {
  X lai, plant, through, kb, kb_lai;  // of the overstory; kb: extinction of beams
};
template <class X, class F>
GPPCORE_INLINE Light<X> set_light(const CanopyHour<X, F>& h, const TwoLeafParameters& p, const Air<F>& air, X decay,
                                  Canopy<X, F>& k) {
  const F mu = at_least(h.weather[kCosZenith], constants::low_sun), inverse_mu = reciprocal(mu), two_mu = mu + mu;
  const X lai = at_least(h.leaves[kLai], constants::min_lai);
  const X w = clamp((lai - constants::understory_fade) * 2.0, 0.0, 1.0),
          lu = constants::understory_scale * decay * (w * w * (3.0 - 2.0 * w));
  const X kd = -constants::leaf_projection * h.leaves[kClumping], kb = -1.0 * (kd * inverse_mu), kb_lai = kb * lai;
  const X plant_over = lai + p.stem_area_overstory, plant_under = lu + p.stem_area_understory;
  const auto inverse =
      reciprocal(Classes<X, 4>{{plant_over, constants::diffuse_path + constants::diffuse_path_slope * lai, plant_under,
                                constants::diffuse_path + constants::diffuse_path_slope * lu}});
  const X kd_over = kd * inverse.c[1], kd_under = kd * inverse.c[3];
  const X through = exp(-1.0 * kb_lai), through_stems = through * exp(-p.stem_area_overstory * kb);
  const X through_under = exp(-1.0 * (kb * lu)), through_plant_under = exp(-1.0 * (kb * plant_under));
  const X sun_over = two_mu * (1.0 - through), sun_under = two_mu * (through * (1.0 - through_under));
  const X plant_sun = two_mu * (1.0 - through_stems);
  k.heat_sunlit = plant_sun;
  k.heat_shaded = at_least(plant_over - plant_sun, 0.0);
  k.sun_share = {plant_sun * inverse.c[0], two_mu * (through_stems * (1.0 - through_plant_under)) * inverse.c[2]};
  // A canopy thinner than min_lai has the leaves of one of min_lai, but fewer.
  const X thin = at_most(h.leaves[kLai] * (1.0 / constants::min_lai), 1.0),
          thin_under = p.understory ? thin : splat<X>(0.0);
  k.area = {{thin * sun_over, thin * at_least(lai - sun_over, 0.0), thin_under * sun_under,
             thin_under * at_least(lu - sun_under, 0.0)}};

  const F sw = at_least(h.weather[kSw], 0.0),
          kt = at_most(sw * inverse_mu * (1.0 / constants::solar_constant), constants::clearness_limit);
  const F share = h.clearness ? diffuse_polynomial(kt) : h.weather[kDiffuseFraction];
  const F diffuse = share * sw, beam = sw - diffuse;
  const X go = exp_normal(kd_over * lai), gu = exp_normal(kd_under * lu);
  const F scatter = beam * exp_normal(-1.0 * mu), sunbeam = at_most(constants::leaf_projection * (beam * inverse_mu),
                                                                    constants::beam_share * constants::beam_limit);
  const X shade_over = diffuse * (1.0 - exp(kd_over * plant_over)) * inverse.c[0] +
                       constants::scatter_over * scatter *
                           at_least(constants::scatter_offset - constants::scatter_slope * plant_over, 0.0);
  const X shade_under = diffuse * go * (1.0 - exp(kd_under * plant_under)) * inverse.c[2] +
                        constants::scatter_under * (scatter * through) *
                            at_least(constants::scatter_offset - constants::scatter_slope * plant_under, 0.0);
  k.absorbed = Classes<X, 4>{{sunbeam + shade_over, shade_over, sunbeam + shade_under, shade_under}} * (1.0 - p.albedo);

  constexpr double eps = constants::leaf_emissivity, reflected = eps * (1.0 - eps),
                   ground = constants::ground_emissivity;
  const F black = constants::stefan_boltzmann * air.per_heat, tk2 = k.tk * k.tk, tk4 = tk2 * tk2;
  const X covered = 1.0 - go, covered_under = 1.0 - gu;
  const X sky = air.emissivity * go, soil = ground * gu, per_over = black * inverse.c[0],
          per_under = black * inverse.c[2];
  const X over = eps * (air.emissivity + soil) * covered + reflected * (covered_under * sky);
  const X under = eps * (sky + ground) * covered_under + 2.0 * (1.0 - eps) * (sky * gu) + reflected * (soil * covered);
  const X in_over = (eps * per_over) * covered, in_under = (eps * per_under) * covered_under;
  k.radiation = k.absorbed * air.per_heat + layers(tk4 * (per_over * over), tk4 * (per_under * under));
  k.longwave_over = {in_over * (reflected * covered_under - 2.0), in_over * (eps * covered_under)};
  k.longwave_under = {(eps * per_under) * covered * (eps * covered_under + 2.0 * (1.0 - eps) * gu),
                      in_under * (reflected * covered - 2.0 * eps)};
  return {lai, plant_over, through, kb, kb_lai};
}

// E15, E19: boundary layers of leaves and the air between the layers.
template <class X, class F>
GPPCORE_INLINE void set_wind(const CanopyHour<X, F>& h, const Site& site, const Light<X>& light, Canopy<X, F>& k) {
  const F tair = k.tair,
          friction = at_least(h.weather[kWind], constants::least_wind) * (constants::von_karman / site.profile);
  const X root = sqrt(light.plant), decay = constants::understory_decay_offset + root * sqrt(root),
          diffusivity = splat<X>(constants::diffusivity * 1e-6 + (constants::diffusivity_slope * 1e-6) * tair);
  const auto of_air = reciprocal(Classes<F, 2>{{friction, tair + constants::stability_zero}});
  const auto of_leaves = reciprocal(Classes<X, 2>{{decay, diffusivity}});
  const F per_friction = of_air.c[0], wind_top = friction * (constants::canopy_top_wind / constants::von_karman);
  const X third = exp_normal((1.0 / 3.0) * log(light.plant * h.leaves[kClumping]));
  const F viscous =
      sqrt((constants::viscosity + constants::viscosity_slope * tair) * per_friction *
           (1.0 / (1e6 * constants::leaf_size) * constants::von_karman / constants::canopy_top_wind));  // 10 nu / u_h
  const X resistance = constants::leaf_boundary * of_leaves.c[1] * viscous;
  const X rb_over = resistance * exp((0.5 * constants::overstory_depth) *
                                     ((constants::wind_decay + constants::wind_decay_slope * wind_top) * third));
  const X rb_under = resistance * exp((0.5 * site.depth_leaf) * decay);
  k.r = {at_most(rb_over, constants::largest_leaf_resistance) * k.per_co2,
         at_most(rb_under, constants::largest_leaf_resistance) * k.per_co2};
  k.humidity_deficit = {k.humidity_deficit.over * k.r.over, k.humidity_deficit.over * k.r.under};
  k.humidity_slope = {k.humidity_slope.over * k.r.over, k.humidity_slope.over * k.r.under};
  const F air = k.per_co2 * per_friction;
  k.ra_under = (exp(site.depth * decay) - 1.0) * air *
               (1.0 / (constants::von_karman_canopy * constants::canopy_diffusion)) * of_leaves.c[0];
  k.ra_neutral = ((1.0 / constants::von_karman) * site.profile) * air;
  k.ra_stable = ((1.0 / constants::von_karman) * constants::stable_slope) * air;
  const F to_length =
      (-constants::von_karman * constants::gravity / (constants::stability_density * constants::stability_heat)) *
      site.height * (per_friction * per_friction) * (per_friction * of_air.c[1]);
  k.heat_most = constants::least_heat * to_length;
  const F heat = to_length * (k.heat_capacity * k.per_co2);
  k.heat_sunlit = heat * k.heat_sunlit;
  k.heat_shaded = heat * k.heat_shaded;
}

// Temperature factors T of each part of the leaves.
template <class X, class T>
struct Temperatures {
  T part[kLeafClasses / kBeside<X>];
};

// E8, E9: biochemistry of leaves from their temperature factors.
struct SetLeaves {
  template <class T, class X, class F>
  static GPPCORE_INLINE void run(int part, const TemperatureC3<T>& t, Canopy<X, F>& k) {
    RatesC3<X, kBeside<X>, T> rates;
    set_rates_c3(t, part_of(k.vcmax25, part), constants::ppfd_per_shortwave * part_of(k.absorbed, part), rates);
    set_biochemistry_c3(rates, supply_of(k, part), k.leaf[part]);
  }
  template <class T, class X, class F>
  static GPPCORE_INLINE void run(int part, const TemperatureC4<T>& t, Canopy<X, F>& k) {
    set_biochemistry_c4(t, part_of(k.vcmax25, part), constants::ppfd_per_shortwave * part_of(k.absorbed, part),
                        k.leaf[part]);
  }
  template <class T, class X, class F>
  static GPPCORE_INLINE void run(int part, const Temperatures<X, T>& t, Canopy<X, F>& k) {
    run(part, t.part[part], k);
  }
};

// All of the canopy of an hour. Hours that are not lit get values without meaning.
template <class X, class F>
GPPCORE_INLINE void set_canopy(const CanopyHour<X, F>& h, const TwoLeafParameters& p, const Site& site,
                               Canopy<X, F>& k) {
  // E5: nitrogen. Both decays are multiples of 0.03 per leaf area.
  static_assert(constants::nitrogen_decay == 0.3 && constants::understory_decay == 0.99);
  constexpr double kn = constants::nitrogen_decay;
  const X n1 = exp_normal(-0.03 * at_least(h.leaves[kLai], constants::min_lai)), n2 = n1 * n1, n4 = n2 * n2,
          n8 = n4 * n4, n16 = n8 * n8;
  const X nitrogen = n8 * n2;
  const Air<F> air = set_air(h, k);
  const Light<X> light = set_light(h, p, air, (n16 * n16) * n1, k);
  set_wind(h, site, light, k);

  const X covered = 1.0 - light.through, k_sum = light.kb + kn, overlap = light.kb_lai - covered;
  const auto inverse = reciprocal(Classes<X, 3>{{covered, overlap, k_sum}});
  // C4 leaves hardly feel a lower Ci, so that drought must act on their capacity too (Sellers et al. 1996).
  const X stress = h.leaves[kSoilWaterStress], g0 = splat<X>(p.g0 / constants::h2o_to_co2);
  const X top = light.kb * (p.c4 ? h.leaves[kVcmax25] * stress : h.leaves[kVcmax25]);
  const X a3 = (1.0 - light.through * nitrogen) * inverse.c[2], a2 = (1.0 - nitrogen) * (1.0 / kn);
  k.vcmax25 = lights(top * a3 * inverse.c[0], top * (a2 - a3) * inverse.c[1]);
  k.b0 = p.c4 ? g0 * stress : g0;
  k.ca = h.weather[kCa];

  if (p.leaf_temperature) return;  // then each pass sets the biochemistry
  if (p.c4) {
    const auto t = temperature_c4(k.tair);
    run<SetLeaves, X>(t, k);
  } else {
    const auto t = temperature_c3(k.tair, air.inverse_tk);
    run<SetLeaves, X>(t, k);
  }
}

}  // namespace gppcore::GPPCORE_ISA
