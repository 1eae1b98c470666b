import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import tuff.Device;
import tuff.Model;
import tuff.Program;
import tuff.Session;
import tuff.Tensor;
import tuff.TuffException;

/** Runs a model with one f32 input and one f32 output: java -jar tuff_run.jar MODEL.onnx INPUT.npy OUTPUT.npy */
final class TuffRun {
  private TuffRun() {}

  public static void main(String[] arguments) {
    if (arguments.length != 3) {
      System.err.println("usage: java -jar tuff_run.jar MODEL.onnx INPUT.npy OUTPUT.npy");
      System.exit(1);
    }
    try {
      run(arguments[0], Path.of(arguments[1]), Path.of(arguments[2]));
    } catch (IOException | TuffException e) {
      System.err.println("tuff_run: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void run(String modelPath, Path inputPath, Path outputPath) throws IOException {
    try (Device device = Device.open(true);
        Model model = Model.load(modelPath);
        Program program = Program.compile(device, model);
        Session session = Session.create(program)) {
      List<Tensor> inputs = List.of(Npy.read(inputPath));
      session.prepare(inputs);
      Tensor output = Tensor.ofFloats(session.outputShape(0));
      session.run(inputs, List.of(output));
      Npy.write(outputPath, output);
    }
  }
}
