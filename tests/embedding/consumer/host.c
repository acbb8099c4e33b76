#include <gppcore/gppcore.h>
#include <stdio.h>

int main(void) {
  gpp_pft_parameters pft = {.size = sizeof pft};
  if (gpp_abi_version() != GPPCORE_ABI_VERSION || gpp_pft("grass_c4", &pft) != GPP_OK) return 1;
  printf("%g\n", pft.vcmax25);
  return 0;
}
