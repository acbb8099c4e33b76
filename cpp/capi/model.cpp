#include "gppcore/model.hpp"

#include "workspace.hpp"

using gppcore::guard;
using gppcore::require;
using gppcore::require_size;

struct gpp_model {
  gppcore::Model model;
};

namespace {

template <class T>
T* after(T* data, int64_t n) {
  return data ? data + n : nullptr;
}

template <class T>
gpp_status predict_columns(const gpp_model* model, gpp_workspace* workspace, const T* const* columns,
                           const int64_t* strides, int64_t n_rows, T* gpp, T* low, T* high) {
  return guard([&] {
    require(model, "model");
    require_size(n_rows, "n_rows");
    const gppcore::WorkspaceUse use(workspace, model->model.memory_lines());
    const int64_t n_predictors = model->model.n_predictors();
    if (n_rows > 0) {
      gppcore::require_columns(columns, strides, n_predictors);
      require(gpp, "gpp");
    }
    const auto work = [&](const T* const* part, const int64_t* steps, int64_t begin, int64_t n) {
      const gppcore::ModelOutput<T> out{gpp + begin, after(low, begin), after(high, begin)};
      model->model.predict_columns(part, steps, n, out, workspace->memory);
    };
    if (workspace->copies.empty()) return work(columns, strides, 0, n_rows);
    const auto column = [&](int64_t f) { return columns[f]; };
    const auto stride = [&](int64_t f) { return strides[f]; };
    gppcore::each_block<T>(*workspace, n_predictors, n_rows, column, stride, work);
  });
}

template <class T>
gpp_status check(const gpp_model* model, const gpp_workspace* workspace, const T* const* columns,
                 const int64_t* strides, int64_t n_rows, int64_t* counts) {
  return guard([&] {
    require(model, "model");
    require_size(n_rows, "n_rows");
    if (n_rows > 0) gppcore::require_columns(columns, strides, model->model.n_predictors());
    const T missing = static_cast<T>(workspace ? workspace->missing : std::numeric_limits<double>::quiet_NaN());
    static_assert(int{GPP_CHECKS} == int{gppcore::kModelCounts});
    gppcore::check_columns(model->model.recipe(), columns, strides, n_rows, missing, counts);
  });
}

}  // namespace

gpp_status gpp_model_load(const char* path, gpp_model** model) {
  return guard([&] {
    require(path, "path");
    require(model, "model");
    *model = new gpp_model{gppcore::Model::load(path)};
  });
}

gpp_status gpp_model_load_buffer(const void* data, int64_t size, gpp_model** model) {
  return guard([&] {
    require(data, "data");
    require_size(size, "size");
    require(model, "model");
    *model = new gpp_model{gppcore::Model::from_zip(static_cast<const char*>(data), static_cast<size_t>(size))};
  });
}

void gpp_model_free(gpp_model* model) { delete model; }

gpp_status gpp_model_info(const gpp_model* model, int64_t* n_predictors, int64_t* n_sources, int64_t* n_members,
                          int* has_interval) {
  return guard([&] {
    require(model, "model");
    const gppcore::Model& m = model->model;
    if (n_predictors) *n_predictors = m.n_predictors();
    if (n_sources) *n_sources = static_cast<int64_t>(m.sources().size());
    if (n_members) *n_members = static_cast<int64_t>(m.members().size());
    if (has_interval) *has_interval = m.recipe().interval.has_value();
  });
}

gpp_status gpp_model_predictor(const gpp_model* model, int64_t i, const char** name) {
  return guard([&] {
    require(model, "model");
    require(name, "name");
    *name = model->model.recipe().predictors[gppcore::require_index(i, model->model.n_predictors())].c_str();
  });
}

gpp_status gpp_model_predictor_unit(const gpp_model* model, int64_t i, const char** unit, double* low, double* high) {
  return guard([&] {
    require(model, "model");
    static const gppcore::ModelQuantity unknown;
    const size_t at = gppcore::require_index(i, model->model.n_predictors());
    const auto& quantities = model->model.recipe().quantities;
    const gppcore::ModelQuantity& quantity = quantities.empty() ? unknown : quantities[at];
    if (unit) *unit = quantity.unit.c_str();
    if (low) *low = quantity.low;
    if (high) *high = quantity.high;
  });
}

gpp_status gpp_model_workspace_new(const gpp_model* model, gpp_workspace** workspace) {
  return guard([&] {
    require(model, "model");
    require(workspace, "workspace");
    *workspace = new gpp_workspace(model->model.memory_lines(), model->model.n_predictors());
  });
}

gpp_status gpp_model_predict_columns_f32(const gpp_model* model, gpp_workspace* workspace, const float* const* columns,
                                         const int64_t* strides, int64_t n_rows, float* gpp, float* low, float* high) {
  return predict_columns(model, workspace, columns, strides, n_rows, gpp, low, high);
}

gpp_status gpp_model_predict_columns_f64(const gpp_model* model, gpp_workspace* workspace, const double* const* columns,
                                         const int64_t* strides, int64_t n_rows, double* gpp, double* low,
                                         double* high) {
  return predict_columns(model, workspace, columns, strides, n_rows, gpp, low, high);
}

gpp_status gpp_model_check_f32(const gpp_model* model, const gpp_workspace* workspace, const float* const* columns,
                               const int64_t* strides, int64_t n_rows, int64_t* counts) {
  return check(model, workspace, columns, strides, n_rows, counts);
}

gpp_status gpp_model_check_f64(const gpp_model* model, const gpp_workspace* workspace, const double* const* columns,
                               const int64_t* strides, int64_t n_rows, int64_t* counts) {
  return check(model, workspace, columns, strides, n_rows, counts);
}
