# A transfer model in R: columns of x are the predictors in the order of the model, g m-2 d-1 come back.
dyn.load(paste0("shim", .Platform$dynlib.ext))

checked <- function(result) {
  if (result$code != 0) stop(result$message)
  result
}
gpp_load <- function(path) invisible(checked(.C("r_gpp_load", path, code = 0L, message = "")))
gpp_predict <- function(x) {
  storage.mode(x) <- "double"
  checked(.C("r_gpp_predict", x, nrow(x), ncol(x), gpp = double(nrow(x)), code = 0L, message = "", NAOK = TRUE))$gpp
}
