/* Runs a model once: hello MODEL.onnx. The model has one f32 input of a fixed shape, which is filled with 0.5. */
#include <stdio.h>
#include <stdlib.h>

#include <tuff/tuff.h>

static tuff_error_t* error;

static void check(tuff_status_t status) {
  char message[1024];
  if (status == TUFF_OK) return;
  tuff_error_message(error, message, sizeof message, NULL);
  fprintf(stderr, "hello: %s\n", message);
  exit(EXIT_FAILURE);
}

/* A tensor for an input or output of the session's shape. */
static tuff_tensor_desc_t tensor(tuff_session_t* session, tuff_direction_t direction) {
  int64_t sizes[8];
  uint32_t rank = 0, axis;
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  check(tuff_session_tensor_shape(session, direction, 0, sizes, 8, &rank, &error));
  t.size_bytes = sizeof(float);
  for (axis = 0; axis < rank && axis < 8; ++axis) t.size_bytes *= (uint64_t)sizes[axis];
  t.data = calloc(1, (size_t)t.size_bytes + 1);
  if (!t.data) exit(EXIT_FAILURE);
  return t;
}

int main(int argc, char** argv) {
  tuff_device_desc_t any = TUFF_DEVICE_DESC_INIT;
  tuff_device_t* device;
  tuff_model_t* model;
  tuff_program_t* program;
  tuff_session_t* session;
  tuff_tensor_desc_t input, output;
  uint64_t i;

  if (argc != 2) return fprintf(stderr, "usage: hello MODEL.onnx\n"), EXIT_FAILURE;
  any.allow_software = 1;
  check(tuff_device_open(&any, &device, &error));
  check(tuff_model_load_file(argv[1], TUFF_TEXT_END, NULL, &model, &error));
  check(tuff_program_create(device, model, NULL, &program, &error));
  check(tuff_session_create(program, NULL, &session, &error));
  check(tuff_session_prepare(session, NULL, 0, &error));
  input = tensor(session, TUFF_INPUT);
  output = tensor(session, TUFF_OUTPUT);
  for (i = 0; i < input.size_bytes / sizeof(float); ++i) ((float*)input.data)[i] = 0.5f;
  check(tuff_session_run(session, &input, 1, &output, 1, &error));
  for (i = 0; i < output.size_bytes / sizeof(float) && i < 4; ++i) printf("%g\n", ((float*)output.data)[i]);

  free(input.data);
  free(output.data);
  tuff_session_release(session);
  tuff_program_release(program);
  tuff_model_release(model);
  tuff_device_release(device);
  return EXIT_SUCCESS;
}
