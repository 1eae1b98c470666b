"""NumPy's files without NumPy, so that the command's reader meets another writer.

write_npy and write_npz take nested lists of numbers flattened row-major; read_npy gives (descr, shape, elements).
"""

import ast
import io
import struct
import zipfile

FORMATS = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q", "|u1": "B", "|b1": "?", "<f2": "e", "|i1": "b"}


def npy_bytes(elements, shape, descr="<f4", fortran=False, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}"
    prefix = 10 if version == 1 else 12
    header += " " * (-(prefix + len(header) + 1) % 64) + "\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    data = struct.pack(f"<{len(elements)}{FORMATS[descr]}", *elements)
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def parse_npy(data):
    assert data[:6] == b"\x93NUMPY"
    (length,) = struct.unpack("<H", data[8:10])
    header = ast.literal_eval(data[10 : 10 + length].decode())
    assert (10 + length) % 64 == 0
    assert not header["fortran_order"]
    count = 1
    for size in header["shape"]:
        count *= size
    kind = FORMATS[header["descr"]]
    elements = struct.unpack(f"<{count}{kind}", data[10 + length :])
    return header["descr"], header["shape"], list(elements)


def write_npy(path, *args, **kwargs):
    path.write_bytes(npy_bytes(*args, **kwargs))


def read_npy(path):
    return parse_npy(path.read_bytes())


def npz_bytes(arrays, compressed):
    """arrays: name -> npy bytes."""
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                member.write(content)
    return out.getvalue()


def _varint(v):
    out = b""
    while v >= 128:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def field_bytes(number, content):
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def tensor_proto(elements, shape, name="", raw=True, data_type=1):
    """The bytes of ONNX's TensorProto: f32, in raw_data or as packed float_data."""
    out = b"".join(_varint(1 << 3) + _varint(size) for size in shape) + _varint(2 << 3) + _varint(data_type)
    out += field_bytes(8, name.encode()) if name else b""
    return out + field_bytes(9 if raw else 4, struct.pack(f"<{len(elements)}f", *elements))
