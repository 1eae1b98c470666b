// Convolutions of few channels (the first of a network), whose tiles are neighbouring pixels of one row of an image: what their
// windows have in common is loaded once (image_rows.glsl). Private to src/kernel.
#pragma once

#include <optional>
#include <string>

#include "kernel/contraction.h"

namespace tuff {

// How the instructions of the two schedules compare, a row of the window and the results of a tile: `general` is what would be
// taken without this one, and no tile of rows may take more registers than it.
struct ImageRowsChoice {
  std::optional<ContractTile> tile;  // none: the general one is as good or better
  std::string why;                   // one sentence, of either; empty: the kernel has no such schedule at all
};
ImageRowsChoice choose_image_rows(const KernelRequest& request, const ContractTile& general);

Result<Kernel> make_image_rows(const KernelRequest& request, const ContractTile& predicted);

}  // namespace tuff
