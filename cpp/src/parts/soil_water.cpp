#include "../kernels/soil_water-inl.hpp"
