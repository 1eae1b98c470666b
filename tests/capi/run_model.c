/* Runs a model once on the best device and writes its output's bytes: run_model FILE OUT HEIGHT WIDTH. FILE is an artifact
 * (.tuff), or a model where the library has a compiler; its input is f32[1, 3, HEIGHT, WIDTH] and is filled with a pattern. The
 * same program is linked to libtuff and to libtuff_runtime. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tuff/tuff.h>

static tuff_error_t* error;

static void check(tuff_status_t status) {
  char message[1024];
  if (status == TUFF_OK) return;
  tuff_error_message(error, message, sizeof message, NULL);
  fprintf(stderr, "run_model: %s\n", message);
  exit(EXIT_FAILURE);
}

static tuff_program_t* make_program(tuff_device_t* device, const char* path) {
  tuff_program_t* program;
  tuff_model_t* model;
  if (strstr(path, ".tuff")) {
    check(tuff_program_load_file(device, path, TUFF_TEXT_END, NULL, &program, &error));
    return program;
  }
  check(tuff_model_load_file(path, TUFF_TEXT_END, NULL, &model, &error));
  check(tuff_program_create(device, model, NULL, &program, &error));
  tuff_model_release(model);
  return program;
}

/* Says what the program takes and gives, as its own model names it. */
static void print_tensors(const tuff_program_t* program) {
  tuff_model_t* model;
  tuff_direction_t direction;
  check(tuff_program_model(program, &model, &error));
  for (direction = TUFF_INPUT; direction <= TUFF_OUTPUT; ++direction) {
    char name[64], size[32];
    uint32_t rank, axis;
    check(tuff_model_tensor_name(model, direction, 0, name, sizeof name, NULL, &error));
    check(tuff_model_tensor_type(model, direction, 0, NULL, &rank, &error));
    printf("%s %s: [", direction == TUFF_INPUT ? "input" : "output", name);
    for (axis = 0; axis < rank; ++axis) {
      check(tuff_model_tensor_axis(model, direction, 0, axis, NULL, size, sizeof size, NULL, &error));
      printf("%s%s", axis ? ", " : "", size);
    }
    printf("]\n");
  }
  tuff_model_release(model);
}

int main(int argc, char** argv) {
  tuff_device_desc_t any = TUFF_DEVICE_DESC_INIT;
  tuff_device_t* device;
  tuff_program_t* program;
  tuff_session_t* session;
  tuff_tensor_desc_t input = TUFF_TENSOR_DESC_INIT, output = TUFF_TENSOR_DESC_INIT;
  int64_t shape[4] = {1, 3, 0, 0}, sizes[8];
  uint32_t rank = 0, axis;
  uint64_t i, count;
  FILE* file;

  if (argc != 5) return fprintf(stderr, "usage: run_model FILE OUT HEIGHT WIDTH\n"), EXIT_FAILURE;
  shape[2] = atoi(argv[3]);
  shape[3] = atoi(argv[4]);
  any.allow_software = 1;
  check(tuff_device_open(&any, &device, &error));
  program = make_program(device, argv[1]);
  print_tensors(program);
  check(tuff_session_create(program, NULL, &session, &error));

  count = (uint64_t)(3 * shape[2] * shape[3]);
  input.rank = 4;
  input.shape = shape;
  input.size_bytes = count * sizeof(float);
  input.data = malloc((size_t)input.size_bytes);
  if (!input.data) return EXIT_FAILURE;
  for (i = 0; i < count; ++i) ((float*)input.data)[i] = (float)(i * 7 % 251) / 251.0f;
  check(tuff_session_prepare_inputs(session, &input, 1, &error));
  check(tuff_session_tensor_shape(session, TUFF_OUTPUT, 0, sizes, 8, &rank, &error));
  output.size_bytes = sizeof(float);
  for (axis = 0; axis < rank; ++axis) output.size_bytes *= (uint64_t)sizes[axis];
  output.data = malloc((size_t)output.size_bytes);
  if (!output.data) return EXIT_FAILURE;
  check(tuff_session_run(session, &input, 1, &output, 1, &error));

  file = fopen(argv[2], "wb");
  if (!file || fwrite(output.data, 1, (size_t)output.size_bytes, file) != output.size_bytes || fclose(file) != 0)
    return fprintf(stderr, "run_model: cannot write '%s'\n", argv[2]), EXIT_FAILURE;
  free(input.data);
  free(output.data);
  tuff_session_release(session);
  tuff_program_release(program);
  tuff_device_release(device);
  return EXIT_SUCCESS;
}
