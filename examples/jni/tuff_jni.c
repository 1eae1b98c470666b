/* The native methods of tuff/Native.java over tuff.h. Each throws what the library says: a tuff.TuffException. */
#include <stdlib.h>

#include <tuff/tuff.h>
#include <tuff_Native.h> /* made by javac -h */

/* The status and the message, thrown; nothing for TUFF_OK. Ends the error, which is read here: a call that sets it may stand
 * in the same argument list. */
static void throw_status(JNIEnv* env, tuff_status_t status, tuff_error_t** error) {
  char text[4096];
  uint64_t length = 0;
  jclass type;
  jmethodID constructor;
  jbyteArray message;
  jobject exception;
  if (status == TUFF_OK) return;
  tuff_error_message(*error, text, sizeof text, &length);
  tuff_error_release(*error);
  if (length > sizeof text - 1) length = sizeof text - 1;
  /* What fails below has thrown an exception of Java's own. */
  if (!(message = (*env)->NewByteArray(env, (jsize)length))) return;
  (*env)->SetByteArrayRegion(env, message, 0, (jsize)length, (const jbyte*)text);
  if (!(type = (*env)->FindClass(env, "tuff/TuffException"))) return;
  if (!(constructor = (*env)->GetMethodID(env, type, "<init>", "(I[B)V"))) return;
  if ((exception = (*env)->NewObject(env, type, constructor, (jint)status, message))) (*env)->Throw(env, (jthrowable)exception);
}

static void throw_out_of_memory(JNIEnv* env) {
  jclass type = (*env)->FindClass(env, "java/lang/OutOfMemoryError");
  if (type) (*env)->ThrowNew(env, type, "tuff_jni has no memory");
}

static void* pointer(jlong handle) { return (void*)(intptr_t)handle; }
static jlong handle(const void* pointer) { return (jlong)(intptr_t)pointer; }

JNIEXPORT jlong JNICALL Java_tuff_Native_openDevice(JNIEnv* env, jclass self, jbyteArray selector, jboolean allow_software) {
  tuff_device_desc_t desc = TUFF_DEVICE_DESC_INIT;
  tuff_device_t* device = NULL;
  tuff_error_t* error = NULL;
  jbyte* text = selector ? (*env)->GetByteArrayElements(env, selector, NULL) : NULL;
  (void)self;
  if (selector && !text) return 0;
  desc.allow_software = allow_software;
  desc.selector = (const char*)text;
  desc.selector_length = text ? (uint64_t)(*env)->GetArrayLength(env, selector) : 0;
  throw_status(env, tuff_device_open(&desc, &device, &error), &error);
  if (text) (*env)->ReleaseByteArrayElements(env, selector, text, JNI_ABORT);
  return handle(device);
}

JNIEXPORT void JNICALL Java_tuff_Native_releaseDevice(JNIEnv* env, jclass self, jlong device) {
  (void)env, (void)self;
  tuff_device_release(pointer(device));
}

JNIEXPORT jlong JNICALL Java_tuff_Native_loadModel(JNIEnv* env, jclass self, jbyteArray path) {
  tuff_model_t* model = NULL;
  tuff_error_t* error = NULL;
  jbyte* text = (*env)->GetByteArrayElements(env, path, NULL);
  const uint64_t length = (uint64_t)(*env)->GetArrayLength(env, path);
  (void)self;
  if (!text) return 0;
  throw_status(env, tuff_model_load_file((const char*)text, length, NULL, &model, &error), &error);
  (*env)->ReleaseByteArrayElements(env, path, text, JNI_ABORT);
  return handle(model);
}

JNIEXPORT void JNICALL Java_tuff_Native_releaseModel(JNIEnv* env, jclass self, jlong model) {
  (void)env, (void)self;
  tuff_model_release(pointer(model));
}

JNIEXPORT jlong JNICALL Java_tuff_Native_createProgram(JNIEnv* env, jclass self, jlong device, jlong model) {
  tuff_program_t* program = NULL;
  tuff_error_t* error = NULL;
  (void)self;
  throw_status(env, tuff_program_create(pointer(device), pointer(model), NULL, &program, &error), &error);
  return handle(program);
}

JNIEXPORT jlong JNICALL Java_tuff_Native_loadProgram(JNIEnv* env, jclass self, jlong device, jbyteArray path) {
  tuff_program_t* program = NULL;
  tuff_error_t* error = NULL;
  jbyte* text = (*env)->GetByteArrayElements(env, path, NULL);
  const uint64_t length = (uint64_t)(*env)->GetArrayLength(env, path);
  (void)self;
  if (!text) return 0;
  throw_status(env, tuff_program_load_file(pointer(device), (const char*)text, length, NULL, &program, &error), &error);
  (*env)->ReleaseByteArrayElements(env, path, text, JNI_ABORT);
  return handle(program);
}

JNIEXPORT void JNICALL Java_tuff_Native_releaseProgram(JNIEnv* env, jclass self, jlong program) {
  (void)env, (void)self;
  tuff_program_release(pointer(program));
}

JNIEXPORT jlong JNICALL Java_tuff_Native_createSession(JNIEnv* env, jclass self, jlong program) {
  tuff_session_t* session = NULL;
  tuff_error_t* error = NULL;
  (void)self;
  throw_status(env, tuff_session_create(pointer(program), NULL, &session, &error), &error);
  return handle(session);
}

JNIEXPORT void JNICALL Java_tuff_Native_releaseSession(JNIEnv* env, jclass self, jlong session) {
  (void)env, (void)self;
  tuff_session_release(pointer(session));
}

/* Java's columns and the descs that are made of them. */
typedef struct tensors {
  jintArray dtypes_array, ranks_array;
  jlongArray sizes_array;
  jint *dtypes, *ranks;
  jlong* sizes;
  tuff_tensor_desc_t* descs;
} tensors_t;

/* Gives back what take_tensors took, as far as it came. */
static void give_back(JNIEnv* env, tensors_t* t) {
  if (t->dtypes) (*env)->ReleaseIntArrayElements(env, t->dtypes_array, t->dtypes, JNI_ABORT);
  if (t->ranks) (*env)->ReleaseIntArrayElements(env, t->ranks_array, t->ranks, JNI_ABORT);
  if (t->sizes) (*env)->ReleaseLongArrayElements(env, t->sizes_array, t->sizes, JNI_ABORT);
  free(t->descs);
}

/* Fills *t; 0 with an exception thrown where there is no memory. The arrays' lengths agree, and the buffers are direct:
 * Session.java and Tensor.java see to it. */
static int take_tensors(JNIEnv* env, jintArray dtypes, jintArray ranks, jlongArray sizes, jobjectArray data, tensors_t* t) {
  const jsize count = (*env)->GetArrayLength(env, dtypes);
  jlong first = 0;
  jsize i;
  t->dtypes_array = dtypes, t->ranks_array = ranks, t->sizes_array = sizes;
  t->ranks = NULL, t->sizes = NULL, t->descs = NULL;
  t->dtypes = (*env)->GetIntArrayElements(env, dtypes, NULL);
  if (t->dtypes) t->ranks = (*env)->GetIntArrayElements(env, ranks, NULL);
  if (t->ranks) t->sizes = (*env)->GetLongArrayElements(env, sizes, NULL);
  if (!t->sizes) return give_back(env, t), 0;
  t->descs = calloc((size_t)count + 1, sizeof *t->descs);
  if (!t->descs) return give_back(env, t), throw_out_of_memory(env), 0;
  for (i = 0; i < count; ++i) {
    tuff_tensor_desc_t desc = TUFF_TENSOR_DESC_INIT;
    jobject buffer = (*env)->GetObjectArrayElement(env, data, i);
    desc.dtype = t->dtypes[i];
    desc.rank = (uint32_t)t->ranks[i];
    desc.shape = (const int64_t*)(t->sizes + first);
    desc.data = (*env)->GetDirectBufferAddress(env, buffer);
    desc.size_bytes = (uint64_t)(*env)->GetDirectBufferCapacity(env, buffer);
    (*env)->DeleteLocalRef(env, buffer);
    t->descs[i] = desc;
    first += t->ranks[i];
  }
  return 1;
}

JNIEXPORT void JNICALL Java_tuff_Native_prepare(JNIEnv* env, jclass self, jlong session, jintArray dtypes, jintArray ranks,
                                                jlongArray sizes, jobjectArray data) {
  tuff_error_t* error = NULL;
  tensors_t inputs;
  tuff_status_t status;
  (void)self;
  if (!take_tensors(env, dtypes, ranks, sizes, data, &inputs)) return;
  status = tuff_session_prepare_inputs(pointer(session), inputs.descs, (uint32_t)(*env)->GetArrayLength(env, dtypes), &error);
  give_back(env, &inputs);
  throw_status(env, status, &error);
}

JNIEXPORT jlongArray JNICALL Java_tuff_Native_outputShape(JNIEnv* env, jclass self, jlong session, jint index) {
  int64_t* sizes;
  uint32_t rank = 0;
  tuff_error_t* error = NULL;
  jlongArray shape = NULL;
  tuff_status_t status = tuff_session_tensor_shape(pointer(session), TUFF_OUTPUT, (uint32_t)index, NULL, 0, &rank, &error);
  (void)self;
  if (status != TUFF_OK) return throw_status(env, status, &error), NULL;
  sizes = calloc((size_t)rank + 1, sizeof *sizes);
  if (!sizes) return throw_out_of_memory(env), NULL;
  status = tuff_session_tensor_shape(pointer(session), TUFF_OUTPUT, (uint32_t)index, sizes, rank, &rank, &error);
  throw_status(env, status, &error);
  if (status == TUFF_OK && (shape = (*env)->NewLongArray(env, (jsize)rank)))
    (*env)->SetLongArrayRegion(env, shape, 0, (jsize)rank, (const jlong*)sizes);
  free(sizes);
  return shape;
}

JNIEXPORT void JNICALL Java_tuff_Native_run(JNIEnv* env, jclass self, jlong session, jintArray dtypes, jintArray ranks,
                                            jlongArray sizes, jobjectArray data, jint input_count) {
  tuff_error_t* error = NULL;
  tensors_t all;
  tuff_status_t status;
  const jint output_count = (*env)->GetArrayLength(env, dtypes) - input_count;
  (void)self;
  if (!take_tensors(env, dtypes, ranks, sizes, data, &all)) return;
  status = tuff_session_run(pointer(session), all.descs, (uint32_t)input_count, all.descs + input_count, (uint32_t)output_count,
                            &error);
  give_back(env, &all);
  throw_status(env, status, &error);
}
