// packed.glsl: elements of 8 and 16 bits in words, the first in the lowest bits.
//
// In: a word or elements, and which element, counted from any word's first one: it is taken modulo the count in a word. Of an
// element that goes in, bits above its size are ignored. In the subset that numerics.glsl describes.

TUFF_FN uint tuff_u8_of(uint word, int i) { return (word >> (8 * (i & 3))) & 255u; }
TUFF_FN int tuff_i8_of(uint word, int i) { return int(word << (24 - 8 * (i & 3))) >> 24; }
TUFF_FN uint tuff_u16_of(uint word, int i) { return (word >> (16 * (i & 1))) & 65535u; }
TUFF_FN int tuff_i16_of(uint word, int i) { return int(word << (16 - 16 * (i & 1))) >> 16; }

// A word with the element in its place and zeros beside it.
TUFF_FN uint tuff_u8_to(uint element, int i) { return (element & 255u) << (8 * (i & 3)); }
TUFF_FN uint tuff_u16_to(uint element, int i) { return (element & 65535u) << (16 * (i & 1)); }

TUFF_FN uint tuff_word_of_8(uint a, uint b, uint c, uint d) {
  return (a & 255u) | ((b & 255u) << 8) | ((c & 255u) << 16) | (d << 24);
}
TUFF_FN uint tuff_word_of_16(uint a, uint b) { return (a & 65535u) | (b << 16); }
