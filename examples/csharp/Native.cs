// The structs and functions of tuff.h that Tuff.cs needs, as the header lays them out.
using System;
using System.Runtime.InteropServices;

namespace Tuff {

static class Native {
  const string Library = "tuff";  // libtuff.so; of Windows it would be "tuff-0"
  internal const int F32 = 0;

  [StructLayout(LayoutKind.Sequential)]
  internal struct DeviceDesc {
    public uint StructSize;
    public int AllowSoftware;
    public ulong SelectorLength;
    public IntPtr Selector, Log, LogUserData;
  }

  [StructLayout(LayoutKind.Sequential)]
  internal struct TensorDesc {
    public uint StructSize;
    public int Dtype, Memory;
    public uint Rank;
    public ulong OffsetBytes, SizeBytes;
    public IntPtr Shape, ByteStrides, Data, Buffer;
    public ulong VkBuffer;
  }

  [DllImport(Library)]
  internal static extern void tuff_error_message(IntPtr error, byte[] buffer, ulong capacity, out ulong length);
  [DllImport(Library)]
  internal static extern void tuff_error_release(IntPtr error);
  [DllImport(Library)]
  internal static extern int tuff_device_open(ref DeviceDesc desc, out Device device, out IntPtr error);
  [DllImport(Library)]
  internal static extern void tuff_device_release(IntPtr device);
  [DllImport(Library)]
  internal static extern int tuff_model_load_file(byte[] path, ulong length, IntPtr desc, out Model model, out IntPtr error);
  [DllImport(Library)]
  internal static extern void tuff_model_release(IntPtr model);
  [DllImport(Library)]
  internal static extern int tuff_program_create(Device device, Model model, IntPtr desc, out Program program,
                                                 out IntPtr error);
  [DllImport(Library)]
  internal static extern int tuff_program_load_file(Device device, byte[] path, ulong length, IntPtr desc, out Program program,
                                                    out IntPtr error);
  [DllImport(Library)]
  internal static extern void tuff_program_release(IntPtr program);
  [DllImport(Library)]
  internal static extern int tuff_session_create(Program program, IntPtr desc, out Session session, out IntPtr error);
  [DllImport(Library)]
  internal static extern void tuff_session_release(IntPtr session);
  [DllImport(Library)]
  internal static extern int tuff_session_prepare_inputs(Session session, TensorDesc[] inputs, uint count, out IntPtr error);
  [DllImport(Library)]
  internal static extern int tuff_session_tensor_shape(Session session, int direction, uint index, [Out] long[] sizes,
                                                       uint capacity, out uint rank, out IntPtr error);
  [DllImport(Library)]
  internal static extern int tuff_session_run(Session session, TensorDesc[] inputs, uint inputCount, TensorDesc[] outputs,
                                              uint outputCount, out IntPtr error);
}

}
