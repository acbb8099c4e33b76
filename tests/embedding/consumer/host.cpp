#include <gppcore/gppcore.hpp>
#include <iostream>

int main() {
  gpp::check_abi();
  try {
    gpp::Model("nowhere");
  } catch (const gpp::Error& error) {
    if (error.code() != GPP_ERROR_MISSING_FILE) return 1;
  }
  std::cout << gpp::pft("grass_c4").vcmax25 << "\n";
}
