// Runs a model with one f32 input and one f32 output: mono tuff_run.exe MODEL.onnx INPUT.npy OUTPUT.npy
using System;
using System.IO;
using Tuff;

static class TuffRun {
  static int Main(string[] arguments) {
    if (arguments.Length != 3) {
      Console.Error.WriteLine("usage: mono tuff_run.exe MODEL.onnx INPUT.npy OUTPUT.npy");
      return 1;
    }
    try {
      Run(arguments[0], arguments[1], arguments[2]);
      return 0;
    } catch (Exception e) when (e is IOException || e is TuffException) {
      Console.Error.WriteLine("tuff_run: " + e.Message);
      return 1;
    }
  }

  static void Run(string modelPath, string inputPath, string outputPath) {
    using (var device = Device.Open(allowSoftware: true))
    using (var model = Model.Load(modelPath))
    using (var program = Program.Compile(device, model))
    using (var session = Session.Create(program)) {
      var inputs = new[] { Npy.Read(inputPath) };
      session.Prepare(inputs);
      var output = new Tensor(session.OutputShape(0));
      session.Run(inputs, new[] { output });
      Npy.Write(outputPath, output);
    }
  }
}
