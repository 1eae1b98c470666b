"""Runs a model through Tuff's C API with ctypes and numpy: python3 tuff_run.py LIBTUFF.so MODEL.onnx INPUT.npy OUTPUT.npy

The model has one f32 input and one f32 output. A binding needs no more than this: structs as the header lays them out, a
status that is checked, handles that are released.
"""

import ctypes as c
import sys

import numpy as np

ANY_LENGTH = 2**64 - 1  # TUFF_TEXT_END: up to the NUL
INPUT, OUTPUT = 0, 1
F32 = 0


class DeviceDesc(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("allow_software", c.c_int32), ("selector_length", c.c_uint64),
                ("selector", c.c_char_p), ("log", c.c_void_p), ("log_user_data", c.c_void_p)]


class TensorDesc(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("dtype", c.c_int32), ("memory", c.c_int32), ("rank", c.c_uint32),
                ("offset_bytes", c.c_uint64), ("size_bytes", c.c_uint64), ("shape", c.POINTER(c.c_int64)),
                ("byte_strides", c.POINTER(c.c_int64)), ("data", c.c_void_p)]


class Tuff:
    """The library, with each fallible call raising its message."""

    def __init__(self, path):
        self.library = c.CDLL(path)

    def __call__(self, name, *arguments):
        error = c.c_void_p()
        if getattr(self.library, name)(*arguments, c.byref(error)) != 0:
            message = c.create_string_buffer(4096)
            self.library.tuff_error_message(error, message, c.c_uint64(len(message)), None)
            self.library.tuff_error_release(error)
            raise RuntimeError(f"{name}: {message.value.decode()}")

    def made(self, name, *arguments):
        handle = c.c_void_p()
        self(name, *arguments, c.byref(handle))
        return handle


def tensor(array):
    return TensorDesc(c.sizeof(TensorDesc), F32, 0, array.ndim, 0, array.nbytes, array.ctypes.shape_as(c.c_int64),
                      array.ctypes.strides_as(c.c_int64), array.ctypes.data)


def run(tuff, model_path, x):
    desc = DeviceDesc(c.sizeof(DeviceDesc), 1, ANY_LENGTH, None, None, None)
    device = tuff.made("tuff_device_open", c.byref(desc))
    model = tuff.made("tuff_model_load_file", model_path.encode(), c.c_uint64(ANY_LENGTH), None)
    program = tuff.made("tuff_program_create", device, model, None)
    session = tuff.made("tuff_session_create", program, None)
    tuff("tuff_session_prepare_inputs", session, c.byref(tensor(x)), 1)
    sizes, rank = (c.c_int64 * 8)(), c.c_uint32()
    tuff("tuff_session_tensor_shape", session, OUTPUT, 0, sizes, 8, c.byref(rank))
    y = np.empty(sizes[: rank.value], np.float32)
    tuff("tuff_session_run", session, c.byref(tensor(x)), 1, c.byref(tensor(y)), 1)
    for kind, handle in (("session", session), ("program", program), ("model", model), ("device", device)):
        getattr(tuff.library, f"tuff_{kind}_release")(handle)
    return y


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__.splitlines()[0])
    np.save(sys.argv[4], run(Tuff(sys.argv[1]), sys.argv[2], np.load(sys.argv[3]).astype(np.float32, copy=False)))
