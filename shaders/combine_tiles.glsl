// The end of a reduction over an image, whose elements in a workgroup's tile its invocations have combined in `part`: the parts
// of those with the same `slot`, a vector of channels; then, where an image has several tiles, what their workgroups have left,
// by the last of them. Slots:
//   tree      combine_tree.glsl
//   arrive    arrive.glsl: only the last workgroup goes on
//   left      where the tile `from` of this image leaves a vector of these channels
//   results   what follows the reduction, and the stores
${tree}
//@if image_tiles
if (lane == 0) {
  int from = tile;
  partials.e[${left}] = part;
}
${arrive}
part = ${vector}(${part_identity});
for (int from = lane; from < ${image_tiles}; from += ${lanes}) part = combine(part, partials.e[${left}]);
${tree}
//@end
if (${has_result}) {
  ${results}
}
