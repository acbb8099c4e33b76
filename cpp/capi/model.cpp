#include "gppcore/model.hpp"

#include "guard.hpp"

using gppcore::guard;
using gppcore::require;

struct gpp_model {
  gppcore::Model model;
};

namespace {

template <class T>
gpp_status predict_columns(const gpp_model* model, gpp_workspace* workspace, const T* const* columns,
                           const int64_t* strides, int64_t n_rows, T* gpp, T* low, T* high) {
  return guard([&] {
    require(model, "model");
    gppcore::require_size(n_rows, "n_rows");
    gppcore::require_memory(workspace, model->model.memory_lines());
    if (n_rows > 0) {
      require(columns, "columns");
      require(strides, "strides");
      require(gpp, "gpp");
      for (int64_t f = 0; f < model->model.n_predictors(); ++f) require(columns[f], "columns[i]");
    }
    model->model.predict_columns(columns, strides, n_rows, gppcore::ModelOutput<T>{gpp, low, high}, workspace->memory);
  });
}

}  // namespace

gpp_status gpp_model_load(const char* folder, gpp_model** model) {
  return guard([&] {
    require(folder, "folder");
    require(model, "model");
    *model = new gpp_model{gppcore::Model::load(folder)};
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
    const int64_t n = model->model.n_predictors();
    if (i < 0 || i >= n)
      throw gppcore::Error(gppcore::ErrorCode::range,
                           "i: expected 0 to " + std::to_string(n - 1) + ", got " + std::to_string(i));
    *name = model->model.recipe().predictors[static_cast<size_t>(i)].c_str();
  });
}

gpp_status gpp_model_workspace_new(const gpp_model* model, gpp_workspace** workspace) {
  return guard([&] {
    require(model, "model");
    require(workspace, "workspace");
    *workspace = new gpp_workspace{gppcore::ForestMemory(model->model.memory_lines())};
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
