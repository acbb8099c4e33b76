#include "dispatch.hpp"
