/* A Vulkan driver that never comes back once it is loaded: what the command bounds by a child process. */
#include <unistd.h>

__attribute__((constructor)) static void hang(void) {
  for (;;) pause();
}
