import Checks
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// The named intermediates of a pass: those of every kind of block are those of its layers, composed by hand.
@Suite struct ObservedPartsTests {
  /// What an observer saw, in order.
  private final class Seen {
    var names: [String] = []
    var values: [Tensor] = []

    func pass(draws: TrainingDraws? = nil) -> Pass {
      Pass(
        draws: draws,
        observer: { name, value in
          self.names.append(name)
          self.values.append(value)
        })
    }
  }

  private let pass = Pass()

  private func input(_ shape: Shape) -> Variable { Variable(CheckNumbers(seed: 3).tensor(shape)) }

  /// The names of a block that shows the given parts, its output last.
  private func names(_ block: String, _ parts: String...) -> [String] { parts.map { "\(block).\($0)" } + [block] }

  private func expect(_ seen: Seen, _ names: [String], _ values: [Variable]) {
    #expect(seen.names == names)
    #expect(seen.values == values.map(\.value))
  }

  private let transformer = TransformerConfiguration(
    width: 6, hiddenWidth: 11, blocks: 2, heads: 2, activation: .quickGELU, epsilon: 1e-5)

  private var clip: CLIP {
    CLIP.random(
      CLIPConfiguration(
        vision: VisionConfiguration(transformer: transformer, imageSize: 8, patchSize: 4),
        text: TextConfiguration(transformer: transformer, vocabulary: 7, contextLength: 5), embedding: 3), seed: 1)
  }

  private var resNet: CLIP {
    let vision = ResNetConfiguration(stages: [2, 1, 1, 1], width: 2, heads: 2, imageSize: 32)
    return CLIP.random(
      CLIPConfiguration(
        vision: .resNet(vision),
        text: TextConfiguration(transformer: transformer, vocabulary: 7, contextLength: 5), embedding: 3), seed: 1)
  }

  private func swin() throws -> Swin {
    let size = SwinConfiguration(
      blocks: [2, 1], heads: [1, 2], width: 4, expansion: 2, window: 2, imageSize: 8, patchSize: 2)
    return try #require(ImageBackbone.random(.swin(size), classes: nil, seed: 1).tower as? Swin)
  }

  private func convNeXt(hasLayerScale: Bool) throws -> ConvNeXt {
    let size = ConvNeXtConfiguration(
      blocks: [1, 2], widths: [3, 4], expansion: 2, kernelSize: 3, imageSize: 8, patchSize: 2,
      hasLayerScale: hasLayerScale)
    return try #require(ImageBackbone.random(.convNeXt(size), classes: nil, seed: 1).tower as? ConvNeXt)
  }

  private func composed(_ block: TransformerBlock, _ z: Variable) -> [Variable] {
    let x = block.attentionNorm(z, pass)
    let attention = block.output(
      block.query(x, pass).attention(
        keys: block.key(x, pass), values: block.value(x, pass), heads: block.heads, isCausal: block.isCausal), pass)
    let middle = z.adding(attention)
    let mlp = block.down(block.activation(block.up(block.mlpNorm(middle, pass), pass)), pass)
    let sum = middle.adding(mlp)
    return [attention, middle, mlp, sum, sum]
  }

  @Test(arguments: [0, 1]) func partsOfATransformerBlock(_ index: Int) throws {
    let clip = clip
    let vision = try #require(clip.vision as? VisionTransformer)
    for block in [vision.blocks[index], clip.text.blocks[index]] {
      let (seen, z) = (Seen(), input([2, 5, 6]))
      _ = block(z, seen.pass())
      expect(
        seen, names(block.name, "attention", "attention.residual", "mlp", "mlp.residual"), composed(block, z))
    }
  }

  /// The windows of the second block are shifted.
  @Test(arguments: [0, 1]) func partsOfASwinBlock(_ index: Int) throws {
    let block = try swin().stages[0].blocks[index]
    let (seen, z) = (Seen(), input([2, 16, 4]))
    _ = block(z, seen.pass())

    let x = block.attentionNorm(z, pass).permutingTokens(block.order)
    let inWindows: Shape = [8, 4, 4]
    let windows = block.query(x, pass).reshaped(to: inWindows).windowAttention(
      keys: block.key(x, pass).reshaped(to: inWindows), values: block.value(x, pass).reshaped(to: inWindows),
      relativePositions: pass[try #require(block.positionBias)], heads: block.heads, in: block.windows)
    let attention = block.output(windows.reshaped(to: z.shape), pass).permutingTokens(block.order.inverse)
    let middle = z.adding(attention)
    let mlp = block.down(block.activation(block.up(block.mlpNorm(middle, pass), pass)), pass)
    let sum = middle.adding(mlp)
    expect(
      seen, names(block.name, "attention", "attention.residual", "mlp", "mlp.residual"),
      [attention, middle, mlp, sum, sum])
  }

  @Test(arguments: [true, false]) func partsOfAConvNeXtBlock(hasLayerScale: Bool) throws {
    let block = try convNeXt(hasLayerScale: hasLayerScale).stages[1].blocks[1]
    let (seen, z) = (Seen(), input([2, 4, 4]))
    _ = block(z, seen.pass())

    let depthwise = z.reshaped(to: [2, 2, 2, 4])
      .depthwiseConvolution(pass[block.kernel], bias: pass[block.bias]).reshaped(to: z.shape)
    var mlp = block.down(block.activation(block.up(block.norm(depthwise, pass), pass)), pass)
    if let layerScale = block.layerScale { mlp = mlp.scaledChannels(by: pass[layerScale]) }
    #expect((block.layerScale != nil) == hasLayerScale)
    let sum = z.adding(mlp)
    expect(seen, names(block.name, "depthwise", "mlp", "mlp.residual"), [depthwise, mlp, sum, sum])
  }

  /// With a convolution in the shortcut, without one, and with a stride.
  @Test(arguments: [0, 1, 2]) func partsOfABottleneck(_ index: Int) throws {
    let block = try #require(resNet.vision as? ModifiedResNet).blocks[index]
    #expect((block.downsample == nil) == (index == 1) && (block.stride == 2) == (index == 2))
    let (seen, x) = (Seen(), input([2, index == 0 ? 2 : 8, 4, 4]))
    _ = block(x, seen.pass())

    func pooled(_ x: Variable) -> Variable { block.stride == 1 ? x : x.averagePooled(by: block.stride) }
    let first = block.norm1(block.convolution1(x, pass), pass).relu()
    let second = block.norm2(block.convolution2(first, pass), pass).relu()
    let third = block.norm3(block.convolution3(pooled(second), pass), pass)
    let shortcut = block.downsample.map { $0.norm($0.convolution(pooled(x), pass), pass) } ?? x
    let sum = third.adding(shortcut)
    expect(seen, names(block.name, "norm3", "norm3.residual"), [third, sum, sum.relu()])
  }

  /// A branch is shown as it is calculated, the sum as it is used.
  @Test func branchesAreShownBeforeTheyAreSkipped() throws {
    let block = clip.text.blocks[1]
    let (seen, z) = (Seen(), input([64, 2, 6]))
    _ = block(z, seen.pass(draws: TrainingDraws(seed: 1, step: 1, stochasticDepth: 0.5)))
    let plain = composed(block, z).map(\.value)
    #expect(seen.values[0] == plain[0])
    #expect(seen.values[1] != plain[1])
    let (sums, starts) = (seen.values[1].values, z.value.values)
    let skipped = (0..<64).count { sample in
      (12 * sample..<12 * (sample + 1)).allSatisfy { sums[$0] == starts[$0] }
    }
    #expect(0 < skipped && skipped < 64)
  }

  @Test func namesOfATowerAreCompleteAndInOrder() throws {
    func names(_ run: (Pass) -> Variable) -> [String] {
      let seen = Seen()
      _ = run(seen.pass())
      #expect(Set(seen.names).count == seen.names.count)
      return seen.names
    }
    func blocks(_ prefix: String, _ count: Int, _ parts: String...) -> [String] {
      (0..<count).flatMap { index in
        parts.map { "\(prefix).blocks.\(index).\($0)" } + ["\(prefix).blocks.\(index)"]
      }
    }
    func transformerBlocks(_ prefix: String, _ count: Int) -> [String] {
      blocks(prefix, count, "attention", "attention.residual", "mlp", "mlp.residual")
    }
    func bottlenecks(_ stage: Int, _ count: Int) -> [String] {
      blocks("vision.stage\(stage)", count, "norm3", "norm3.residual")
    }
    func convNeXtBlocks(_ stage: Int, _ count: Int) -> [String] {
      blocks("vision.stage\(stage)", count, "depthwise", "mlp", "mlp.residual")
    }
    let (clip, resNet, swin, convNeXt) = (clip, resNet, try swin(), try convNeXt(hasLayerScale: true))
    #expect(
      names { clip.vision(input([1, 3, 8, 8]), $0) }
        == ["vision.patchEmbedding", "vision.embedding", "vision.preNorm"] + transformerBlocks("vision", 2)
        + ["vision.postNorm"])
    #expect(
      names { clip.text([[1, 2, 3]], ends: [2], $0) }
        == ["text.embedding"] + transformerBlocks("text", 2) + ["text.finalNorm"])
    let swinStages =
      transformerBlocks("vision.stage1", 2) + ["vision.stage2.merging"] + transformerBlocks("vision.stage2", 1)
    #expect(names { swin(input([1, 3, 8, 8]), $0) } == ["vision.patchNorm"] + swinStages + ["vision.postNorm"])
    #expect(
      names { convNeXt(input([1, 3, 8, 8]), $0) }
        == ["vision.patchNorm"] + convNeXtBlocks(1, 1) + convNeXtBlocks(2, 2) + ["vision.postNorm"])
    let stem = (1...3).map { "vision.stem.norm\($0)" }
    let stages = [bottlenecks(1, 2), bottlenecks(2, 1), bottlenecks(3, 1), bottlenecks(4, 1)].flatMap(\.self)
    #expect(names { resNet.vision(input([1, 3, 32, 32]), $0) } == stem + stages + ["vision.attentionPool"])
  }

  @Test func namesAreMadeOnlyWhereSomebodyObserves() {
    var made = 0
    func name() -> String {
      made += 1
      return "name"
    }
    func run(_ pass: Pass) {
      let x = pass.observed(name(), input([2, 3]))
      _ = pass.residual(x, x, named: name(), block: 1, of: 2, part: 0)
    }
    run(Pass())
    run(Pass(draws: TrainingDraws(seed: 1, step: 1, stochasticDepth: 0.5)))
    #expect(made == 0)
    run(Seen().pass())
    #expect(made == 3)
  }
}
