// How much memory operator new has handed out. The sanitiser's own checks stay: they are in malloc.
#pragma once
#include <cstddef>

// Forgets the peak; returns what is in use now.
size_t start_of_peak();
size_t peak_bytes();
