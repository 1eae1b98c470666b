// What header_c.c and header_cxx.cpp, compiled by other rules, say of the header.
#include <doctest/doctest.h>

extern "C" int header_c_compiles(void);
bool header_cxx_compiles();

TEST_CASE("every INIT macro sets its struct's size") { CHECK(header_c_compiles() == 1); }
TEST_CASE("tuff.hpp works without exceptions and RTTI") { CHECK(header_cxx_compiles()); }
