import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tuff.Tensor;

/** numpy's .npy files of little-endian 32-bit floats in row-major order, format version 1, on a little-endian machine. */
final class Npy {
  private static final Pattern HEADER =
      Pattern.compile("\\{'descr': '<f4', 'fortran_order': False, 'shape': \\(([0-9, ]*)\\), *\\}\\s*");
  private static final int PREFIX_BYTES = 10; // "\x93NUMPY", version 1.0, the header's length

  private Npy() {}

  static Tensor read(Path path) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    if (file.limit() < PREFIX_BYTES || file.getInt(0) != 0x4d554e93 || file.get(6) != 1) {
      throw new IOException(path + " is no .npy file of version 1.");
    }
    int start = PREFIX_BYTES + Short.toUnsignedInt(file.getShort(8));
    if (start > file.limit()) throw new IOException(path + " ends in its header.");
    String text = new String(file.array(), PREFIX_BYTES, start - PREFIX_BYTES, StandardCharsets.ISO_8859_1);
    Matcher header = HEADER.matcher(text);
    if (!header.matches()) throw new IOException(path + " has no 32-bit floats in row-major order: " + text.strip());
    Stream<String> sizes = Arrays.stream(header.group(1).split(",")).map(String::strip).filter(size -> !size.isEmpty());
    Tensor tensor = Tensor.ofFloats(sizes.mapToLong(Long::parseLong).toArray());
    if (file.limit() - start != tensor.data().capacity()) {
      throw new IOException(path + " has another size than its shape says.");
    }
    tensor.data().duplicate().put(file.position(start));
    return tensor;
  }

  static void write(Path path, Tensor tensor) throws IOException {
    String sizes = Arrays.stream(tensor.shape()).mapToObj(size -> size + ",").collect(Collectors.joining(" "));
    String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + "), }";
    int length = (PREFIX_BYTES + header.length() + 1 + 63) / 64 * 64 - PREFIX_BYTES; // the data begins at a multiple of 64
    header += " ".repeat(length - 1 - header.length()) + "\n";
    ByteBuffer file = ByteBuffer.allocate(PREFIX_BYTES + length + tensor.data().capacity()).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(0x4d554e93).putShort((short) 0x5950).putShort((short) 1).putShort((short) length);
    file.put(header.getBytes(StandardCharsets.ISO_8859_1)).put(tensor.data().duplicate().clear());
    Files.write(path, file.array());
  }
}
