// Tuff's C API by P/Invoke: device, model, program, session, tensor. What the library refuses is a TuffException.
using System;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;

namespace Tuff {

/// <summary>What a function answered instead of doing what it was asked; the message is the library's.</summary>
public sealed class TuffException : Exception {
  /// <summary>TUFF_INVALID_ARGUMENT, ..., as tuff.h numbers them.</summary>
  public readonly int Status;

  TuffException(int status, string message) : base(message) { Status = status; }

  // Throws for a status that is not TUFF_OK, and ends the error.
  internal static void Check(int status, IntPtr error) {
    if (status == 0) return;
    ulong length;
    Native.tuff_error_message(error, null, 0, out length);
    var text = new byte[length + 1];
    Native.tuff_error_message(error, text, (ulong)text.Length, out length);
    Native.tuff_error_release(error);
    throw new TuffException(status, Encoding.UTF8.GetString(text, 0, text.Length - 1));
  }
}

/// <summary>Owns one reference to an object of the library's. They may be disposed in any order.</summary>
public abstract class Handle : SafeHandle {
  protected Handle() : base(IntPtr.Zero, true) {}
  public override bool IsInvalid { get { return handle == IntPtr.Zero; } }
}

/// <summary>A GPU, or a driver that computes on the CPU. Threads may share it.</summary>
public sealed class Device : Handle {
  /// <summary>The device with this index, UUID or part of a name; null: the best. One that computes on the CPU only if that is
  /// allowed.</summary>
  public static Device Open(bool allowSoftware, string selector = null) {
    byte[] text = selector == null ? null : Encoding.UTF8.GetBytes(selector);
    GCHandle pinned = GCHandle.Alloc(text, GCHandleType.Pinned);
    try {
      var desc = new Native.DeviceDesc {
        StructSize = (uint)Marshal.SizeOf<Native.DeviceDesc>(), AllowSoftware = allowSoftware ? 1 : 0,
        SelectorLength = text == null ? 0 : (ulong)text.Length, Selector = pinned.AddrOfPinnedObject()
      };
      Device device;
      IntPtr error;
      TuffException.Check(Native.tuff_device_open(ref desc, out device, out error), error);
      return device;
    } finally {
      pinned.Free();
    }
  }

  protected override bool ReleaseHandle() {
    Native.tuff_device_release(handle);
    return true;
  }
}

/// <summary>A network as its file has it; knows no device. Threads may share it.</summary>
public sealed class Model : Handle {
  /// <summary>From an ONNX file, which stays mapped while the model or a program of it lives.</summary>
  public static Model Load(string path) {
    byte[] text = Encoding.UTF8.GetBytes(path);
    Model model;
    IntPtr error;
    TuffException.Check(Native.tuff_model_load_file(text, (ulong)text.Length, IntPtr.Zero, out model, out error), error);
    return model;
  }

  protected override bool ReleaseHandle() {
    Native.tuff_model_release(handle);
    return true;
  }
}

/// <summary>A model compiled for a device, with its weights there. Threads may share it.</summary>
public sealed class Program : Handle {
  /// <summary>Compiles; the model may be disposed afterwards.</summary>
  public static Program Compile(Device device, Model model) {
    Program program;
    IntPtr error;
    TuffException.Check(Native.tuff_program_create(device, model, IntPtr.Zero, out program, out error), error);
    return program;
  }

  /// <summary>From an artifact (.tuff), without compiling. The file must not be changed while the program lives.</summary>
  public static Program Load(Device device, string path) {
    byte[] text = Encoding.UTF8.GetBytes(path);
    Program program;
    IntPtr error;
    TuffException.Check(
        Native.tuff_program_load_file(device, text, (ulong)text.Length, IntPtr.Zero, out program, out error), error);
    return program;
  }

  protected override bool ReleaseHandle() {
    Native.tuff_program_release(handle);
    return true;
  }
}

/// <summary>32-bit floats in row-major order without gaps.</summary>
public sealed class Tensor {
  public readonly long[] Shape;
  public readonly float[] Data;

  public Tensor(long[] shape) {
    Shape = shape;
    Data = new float[shape.Aggregate(1L, (product, size) => checked(product * size))];
  }
}

/// <summary>Buffers and recordings for one stream of runs of a program. Used by one thread at a time.</summary>
public sealed class Session : Handle {
  public static Session Create(Program program) {
    Session session;
    IntPtr error;
    TuffException.Check(Native.tuff_session_create(program, IntPtr.Zero, out session, out error), error);
    return session;
  }

  /// <summary>Allocates and records for inputs of these shapes; their data is not read.</summary>
  public void Prepare(params Tensor[] inputs) {
    using (var pinned = new PinnedTensors(inputs)) {
      IntPtr error;
      TuffException.Check(Native.tuff_session_prepare_inputs(this, pinned.Descs, (uint)inputs.Length, out error), error);
    }
  }

  /// <summary>The shape of an output for the inputs that were prepared or run last.</summary>
  public long[] OutputShape(uint index) {
    const int output = 1;
    uint rank;
    IntPtr error;
    TuffException.Check(Native.tuff_session_tensor_shape(this, output, index, null, 0, out rank, out error), error);
    var sizes = new long[rank];
    TuffException.Check(Native.tuff_session_tensor_shape(this, output, index, sizes, rank, out rank, out error), error);
    return sizes;
  }

  /// <summary>Runs and waits: all of the model's inputs in order, and the first of its outputs.</summary>
  public void Run(Tensor[] inputs, Tensor[] outputs) {
    using (var read = new PinnedTensors(inputs))
    using (var written = new PinnedTensors(outputs)) {
      IntPtr error;
      TuffException.Check(Native.tuff_session_run(this, read.Descs, (uint)inputs.Length, written.Descs, (uint)outputs.Length,
                                                  out error), error);
    }
  }

  protected override bool ReleaseHandle() {
    Native.tuff_session_release(handle);
    return true;
  }
}

// Tensors that stay where they are until this is disposed.
sealed class PinnedTensors : IDisposable {
  public readonly Native.TensorDesc[] Descs;
  readonly GCHandle[] pins;

  public PinnedTensors(Tensor[] tensors) {
    pins = tensors.SelectMany(t => new Array[] { t.Shape, t.Data })
               .Select(array => GCHandle.Alloc(array, GCHandleType.Pinned)).ToArray();
    Descs = tensors.Select((t, i) => new Native.TensorDesc {
      StructSize = (uint)Marshal.SizeOf<Native.TensorDesc>(), Dtype = Native.F32, Rank = (uint)t.Shape.Length,
      SizeBytes = (ulong)t.Data.Length * sizeof(float), Shape = pins[2 * i].AddrOfPinnedObject(),
      Data = pins[2 * i + 1].AddrOfPinnedObject()
    }).ToArray();
  }

  public void Dispose() {
    foreach (GCHandle pin in pins) pin.Free();
  }
}

}
