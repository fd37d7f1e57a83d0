/// The growth of a step of R-AMT with the batch, the image size, and the depth of the model: each at
/// three sizes, the other two as in `step-b4`.
///
/// The expected laws (docs/performance.md): time is linear in batch and depth, and in the tokens except for attention,
/// which is quadratic in them; memory has a part that grows with depth alone, weights, masks and moments, and one that
/// grows with the product of batch, tokens and depth, the activations.
var growthItems: [Item] {
  [2, 4, 8].map { batch in item("batch-\(batch)", batch: batch) }
    + [112, 160, 224].map { size in item("size-\(size)", imageSize: size) }
    + [3, 6, 12].map { blocks in item("depth-\(blocks)", blocks: blocks) }
}

private func item(_ name: String, batch: Int = 4, imageSize: Int = 224, blocks: Int = 12) -> Item {
  Item(name) {
    let training = MaskTuningStep(batch: batch, blocks: blocks, imageSize: imageSize)
    return Work(
      shape: "batch \(batch), \(imageSize)×\(imageSize), \(blocks) blocks", amount: .calls, run: training.step)
  }
}
