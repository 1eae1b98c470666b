/* Runs the model that tuff_add_artifact has put into it, with the library that has no compiler: prints 0.75, 1, 1.25, 1.5. */
#include <stdio.h>
#include <stdlib.h>

#include <hello.h>
#include <tuff/tuff.h>

static tuff_error_t* error;

static void check(tuff_status_t status) {
  char message[1024];
  if (status == TUFF_OK) return;
  tuff_error_message(error, message, sizeof message, NULL);
  fprintf(stderr, "embedded: %s\n", message);
  exit(EXIT_FAILURE);
}

int main(void) {
  tuff_device_desc_t any = TUFF_DEVICE_DESC_INIT;
  tuff_device_t* device;
  tuff_program_t* program;
  tuff_session_t* session;
  float x[4] = {0.5f, 0.5f, 0.5f, 0.5f}, y[4] = {0};
  tuff_tensor_desc_t input = TUFF_TENSOR_DESC_INIT, output = TUFF_TENSOR_DESC_INIT;

  if ((uintptr_t)hello % 64 != 0) return fprintf(stderr, "embedded: the artifact is not aligned\n"), EXIT_FAILURE;
  any.allow_software = 1;
  check(tuff_device_open(&any, &device, &error));
  check(tuff_program_load_memory(device, hello, hello_size, NULL, &program, &error));
  check(tuff_session_create(program, NULL, &session, &error));
  input.data = x;
  input.size_bytes = sizeof x;
  output.data = y;
  output.size_bytes = sizeof y;
  check(tuff_session_run(session, &input, 1, &output, 1, &error));
  printf("%g %g %g %g\n", y[0], y[1], y[2], y[3]);
  tuff_session_release(session);
  tuff_program_release(program);
  tuff_device_release(device);
  return EXIT_SUCCESS;
}
