// The two-leaf canopy, one vector of canopy hours at a time. Equation numbers are those of
// src/gppcore/reference.py, which states the same model in plain scalar form.
#include "leaf_gas_exchange-inl.hpp"
#include "two_leaf.hpp"

namespace gppcore::GPPCORE_ISA {

struct CanopyHour {
  V x[kTwoLeafInputs];
};

// Leaf classes: 0 sunlit and 1 shaded overstory, 2 sunlit and 3 shaded understory.
template <class Lane>
GPPCORE_INLINE Classes<4> layers(Lane overstory, Lane understory) {
  return {{overstory, overstory, understory, understory}};
}

// Everything that stays the same over the passes of the energy balance.
struct Canopy {
  Classes<4> absorbed, area, rb;
  Biochemistry<4> leaf;
  V tk, deficit, slope, heat_capacity, per_gamma;  // E13
  V longwave_air, longwave_ground, trans_over, trans_under;
  V inverse_plant_over, inverse_plant_under;
  V plant_sun_over, plant_shade_over, plant_sun_under, plant_shade_under;
  V profile, height, friction_inverse, heat_to_length, ra_under;  // E19
  V humidity_air, humidity_flux, stomata, b0, per_co2, ca;        // E20 and Ball-Berry
};

struct State {
  Classes<4> a, g, cs, warm;  // assimilation; conductance for vapour times Cs; Cs; leaf minus air, K
  V heat;
};

// E13, E19, E20: what depends on weather alone.
GPPCORE_INLINE void set_air(const CanopyHour& h, const TwoLeafParameters& p, Canopy& k, V& wind_top, V& viscous) {
  const V tair = h.x[kTair], inverse_t = 1.0 / (tair + 237.3), scaled = tair * inverse_t;
  const V es = 0.61078 * exp(17.3 * scaled);
  const V e = maximum(es - 1e-3 * h.x[kVpd], 0.01 * es);
  k.tk = tair + constants::zero_celsius;
  k.deficit = es - e;
  k.slope = 2503.0 * inverse_t * inverse_t * exp(17.27 * scaled);
  k.heat_capacity = (1.292 * 1004.65) * (1.0 + 0.84 * (0.622 * e / (101.35 - 0.378 * e)));
  k.per_gamma = k.heat_capacity * (1.0 / 0.066);
  const V black = 5.67e-8 * (k.tk * k.tk) * (k.tk * k.tk);
  const V emissivity = 1.0 - exp(-exp(k.tk * (1.0 / 1200.0) * log(10.0 * e)));
  k.longwave_air = clamp(emissivity, 0.7, 1.0) * black;
  k.longwave_ground = 0.96 * black;

  const double z = 30.0 - 0.8 * p.height_overstory;
  const V height = splat(z);
  k.height = height;
  k.profile = log(splat(z / (0.08 * p.height_overstory)));
  const V friction = 0.4 * maximum(h.x[kWind], splat(0.05)) / k.profile;
  k.friction_inverse = 1.0 / friction;
  wind_top = friction * (1.1 / 0.4);
  viscous = (13.3 + 0.07 * tair) * (1e-5 / wind_top);  // 10 nu / u_h
  const V f3 = k.friction_inverse * k.friction_inverse * k.friction_inverse;
  k.heat_to_length = (-0.4 * 9.8 / (1.225 * 1010.0)) * f3 / (tair + 273.3);

  const V inverse_tk = 1.0 / k.tk;
  const V unsaturation = exp(6790.4985 * inverse_tk + 5.02808 * log(k.tk) - 54.8781919);  // 1 / e_sat
  k.humidity_air = 10.0 * e * unsaturation;
  k.humidity_flux = (1.0 / 0.2165) * k.tk * unsaturation / (3149000.0 - 2370.0 * k.tk);
}

// E2-E4, E14-E17: leaf areas, absorbed shortwave and leaf boundary layers.
GPPCORE_INLINE void set_light(const CanopyHour& h, const TwoLeafParameters& p, V mu, V lai, V wind_top, V viscous,
                              Canopy& k) {
  const V sw = maximum(h.x[kSw], V{}), clumping = h.x[kClumping], inverse_mu = 1.0 / mu;
  const V kt = clamp(sw * inverse_mu * (1.0 / 1367.0), 0.0, 0.7591);
  const V share = 0.943 + kt * (0.734 + kt * (-4.9 + kt * (1.796 + kt * 2.058)));
  const V diffuse = clamp(share, 0.0, 1.0) * sw, beam = sw - diffuse;
  const V w = clamp((lai - 0.4) * 2.0, 0.0, 1.0);
  const V lu = 1.18 * exp(-0.99 * lai) * (w * w * (3.0 - 2.0 * w));
  const V plant_over = lai + p.stem_area_overstory, plant_under = lu + p.stem_area_understory;
  const V kb = 0.5 * clumping * inverse_mu, kd = -0.5 * clumping;
  const V kd_over = kd / (0.537 + 0.025 * lai), kd_under = kd / (0.537 + 0.025 * lu);
  const V scatter = beam * exp(-mu), sunbeam = minimum(0.5 * beam * inverse_mu, splat(0.7 * 1362.0));

  const V through = exp(-(kb * lai)), through_plant = exp(-(kb * plant_over));
  const V sun_over = 2.0 * mu * (1.0 - through);
  k.plant_sun_over = 2.0 * mu * (1.0 - through_plant);
  k.plant_shade_over = maximum(plant_over - k.plant_sun_over, V{});
  k.inverse_plant_over = 1.0 / plant_over;
  k.trans_over = exp(kd_over * lai);
  const V shade_over = diffuse * (1.0 - exp(kd_over * plant_over)) * k.inverse_plant_over +
                       0.07 * scatter * maximum(1.1 - 0.1 * plant_over, V{});

  const V sun_under = 2.0 * mu * (through - exp(-(kb * (lai + lu))));
  k.plant_sun_under = 2.0 * mu * (through_plant - exp(-(kb * (plant_over + plant_under))));
  k.plant_shade_under = maximum(plant_under - k.plant_sun_under, V{});
  k.inverse_plant_under = 1.0 / plant_under;
  k.trans_under = exp(kd_under * lu);
  const V shade_under = diffuse * k.trans_over * (1.0 - exp(kd_under * plant_under)) * k.inverse_plant_under +
                        0.05 * scatter * through * maximum(1.1 - 0.1 * plant_under, V{});

  k.area = {{sun_over, maximum(lai - sun_over, V{}), sun_under, maximum(lu - sun_under, V{})}};
  k.absorbed = {{sunbeam + shade_over, shade_over, sunbeam + shade_under, shade_under}};
  k.absorbed = k.absorbed * (1.0 - p.albedo);

  const V resistance = 0.05 / ((18.9e-6 + 0.07e-6 * h.x[kTair]));
  const V decay_over = (0.167 + 0.179 * wind_top) * exp((1.0 / 3.0) * log(plant_over * clumping));
  const V root = sqrt(plant_over), decay_under = 0.1 + root * sqrt(root);
  const double depth = 1.0 - 0.8 * p.height_understory / p.height_overstory;
  const V rb_over = minimum(splat(40.0), resistance * sqrt(viscous * exp(0.2 * decay_over)));
  const V rb_under = minimum(splat(40.0), resistance * sqrt(viscous * exp(decay_under * depth)));
  k.rb = layers(rb_over, rb_under);
  const V rise = exp(decay_under * (1.0 - p.height_understory / p.height_overstory)) - 1.0;
  k.ra_under = rise * k.friction_inverse * (1.0 / (0.41 * 0.2)) / decay_under;
}

// E5, E8, E9: capacity of sunlit and shaded leaves at air temperature.
GPPCORE_INLINE void set_leaves(const CanopyHour& h, const TwoLeafParameters& p, V mu, V lai, Canopy& k) {
  constexpr double kn = constants::nitrogen_decay;
  const V kb = 0.5 * h.x[kClumping] / mu, stress = h.x[kSoilWaterStress];
  const V through = exp(-(kb * lai)), nitrogen = exp(-kn * lai);
  const V a1 = 1.0 - through, a2 = (1.0 - nitrogen) * (1.0 / kn), a3 = (1.0 - through * nitrogen) / (kb + kn);
  V top = h.x[kVcmax25], g0 = splat(p.g0 / constants::h2o_to_co2);
  if (p.c4) {
    // C4 leaves hardly feel a lower Ci, so that drought must act on their capacity too (Sellers et al. 1996).
    top = top * stress;
    g0 = g0 * stress;
  }
  const V sun = top * kb * a3 / a1, shade = top * (a2 - a3) / (lai - a1 / kb);
  const Classes<4> vcmax25 = {{sun, shade, sun, shade}};
  const Classes<4> ppfd = constants::ppfd_per_shortwave * k.absorbed;
  k.ca = h.x[kCa];
  k.per_co2 = k.tk * (constants::h2o_to_co2 * 0.022624 / (273.16 * 1.013));
  k.b0 = g0;
  k.stomata = h.x[kG1] * stress * (1.0 / constants::h2o_to_co2);
  const Classes<4> r = k.rb * k.per_co2;
  k.leaf = p.c4 ? biochemistry_c4(h.x[kTair], vcmax25, ppfd, r) : biochemistry_c3(1.0 / k.tk, vcmax25, ppfd, r, k.ca);
}

// E18: net longwave of both layers per unit plant area, from the leaf temperatures of the last pass.
GPPCORE_INLINE Classes<4> net_longwave(const Canopy& k, const State& s) {
  constexpr double eps = 0.98;
  const V t_over = k.tk + (s.warm.c[0] * k.plant_sun_over + s.warm.c[1] * k.plant_shade_over) * k.inverse_plant_over;
  const V t_under =
      k.tk + (s.warm.c[2] * k.plant_sun_under + s.warm.c[3] * k.plant_shade_under) * k.inverse_plant_under;
  const V t_over2 = t_over * t_over, t_under2 = t_under * t_under;
  const V b_over = (eps * 5.67e-8) * t_over2 * t_over2, b_under = (eps * 5.67e-8) * t_under2 * t_under2;
  const V go = k.trans_over, gu = k.trans_under, covered = 1.0 - go;
  const V down = k.longwave_air * go + b_over * covered;
  const V up = b_under * (1.0 - gu) + k.longwave_ground * gu;
  const V over = (eps * (k.longwave_air + up) - 2.0 * b_over) * covered + (eps * (1.0 - eps)) * (1.0 - gu) * down;
  const V under = (eps * (down + k.longwave_ground) - 2.0 * b_under) * (1.0 - gu) +
                  (2.0 * (1.0 - eps)) * (down * gu + b_under * (1.0 - gu)) + (eps * (1.0 - eps)) * up * covered;
  return layers(over * k.inverse_plant_over, under * k.inverse_plant_under);
}

// One pass of the energy balance (E18-E21); `cold` tells that s.a is not yet a solution.
template <bool C4>
GPPCORE_INLINE void pass(const Canopy& k, State& s, bool cold) {
  const V length = maximum(k.heat_to_length * s.heat, splat(-2.0)), zl = k.height * length;
  const V ra_over = clamp((k.profile + 5.0 * zl) * (2.5 * k.friction_inverse), 2.0, 100.0);
  const V stable = minimum(1.0 + 5.0 * zl, splat(10.0)), unstable = 1.0 / sqrt(maximum(1.0 - 16.0 * zl, splat(1.0)));
  const V ra_under = ra_over + k.ra_under * where_less(V{}, length, stable, unstable);
  const Classes<4> ra = layers(ra_over, ra_under), vapour = ra + k.rb, heat = ra + 0.5 * k.rb;

  const Classes<4> radiation = k.absorbed + net_longwave(k, s);
  const Classes<4> latent = s.g / (s.cs + s.g * vapour) * (k.deficit + k.slope * s.warm) * k.per_gamma;
  const Classes<4> humidity = clamp(k.humidity_air + latent * k.rb * k.humidity_flux, 0.05, 1.0);
  const Classes<4> c = humidity * k.stomata;
  s.a = C4 ? solve_c4(k.leaf, c, k.b0, k.ca, s.a, cold) : solve_c3(k.leaf, c, k.b0, k.ca, s.a, cold);
  s.cs = k.ca - k.leaf.r * s.a;
  s.g = (c * s.a + k.b0 * s.cs) * k.per_co2;

  const Classes<4> open = s.cs + s.g * vapour;
  const Classes<4> gained = heat * (radiation * open - (k.deficit * k.per_gamma) * s.g);
  const Classes<4> lost = k.heat_capacity * open + (k.per_gamma * k.slope) * (s.g * heat);
  s.warm = clamp(gained / lost, -3.0, 5.0);
  const V sensible = s.warm.c[0] * k.plant_sun_over + s.warm.c[1] * k.plant_shade_over;
  s.heat = maximum(k.heat_capacity * sensible / heat.c[0], splat(-200.0));
}

template <bool C4>
GPPCORE_INLINE void canopy_vector(const CanopyHour& h, const TwoLeafParameters& p, V& gpp_sunlit, V& gpp_shaded) {
  constexpr double kMinLai = 0.1;
  // NaN anywhere in the inputs must come out: clamps above would eat it.
  V poison{};
  for (int i = 0; i < kTwoLeafInputs; ++i) poison = poison + h.x[i] * 0.0;
  const V zero{}, lit = minimum(minimum(h.x[kCosZenith], h.x[kSw]), h.x[kLai]);
  if (!any_less(zero, lit)) {
    gpp_sunlit = gpp_shaded = poison;
    return;
  }
  const V mu = maximum(h.x[kCosZenith], splat(1e-3)), lai = maximum(h.x[kLai], splat(kMinLai));
  Canopy k;
  V wind_top, viscous;
  set_air(h, p, k, wind_top, viscous);
  set_light(h, p, mu, lai, wind_top, viscous, k);
  set_leaves(h, p, mu, lai, k);
  State s;
  s.a = every<4>(zero);
  s.g = layers(splat(1.0 / 200.0), splat(1.0 / 300.0));
  s.cs = every<4>(splat(1.0));
  s.warm = every<4>(splat(-0.5));
  s.heat = zero;
  pass<C4>(k, s, true);
  pass<C4>(k, s, false);
  pass<C4>(k, s, false);
  const Classes<4> flux = s.a * k.area * minimum(h.x[kLai] * (1.0 / kMinLai), splat(1.0));
  V sun = flux.c[0], shade = flux.c[1];
  if (p.understory) {
    sun = sun + flux.c[2];
    shade = shade + flux.c[3];
  }
  gpp_sunlit = where_less(zero, lit, sun, zero) + poison;
  gpp_shaded = where_less(zero, lit, shade, zero) + poison;
}

template <bool C4>
inline void canopy_row(const TwoLeafParameters& p, const TwoLeafColumn* inputs, int64_t n, double* gpp_sunlit,
                       double* gpp_shaded) {
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t left = n - i;
    CanopyHour h;
    for (int j = 0; j < kTwoLeafInputs; ++j) {
      const TwoLeafColumn& c = inputs[j];
      if (c.stride == 1 && left >= kLanes) {
        __builtin_memcpy(&h.x[j], c.data + i, sizeof(V));
      } else if (c.stride == 0) {
        h.x[j] = splat(c.data[0]);
      } else {
        double lane[kLanes];  // the last hour fills the lanes beyond the end
        for (int l = 0; l < kLanes; ++l) lane[l] = c.data[(i + (l < left ? l : left - 1)) * c.stride];
        __builtin_memcpy(&h.x[j], lane, sizeof(V));
      }
    }
    V sun, shade;
    canopy_vector<C4>(h, p, sun, shade);
    const unsigned long bytes = sizeof(double) * static_cast<unsigned long>(left < kLanes ? left : kLanes);
    __builtin_memcpy(gpp_sunlit + i, &sun, bytes);
    __builtin_memcpy(gpp_shaded + i, &shade, bytes);
  }
}

inline void canopy(const TwoLeafParameters& p, const TwoLeafColumn* inputs, int64_t n, double* gpp_sunlit,
                   double* gpp_shaded) {
  p.c4 ? canopy_row<true>(p, inputs, n, gpp_sunlit, gpp_shaded)
       : canopy_row<false>(p, inputs, n, gpp_sunlit, gpp_shaded);
}

constexpr TwoLeafKernels two_leaf_kernels{canopy};

}  // namespace gppcore::GPPCORE_ISA
