// Which 3x3 convolutions are computed in Winograd's form F(2x2, 3x3): a tile of 2x2 results from 16 products a channel, where
// the window itself takes 36. In: the finished groups. Out: Group::winograd, and a Decision for each such convolution.
// Exact mode has none (NUMERICS, rule 8).
//
//   y = A^T (sum over channels of (G g G^T) * (B^T d B)) A,  d: the 4x4 elements that the tile's results see
//   B^T = 1 0 -1 0    G = 1   0    0      A^T = 1 1  1  0
//         0 1  1 0        1/2  1/2 1/2          0 1 -1 -1
//         0 -1 1 0        1/2 -1/2 1/2
//         0 1  0 -1       0   0    1
//
// G g G^T is made once, where weights are uploaded (session/weights.cpp): 16 elements for 9.
#pragma once

#include "fusion/fusion.h"

namespace tuff {

constexpr int64_t kWinogradProducts = 16;

// Of a convolution: how many tiles its image has, and the products that they sum.
struct WinogradExtents {
  IntExpr images, tile_rows, tile_columns;
  IntExpr columns, depth;
  IntExpr tiles() const { return images * tile_rows * tile_columns; }
};
WinogradExtents winograd_extents(const Graph& graph, NodeId convolution);

// What an invocation has: `rows` tiles of results by `columns` vectors of `width` output channels. The lanes of a subgroup have
// the same tiles and channels of their own; each loads and transforms `steps` channels of a tile and passes them around.
struct WinogradTile {
  int rows = 8, columns = 1, width = 1, steps = 1;
  int64_t lanes = 8;
};
int64_t registers_of(const WinogradTile& tile);
// The one that costs least for a result; only where lanes exchange.
WinogradTile choose_winograd_tile(const WinogradExtents& extents, const DeviceInfo& device);

void choose_winograd(Fusion& fusion, const Graph& graph, const FusionOptions& options, const DeviceInfo& device);

}  // namespace tuff
