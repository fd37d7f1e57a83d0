import Foundation
import Reference
import Testing

/// Sensitivity, ranking, allocation and a training step of SPT.
@Suite struct SPTTests {
  @Test func modulesCostWhatTheyTrain() {
    // ViT-B/16 with r = 8, as published: attention's maps and both maps of the MLP.
    let kinds: [ModuleKind] = [.lora, .adapter]
    #expect(kinds.map { $0.cost(out: 768, in: 768, rank: 8) } == [12_288, 13_064])
    #expect(kinds.map { $0.cost(out: 3072, in: 768, rank: 8) } == [30_720, 52_232])
    #expect(kinds.map { $0.cost(out: 768, in: 3072, rank: 8) } == [30_720, 13_064])
  }

  @Test func rankedAreNormsBiasesAndTheLinearMapsOfBlocks() {
    var numbers = Numbers(seed: 41)
    let weights = Tiny.vision(&numbers, isCLIP: false, blocks: 2).weights
    let names = rankedNames(blocks: 2)
    #expect(names.count == 2 * 16 + 2 && Set(names).count == names.count)
    let others = ["vision.patchEmbedding", "vision.patchEmbedding.bias", "vision.classToken", "vision.positions"]
    #expect(Set(names).union(others + ["head.weight", "head.bias"]) == Set(weights.keys))
    #expect(
      names[..<5] == [
        "vision.blocks.0.attentionNorm.scale", "vision.blocks.0.attentionNorm.shift", "vision.blocks.0.attention.query",
        "vision.blocks.0.attention.query.bias", "vision.blocks.0.attention.key",
      ])
    #expect(rankedNames(blocks: 1, hasPreNorm: true).first == "vision.preNorm.scale")
    for name in names { #expect(isVector(name) == (weights.at(name).rows == 1), "\(name)") }
  }

  @Test func equalSensitivitiesKeepTheirOrder() {
    let ranks = ranking([Matrix(row: [1, 3, 0]), Matrix(2, 2, [3, .nan, 2, -1])])
    #expect(ranks.map(\.tensor) == [0, 1, 1, 0, 0, 1, 1])
    #expect(ranks.map(\.index) == [1, 0, 2, 0, 2, 1, 3])
  }

  /// Two matrices 4 × 6, whose LoRA of rank 1 costs 10, and a vector of 5; with α = 10 and β = 5 one entry is enough.
  private func plan(_ tau: Int, alpha: Double, beta: Double) -> TuningPlan {
    let order = [(0, 23), (0, 4), (1, 0), (2, 3), (0, 7), (2, 1), (1, 5)]
    let scores = [24, 24, 5].enumerated().map { tensor, count in
      var score = Matrix(1, count)
      for (rank, entry) in order.enumerated() where entry.0 == tensor { score.values[entry.1] = 10 - Double(rank) }
      return score
    }
    return TuningPlan(
      threshold: tau, ranking: ranking(scores), names: ["a", "b", "c.bias"], shapes: [(4, 6), (4, 6), (1, 5)],
      classToken: 7, kind: .lora, rank: 1, alpha: alpha, beta: beta)
  }

  @Test func aTensorIsTunedAsAWholeFromItsShareOn() {
    // Of 7 entries 3 are in a, 2 in b, 2 in c: 10/α is 3.33, 2.5, 2; 5/β is 2.5, 2.
    let none = plan(7, alpha: 3, beta: 2)
    #expect(none.modules == [] && none.vectors == [] && none.total == 7 + 7)
    #expect(none.entries == ["a": [4, 7, 23], "b": [0, 5], "c.bias": [1, 3]])
    let one = plan(7, alpha: 4, beta: 2.5)
    #expect(one.modules == ["a"] && one.vectors == ["c.bias"] && one.entries == ["b": [0, 5]])
    #expect(one.total == 7 + 10 + 5 + 2)
    let all = plan(7, alpha: 5, beta: 5)
    #expect(
      all.modules == ["a", "b"] && all.vectors == ["c.bias"] && all.entries == [:] && all.total == 7 + 10 + 10 + 5)
    let few = plan(2, alpha: 10, beta: 5)
    #expect(few.modules == ["a"] && few.vectors == [] && few.entries == [:] && few.total == 7 + 10)
  }

  @Test func theSweepHasThePublishedThresholds() {
    let all = thresholds()
    #expect(all.count == 79 && all[0] == 20_000 && all[49] == 1_000_000 && all[78] == 1_580_000)
    // As in the authors' code, 0.02 j is rounded first: 0.7, 0.82, 1.14 and 1.4 million come out one higher.
    let higher = zip(1..., all).filter { j, tau in tau != 20_000 * j }
    #expect(higher.map(\.0) == [35, 41, 57, 70] && higher.map(\.1) == [700_001, 820_001, 1_140_001, 1_400_001])
    #expect(thresholds(unit: 1e4)[..<7] == [200, 400, 600, 800, 1000, 1200, 1401])
  }

  @Test func ofEquallyNearPlansTheLastIsTaken() {
    let plans = [1, 3, 5].map { plan($0, alpha: 0.1, beta: 0.1) }
    #expect(plans.map(\.total) == [8, 10, 12])
    #expect(nearest(plans, to: 9, unit: 1)?.total == 10)
    #expect(nearest(plans, to: 8.9, unit: 1)?.total == 8)
    #expect(nearest(plans, to: 100, unit: 1)?.total == 12)
    // 0 is as near to 4 as 8 is, and counts as found first; nearer to 3 than all.
    #expect(nearest(plans, to: 4, unit: 1)?.total == 8)
    #expect(nearest(plans, to: 3, unit: 1) == nil)
    #expect(nearest(plans, to: 9.0 / 64, unit: 64)?.total == 10)
  }

  @Test func theAuthorsCodeTreatsTheOutputMapInItsOwnWay() {
    let (output, query) = ("vision.blocks.3.attention.output", "vision.blocks.3.attention.query")
    let exception = moduleForm(output, .adapter)
    #expect(!exception.isSequential && exception.hasActivation && exception.dropout == 0 && exception.dropPath == 0.1)
    let paper = moduleForm(output, .adapter, followsPaper: true)
    #expect(paper.isSequential && paper.dropout == 0.1)
    #expect(moduleForm(query, .adapter) == paper)
    let lora = moduleForm(query, .lora)
    #expect(!lora.isSequential && !lora.hasActivation && lora.dropout == 0.1)
    #expect(moduleForm(output, .lora).dropout == 0)
  }

  @Test func sensitivityIsTheSumOfSquaredGradientsOfBatches() {
    var numbers = Numbers(seed: 42)
    let tower = Tiny.vision(&numbers, isCLIP: false)
    let batches = [Tiny.images(&numbers, count: 2), Tiny.images(&numbers, count: 2)]
    let names = rankedNames(blocks: 2)
    var sums = Parameters(uniqueKeysWithValues: names.map { ($0, tower[$0].map { _ in 0 }) })
    var wanted = sums
    for (images, labels) in zip(batches, [[0, 2], [1, 1]]) {
      let (loss, gradients) = classifierGradients(tower, images: images, labels: labels)
      #expect(addSensitivity(to: &sums, tower, images: images, labels: labels) == loss)
      for name in names { wanted[name] = wanted.at(name).zip(gradients.at(name)) { $0 + $1 * $1 } }
    }
    #expect(sums == wanted)
    #expect(sums.values.allSatisfy { $0.values.contains { $0 > 0 } })
  }

  /// A tower with a module, a whole vector and single entries, and one step on them.
  private struct Bench {
    var tower: Network
    let start: Parameters
    let images: Images
    let entries = ["vision.blocks.0.mlp.up": [1, 8, 40], "vision.blocks.1.attention.key.bias": [2]]
    let labels = [2, 0, 1]

    init(seed: UInt64) {
      var numbers = Numbers(seed: seed)
      tower = Tiny.vision(&numbers, isCLIP: false)
      images = Tiny.images(&numbers, count: 3)
      let module = "vision.blocks.1.attention.value"
      tower.settings.branches = [module: moduleForm(module, .lora)]
      tower.settings.stochasticDepth = 0.1
      tower.draws = [
        "\(module).dropout": numbers.uniform(15 * 6), "\(module).dropPath": [0.5, 0.05, 0.7],
        "vision.blocks.1.attention": [0.2, 0.3, 0.4], "vision.blocks.1.mlp": [0.01, 0.3, 0.4],
      ]
      var start: Parameters = [
        "\(module).branch.down": numbers.matrix(2, 6), "\(module).branch.up": numbers.matrix(6, 2),
        "vision.blocks.0.mlp.up.sparse": Matrix(1, 3), "vision.blocks.1.attention.key.bias.sparse": Matrix(1, 1),
      ]
      for name in ["vision.classToken", "vision.postNorm.scale", "head.weight", "head.bias"] {
        start[name] = tower[name]
      }
      self.start = start
    }

    /// The loss for given trained tensors.
    func loss(_ trained: Parameters) -> Double {
      var network = tower
      for (name, value) in trained where !name.hasSuffix(".sparse") { network.weights[name] = value }
      for (name, indices) in entries {
        for (k, index) in indices.enumerated() {
          network.weights[name]?.values[index] += trained.at("\(name).sparse").values[k]
        }
      }
      return classifierGradients(network, images: images, labels: labels).loss
    }
  }

  @Test func aStepFollowsTheGradientsOfWhatIsTrained() {
    let bench = Bench(seed: 43)
    var (trained, moments) = (bench.start, [String: Moments]())
    let loss = tuningStep(
      &trained, &moments, bench.tower, entries: bench.entries, images: bench.images, labels: bench.labels,
      learningRate: 1e-3, weightDecay: 0.5)
    #expect(loss == bench.loss(bench.start))
    // After one step m = 0.1 g, and decoupled decay is no part of it.
    let gradients = moments.mapValues { $0.first.map { $0 / (1 - 0.9) } }
    expectDifferences(bench.start, gradients) { bench.loss($0) }
    let decayed = [
      "vision.blocks.1.attention.value.branch.down", "vision.blocks.1.attention.value.branch.up", "head.weight",
    ]
    for (name, value) in bench.start {
      let shrink = decayed.contains(name) ? 1 - 1e-3 * 0.5 : 1
      let wanted = value.zip(gradients.at(name)) { x, g in x * shrink - 1e-3 * g / (abs(g) + 1e-8) }
      expectEqual(trained.at(name).values, wanted.values, tolerance: 1e-12, name)
    }
  }

  @Test func aSecondStepStartsFromTheFirst() {
    let bench = Bench(seed: 44)
    var (trained, moments) = (bench.start, [String: Moments]())
    var losses: [Double] = []
    for _ in 0..<3 {
      let before = trained
      losses.append(
        tuningStep(
          &trained, &moments, bench.tower, entries: bench.entries, images: bench.images, labels: bench.labels,
          learningRate: 1e-3))
      #expect(losses.last == bench.loss(before))
    }
    #expect(losses[2] < losses[0] && moments.values.allSatisfy { $0.steps == 3 })
  }

  @Test func entriesOfNormsAreCountedButNotTrained() {
    let plan = TuningPlan(
      threshold: 3, ranking: ranking([Matrix(row: [3, 0]), Matrix(row: [2, 0]), Matrix(2, 1, [0, 1])]),
      names: ["n.scale", "l.bias", "l"], shapes: [(1, 2), (1, 2), (2, 1)], classToken: 0, kind: .lora, alpha: 1e-3,
      beta: 1)
    #expect(plan.total == 3)
    #expect(trainedEntries(plan) == ["l.bias": [0], "l": [1]])
    #expect(trainedEntries(plan, followsPaper: true) == ["n.scale": [0], "l.bias": [0], "l": [1]])
  }
}
