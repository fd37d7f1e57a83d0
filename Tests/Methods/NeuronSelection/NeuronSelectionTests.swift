import Checks
import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// GPS from PyTorch's gradients to a delta and to weights (GPS (a) to (e)).
@Suite struct NeuronSelectionTests {
  private let golden: SafeTensorsFile
  private let model: CLIP
  private let text: Tensor
  private let images: Method.Input

  init() throws {
    let folder = Fixtures.embedded.appendingPathComponent("encoders")
    golden = try SafeTensorsFile(contentsOf: folder.appendingPathComponent("gps.safetensors"))
    model = try EncoderGolden().model
    let shared = try SafeTensorsFile(contentsOf: folder.appendingPathComponent("encoders.safetensors"))
    (text, images) = (try shared.tensor("text"), .images(try shared.tensor("images")))
  }

  private var head: ZeroShot { ZeroShot(textFeatures: text, logitScale: model.logitScale) }

  /// The gradients of the two batches, and their losses.
  private func selected(_ loss: NeuronSelectionSettings.Loss) throws -> (selection: NeuronSelection, losses: [Double]) {
    var selection = NeuronSelection(of: model.vision, seed: 1)
    let labels = (0..<4).map { Int32($0 * 3 % 5) }
    let losses = try (0..<2).map { batch -> Double in
      let views = try (0..<2).map { try golden.tensor("views.\(batch).\($0)") }
      return loss == .contrastive
        ? selection.add((views[0], views[1]), labels: labels) : selection.add(views[0], labels: labels, head: head)
    }
    return (selection, losses)
  }

  private func tuning(_ count: Int) throws -> SiteTuning {
    let selection = try selected(.contrastive).selection
    let chosen = zip(selection.weights.map(\.site), selection.largest(count))
    return SiteTuning(
      NeuronSelection.designs(of: model.vision, Dictionary(uniqueKeysWithValues: Array(chosen))), seed: 1)
  }

  /// Losses are up to 10. Gradients of the contrastive loss are up to 20, of the sums 60, with a few hundred roundings.
  @Test(arguments: [(NeuronSelectionSettings.Loss.contrastive, "sum"), (.crossEntropy, "entropy")])
  func sumsAreThoseOfPyTorch(_ loss: NeuronSelectionSettings.Loss, _ prefix: String) throws {
    let (selection, losses) = try selected(loss)
    #expect(selection.batches == 2 && selection.weights.count == 14)
    let wanted = try golden.tensor("\(prefix).losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: 1e-5, atol: 1e-5, "losses")
    for (weight, sum) in zip(selection.weights, selection.sums) {
      let own = try golden.tensor("\(prefix).\(weight.site.name)")
      expectClose(sum, own, rtol: 2e-4, atol: GradientCheck.isDouble ? 2e-5 : 2e-3, weight.site.name)
    }
  }

  @Test func choiceIsThatOfPyTorch() throws {
    let selection = try selected(.contrastive).selection
    for (weight, chosen) in zip(selection.weights, selection.largest(2)) {
      let wanted = try golden.integers("chosen.\(weight.site.name)")
      #expect(chosen.positions.map { Int64($0) } == wanted, "\(weight.site.name)")
    }
    let other = try selected(.crossEntropy).selection
    #expect(zip(selection.largest(2), other.largest(2)).contains { $0 != $1 })
  }

  /// Adam on entries and biases is Adam on whole weights whose other gradients are 0. A step moves an entry by 0.01 at
  /// most, by its gradient's sign, so that an error in a small gradient shows.
  @Test func threeStepsAreThoseOfPyTorch() throws {
    let method = Method(encoder: try tuning(2), head: head, tower: model.vision)
    var (values, losses) = (method.trainables.map(\.initial), [Double]())
    var optimizer = Adam(method.slots)
    let labels = (0..<4).map { Int32($0 * 3 % 5) }
    for step in 0..<3 {
      let found = method.step(images, labels: labels, values: values, seed: 1, step: step)
      losses.append(found.terms[0].value)
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: 0.01)
    }
    let tolerance = GradientCheck.isDouble ? 2e-6 : 3e-4
    let wanted = try golden.tensor("losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: 0, atol: 10 * tolerance, "losses")
    expectClose(
      method.logits(images, values: values), try golden.tensor("logits"), rtol: 0, atol: 50 * tolerance, "logits")
    var delta = Self.delta
    method.encoder.write(values, to: &delta)
    let merged = try delta.merged(into: model.vision.parameters)
    #expect(merged.count == 26)
    // A bias of keys changes no attention: its gradient is rounding, which Adam makes a step of full size.
    for (site, value) in merged where !site.hasSuffix("key.bias") {
      expectClose(value, try golden.tensor("end.\(site)"), rtol: tolerance, atol: tolerance, site)
    }
    // What is not chosen has the bits of the start.
    let selection = try selected(.contrastive).selection
    for (weight, chosen) in zip(selection.weights, selection.largest(2)) {
      let end = try #require(merged.first { $0.site == weight.site.name }).value.values
      let moved = zip(end, weight.value.values).enumerated().filter { $1.0 != $1.1 }.map { Int32($0.offset) }
      #expect(moved == chosen.positions, "\(weight.site.name)")
    }
  }

  private static var delta: Delta {
    Delta(
      .init(
        method: "gps", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean, cleaning: "published",
        alpha: nil))
  }

  @Test func aDeltaHasTheSameBits() throws {
    let tuning = try tuning(1)
    var numbers = CheckNumbers(seed: 3)
    let values = tuning.trainables.map { $0.initial.zipped(numbers.next($0.initial.shape, scale: 0.4)) { $0 + $1 } }
    var delta = Self.delta
    tuning.write(values, to: &delta)
    let stored = try StoredDelta(delta, of: tuning, on: model.vision)
    #expect(stored.read.logits(images, values: []) == stored.made.logits(images, values: values))
    let start = tuning.trainables.map(\.initial)
    let frozen = Method(encoder: FrozenEncoder(), head: stored.made.head, tower: model.vision)
    #expect(stored.made.logits(images, values: start) == frozen.logits(images, values: []))
  }

  /// 83,712 k inputs and 83,712 biases of a classifier: none of its norms, class token and positions.
  @Test(arguments: [(1, 167_424), (2, 251_136), (15, 1_339_392), (20, 1_757_952)])
  func trainedParametersAreThePublishedCount(_ count: Int, _ wanted: Int) {
    // Of a 48th of the width, with a 48th of the inputs; rows and biases are as many times the width.
    let tower = VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 16, hiddenWidth: 64, blocks: 12, heads: 1, activation: .gelu, epsilon: 1e-6), imageSize: 6,
        patchSize: 3, form: .classifier), seed: 1)
    let weights = NeuronSelection.weights(of: tower)
    #expect(weights.count == 73)
    let each = weights.reduce(0) { $0 + $1.value.shape[0] }
    let chosen = NeuronSelection(of: tower, seed: 1).largest(min(count, 16))
    #expect(chosen.allSatisfy { $0.count == min(count, 16) * $0.shape[0] })
    let designs = NeuronSelection.designs(of: tower, [:])
    #expect(designs.count == 73)
    let biases = designs.reduce(0) { $0 + $1.parameter.value.count }
    #expect(48 * (each * count + biases) == wanted)
  }

  /// Of equal magnitudes the smallest index, whatever the sign; a row with fewer inputs is tuned whole.
  @Test func tiesGoToTheSmallestIndex() {
    let tower = VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 8, hiddenWidth: 16, blocks: 1, heads: 1, activation: .gelu, epsilon: 1e-6), imageSize: 4,
        patchSize: 2, form: .classifier), seed: 1)
    // Sums of zero: all are equal.
    let empty = NeuronSelection(of: tower, seed: 1)
    for indices in empty.largest(3) {
      let width = indices.shape.count / indices.shape[0]
      let wanted = (0..<indices.shape[0]).flatMap { row in (0..<3).map { Int32(row * width + $0) } }
      #expect(indices.positions == wanted)
    }
    for indices in empty.largest(1000) { #expect(indices.count == indices.shape.count) }
  }

  /// Against a sort of every row, in which an element stands after its equals.
  @Test(arguments: [1, 2, 5, 8]) func theLargestOfARowAreThoseOfASort(_ count: Int) throws {
    let selection = try selected(.contrastive).selection
    for (sum, indices) in zip(selection.sums, selection.largest(count)) {
      let (values, width) = (sum.values, sum.count / sum.shape[0])
      let wanted = (0..<sum.shape[0]).flatMap { row -> [Int32] in
        let columns = (row * width..<(row + 1) * width).sorted {
          (-abs(values[$0]), $0) < (-abs(values[$1]), $1)
        }
        return columns.prefix(count).sorted().map { Int32($0) }
      }
      #expect(indices.positions == wanted)
    }
  }

  /// One pair alone has nothing to compare with. Of two pairs with a cosine of 0.6 between them each view has
  /// log(1 + 2 e^(−0.4/τ)), and log(e^(0.4/τ) + 2) where the classes are exchanged (GPS (b)).
  @Test func contrastiveLossOfSimpleViews() {
    func loss(_ rows: [[Real]], _ labels: [Int32]) -> Double {
      let features = Tensor([rows.count, 2], rows.flatMap(\.self))
      return Double(SupervisedContrastiveLoss.of(Variable(features), labels: labels).value.scalar)
    }
    #expect(abs(loss([[1, 2], [3, -1]], [0, 0])) < 1e-6)
    let pairs: [[Real]] = [[2, 0], [3, 4], [1, 0], [0.6, 0.8]]
    // Sums of logits of up to 14.
    expectClose([loss(pairs, [0, 1, 0, 1])], [log(1 + 2 * exp(-0.4 / 0.07))], rtol: 0, atol: 5e-6)
    expectClose([loss(pairs, [0, 0, 1, 1])], [log(exp(0.4 / 0.07) + 2)], rtol: 0, atol: 5e-6)
    #expect(loss(pairs, [0, 1, 2, 3]) == 0)
  }
}
