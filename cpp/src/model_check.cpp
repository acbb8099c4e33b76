#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "gppcore/error.hpp"
#include "gppcore/model.hpp"

namespace gppcore {
namespace {

constexpr size_t kMaxName = 47;  // bytes; names become parts of file names
constexpr size_t kMaxUnit = 31;
constexpr size_t kMaxParts = 256;  // sources, or members: bounds the memory of a prediction

[[noreturn]] void refuse(const std::string& fault) { throw Error(ErrorCode::forest_format, fault); }

// Letters, digits, dots, hyphens and underscores, so that a name cannot lead out of the folder.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && std::strchr("._-", c));
}

void check_names(const char* of, const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    const bool plain = std::all_of(name.begin(), name.end(), is_plain);
    if (name.empty() || name.size() > kMaxName || !plain || name[0] == '.')
      refuse(std::string(of) +
             ": expected names of 1 to 47 letters, digits, '.', '_' and '-', the first not '.', got another");
    if (!seen.insert(name).second) refuse(std::string(of) + ": expected different names, got " + name + " twice");
  }
}

// In both number types: a finite double may be an infinite float.
void check_number(const std::string& name, double x) {
  if (!(x >= 0.0) || !std::isfinite(static_cast<float>(x)))
    refuse(name + ": expected a finite number of at least 0, got " + std::to_string(x));
}

// In both number types, and as text of a file.
void check_quantity(const std::string& name, const ModelQuantity& q) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (q.unit.size() > kMaxUnit || !std::all_of(q.unit.begin(), q.unit.end(), printable))
    refuse(name + ": unit: expected up to 31 characters of ASCII, got another");
  if (!(q.low <= q.high)) refuse(name + ": range: expected a lower bound and an upper one, got others");
}

void check_member(const ModelMember& m, size_t n_sources) {
  const std::string name = "member " + m.name;
  if (m.kind > ModelMemberKind::residual)
    refuse(name + ": kind: expected 0 to 2, got " + std::to_string(static_cast<uint32_t>(m.kind)));
  if (m.n_sources < 0 || static_cast<uint64_t>(m.n_sources) > n_sources)
    refuse(name + ": n_sources: expected 0 to " + std::to_string(n_sources) + ", got " + std::to_string(m.n_sources));
  if (m.kind != ModelMemberKind::gpp && n_sources == 0) refuse(name + ": expected a source, got a model without");
  check_number(name + ": weight", m.weight);
  check_number(name + ": offset", m.offset);
}

}  // namespace

void check_recipe(const ModelRecipe& r) {
  if (r.predictors.empty() || r.predictors.size() > static_cast<size_t>(kForestMaxFeatures))
    refuse("predictors: expected 1 to 32768, got " + std::to_string(r.predictors.size()));
  const size_t n_parts = std::max(r.sources.size(), r.members.size());
  if (n_parts == 0 || n_parts > kMaxParts)
    refuse("sources, members: expected 1 to 256 forests, got " + std::to_string(n_parts));
  std::vector<std::string> member_names;
  for (const ModelMember& m : r.members) member_names.push_back(m.name);
  check_names("predictors", r.predictors);
  check_names("sources", r.sources);
  check_names("members", member_names);
  if (!r.quantities.empty() && r.quantities.size() != r.predictors.size())
    refuse("quantities: expected one for each predictor, or none, got " + std::to_string(r.quantities.size()));
  for (size_t i = 0; i < r.quantities.size(); ++i) check_quantity("predictor " + r.predictors[i], r.quantities[i]);
  for (const ModelMember& m : r.members) check_member(m, r.sources.size());
  check_number("process_weight", r.process_weight);
  check_number("gate", r.gate);
  if (r.sources.empty() && r.process_weight != 0.0) refuse("process_weight: expected 0 without sources, got another");
  if (!r.sources.empty() && !(static_cast<float>(r.gate) > 0.0f)) refuse("gate: expected more than 0, got 0");
  if (!r.interval) return;
  check_number("interval: q", r.interval->q);
  check_number("interval: a", r.interval->a);
  check_number("interval: b", r.interval->b);
  check_number("interval: c", r.interval->c);
}

}  // namespace gppcore
