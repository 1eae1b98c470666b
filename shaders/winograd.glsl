// Winograd F(2x2, 3x3): C[tile, p, n] = epilogue(A^T (sum over k of U[t, k, n] * V[t, tile, k]) A), where the 16 t are places
// in a tile's 4x4 elements, U = G w G^T lies in memory and V = B^T d B is made as d is loaded (fusion/winograd.h).
//
// The workgroup is one subgroup, whose lanes have the same `rows` tiles and columns of their own: each loads and transforms
// `steps` k of a tile and passes them around. The sums of one t are in registers along k, then go into the tile's four results
// with their factors, 0, 1 or -1. Slots:
//   setup      coordinates of the tiles and columns
//   tap        the two rows and columns of d of which t is a sum or a difference
//   loads_a    a_<row>_<step>; loads_b_<step>: b_<step>_<column>
//   epilogue   bias, activation, residual, stores, for each of the four results
layout(local_size_x = ${workgroup_x}, local_size_y = 1, local_size_z = 1) in;
${declarations}
void main() {
  ${setup}
  ${rows_setup}
//@for i rows
//@for j columns
//@for p results
  ${vector} y_${i}_${j}_${p} = ${vector}(0);
//@end
//@end
//@end
  for (int t = 0; t < 16; ++t) {
    int u = t / 4, v = t % 4;
    int row_a = u == 0 ? 0 : u == 2 ? 2 : 1, row_b = u == 3 ? 3 : u == 2 ? 1 : 2;
    int column_a = v == 0 ? 0 : v == 2 ? 2 : 1, column_b = v == 3 ? 3 : v == 2 ? 1 : 2;
    float row_sign = u == 1 ? 1.0 : -1.0, column_sign = v == 1 ? 1.0 : -1.0;
    float upper = u < 3 ? 1.0 : 0.0, lower = u == 0 ? 0.0 : row_sign;
    float left = v < 3 ? 1.0 : 0.0, right = v == 0 ? 0.0 : column_sign;
    ${tap}
//@for i rows
//@for j columns
    ${vector} acc_${i}_${j} = ${vector}(0);
//@end
//@end
    for (int k = 0; k < ${k_count}; ++k) {
      ${loads_a}
//@for s steps
      ${loads_b_${s}}
//@for i rows
//@for j columns
      acc_${i}_${j} = fma(${vector}(a_${i}_${s}), b_${s}_${j}, acc_${i}_${j});
//@end
//@end
//@end
    }
//@for i rows
//@for j columns
    y_${i}_${j}_0 = fma(${vector}(upper * left), acc_${i}_${j}, y_${i}_${j}_0);
    y_${i}_${j}_1 = fma(${vector}(upper * right), acc_${i}_${j}, y_${i}_${j}_1);
    y_${i}_${j}_2 = fma(${vector}(lower * left), acc_${i}_${j}, y_${i}_${j}_2);
    y_${i}_${j}_3 = fma(${vector}(lower * right), acc_${i}_${j}, y_${i}_${j}_3);
//@end
//@end
  }
  ${epilogue}
}
