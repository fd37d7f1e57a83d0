import Tensor

extension TensorSource where Self: WeightFile {
  /// The name of the file.
  public var label: String { file }
}

extension SafeTensorsFile: TensorSource {}
extension NumPyFile: TensorSource {}
extension TorchFile: TensorSource {}

extension SafeTensorsCheckpoint: TensorSource {
  /// The name of the file, or of the first of its shards.
  public var label: String { files.first?.file ?? SafeTensorsCheckpoint.weightsName }

  /// The extents of a tensor; `nil` where there is none of this name.
  public func shape(of name: String) -> Shape? { contains(name) ? try? entry(name).shape : nil }
}

extension PretrainedWeights: TensorSource {
  /// The name of the file, or of the first of its shards.
  public var label: String { files.first?.file ?? SafeTensorsCheckpoint.weightsName }
}
