import Formats
import Tensor

extension TensorSource where Self: WeightFile {
  /// The name of the file.
  public var label: String { file }
}

extension SafeTensorsFile: TensorSource {}
extension NumPyFile: TensorSource {}
extension TorchFile: TensorSource {}

extension PretrainedWeights: TensorSource {
  /// The name of the file, or of the first of its shards.
  public var label: String { files.first?.file ?? "weights" }
}
