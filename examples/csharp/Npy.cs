// numpy's .npy files of little-endian 32-bit floats in row-major order, format version 1, on a little-endian machine.
using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Tuff;

static class Npy {
  static readonly byte[] Magic = { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0 };
  static readonly Regex Header =
      new Regex(@"^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9, ]*)\), *\}\s*$");

  public static Tensor Read(string path) {
    byte[] file = File.ReadAllBytes(path);
    int prefix = Magic.Length + 2;  // and the header's length
    if (file.Length < prefix || !file.Take(Magic.Length).SequenceEqual(Magic))
      throw new IOException(path + " is no .npy file of version 1.");
    int start = prefix + file[prefix - 2] + 256 * file[prefix - 1];
    if (start > file.Length) throw new IOException(path + " ends in its header.");
    string text = Encoding.ASCII.GetString(file, prefix, start - prefix);
    Match header = Header.Match(text);
    if (!header.Success) throw new IOException(path + " has no 32-bit floats in row-major order: " + text.Trim());
    var tensor = new Tensor(header.Groups[1].Value.Split(',').Select(s => s.Trim()).Where(s => s != "")
                                .Select(long.Parse).ToArray());
    if (file.LongLength - start != tensor.Data.LongLength * sizeof(float))
      throw new IOException(path + " has another size than its shape says.");
    Buffer.BlockCopy(file, start, tensor.Data, 0, file.Length - start);
    return tensor;
  }

  public static void Write(string path, Tensor tensor) {
    string sizes = string.Join(" ", tensor.Shape.Select(size => size + ","));
    string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + "), }";
    int prefix = Magic.Length + 2;
    int length = (prefix + header.Length + 1 + 63) / 64 * 64 - prefix;  // the data begins at a multiple of 64
    var data = new byte[tensor.Data.Length * sizeof(float)];
    Buffer.BlockCopy(tensor.Data, 0, data, 0, data.Length);
    using (var file = File.Create(path)) {
      file.Write(Magic, 0, Magic.Length);
      file.WriteByte((byte)length);
      file.WriteByte((byte)(length >> 8));
      file.Write(Encoding.ASCII.GetBytes(header.PadRight(length - 1) + "\n"), 0, length);
      file.Write(data, 0, data.Length);
    }
  }
}
