import Checks
import Foundation
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// The choice of SPT and three of its training steps, by the library and by `Reference`.
///
/// SPT (a) to (l) and (o). In single precision `Reference` starts every step where the library is, so that errors of
/// one step are seen by themselves; in double precision both go on by themselves.
@Suite struct SensitivityReferenceTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    let form: StructuredForm
    let fidelity: Fidelity
    let stochasticDepth: Real

    var kind: ModuleKind { form == .lora ? .lora : .adapter }
    var testDescription: String { "\(form), \(fidelity), depth \(stochasticDepth)" }

    static let all = [
      Setting(form: .lora, fidelity: .official, stochasticDepth: 0.3),
      Setting(form: .lora, fidelity: .paper, stochasticDepth: 0),
      Setting(form: .adapter, fidelity: .official, stochasticDepth: 0.25),
      Setting(form: .adapter, fidelity: .paper, stochasticDepth: 0.3),
    ]
  }

  /// s of three batches, in which samples skip other blocks each time.
  @Test(arguments: ReferenceTwin.classifiers, [0, 0.3] as [Real])
  func sensitivitiesAgree(_ twin: ReferenceTwin, depth: Real) {
    let (tower, head) = (twin.tower, LinearHead(width: twin.width, classes: twin.classes, seed: 2))
    let sites = SensitivitySite.all(of: tower)
    var found = Sensitivity(
      of: sites.map(\.parameter), in: tower, head: head, seed: 9, stochasticDepth: depth)
    let network = twin.network(tower, head: head, stochasticDepth: depth)
    let names = rankedNames(blocks: twin.blocks)
    #expect(sites.map(\.parameter.site.name) == names)
    var sums = Parameters(names, sites.map { .zeros($0.parameter.value.shape) })
    for step in 0..<3 {
      let (images, labels) = (twin.images(step: step), twin.labels(step: step))
      let loss = found.add(images, labels: labels)
      var drawn = network
      drawn.draws = twin.depthDraws(seed: 9, step: step)
      let before = sums
      let wanted = addSensitivity(to: &sums, drawn, images: Images(images), labels: labels.map { Int($0) })
      expectTwin(loss, wanted, within: twin.relativeError * max(1, wanted), "step \(step), loss")
      #expect(sums != before)
    }
    // √s is the norm of three gradients, so that errors of δ in each move it by √3 δ at most.
    let delta = 3.0.squareRoot() * twin.relativeError * sums.largest.squareRoot()
    for (name, scores) in zip(names, found.scores) {
      let root = { (x: Double) in x.squareRoot() }
      expectTwin(Matrix(scores).map(root), sums[name]?.map(root), "√s of \(name)") { _ in delta }
    }
  }

  /// The ranking of scores with many ties, and every allocation of a sweep over it. Nothing here is rounded.
  @Test(arguments: ReferenceTwin.classifiers, StructuredForm.allCases)
  func allocationsAreEqual(_ twin: ReferenceTwin, form: StructuredForm) {
    let choice = Choice(twin, form)
    let (allRanks, kind) = (choice.sites.reduce(0) { $0 + $1.count }, form == .lora ? ModuleKind.lora : .adapter)
    let ranks = Reference.ranking(choice.scores.map { Matrix($0) })
    let found = Ranking(of: choice.scores, largest: allRanks)
    #expect(
      found.tensors.map { Int($0) } == ranks.map(\.tensor) && found.positions.map { Int($0) } == ranks.map(\.index))

    for unit in [1e6, Double(allRanks / 2)] {
      #expect(AllocationSweep.thresholds(unit: unit) == Reference.thresholds(unit: unit))
    }
    let unit = Double(allRanks / 2)
    let thresholds = Reference.thresholds(unit: unit)
    for (rank, alpha, beta) in [(1, 10.0, 5.0), (2, 4, 2), (1, 1, 1.5)] {
      var rules = Allocation.Rules(form: form)
      (rules.rank, rules.alpha, rules.beta) = (rank, alpha, beta)
      let sweep = AllocationSweep(
        found, thresholds: thresholds, kinds: choice.sites.map(\.kind), classToken: twin.width, rules)
      let plans = thresholds.map {
        TuningPlan(
          threshold: $0, ranking: ranks, names: choice.names, shapes: choice.shapes, classToken: twin.width,
          kind: kind, rank: rank, alpha: alpha, beta: beta)
      }
      for (allocation, plan) in zip(sweep.allocations, plans) {
        expectEqual(allocation, plan, found, choice.names)
      }
      for share in [0.02, 0.1, 0.35, 0.7, 1.1, 3] {
        #expect(sweep.nearest(to: share, unit: unit)?.threshold == nearest(plans, to: share, unit: unit)?.threshold)
      }
    }
    for (rank, alpha, beta) in [(1, 10.0, 5.0), (2, 4, 2)] {
      var rules = Allocation.Rules(form: form)
      (rules.rank, rules.alpha, rules.beta) = (rank, alpha, beta)
      for (budget, fidelity) in [(twin.width + 3, Fidelity.official), (150, .paper), (211, .official)] {
        let plan = TuningPlan(
          filling: budget, ranking: ranks, names: choice.names, shapes: choice.shapes, classToken: twin.width,
          kind: kind, rank: rank, alpha: alpha, beta: beta, trainsNorms: fidelity == .paper)
        let filled = FilledBudget(budget, found, choice.sites, classToken: twin.width, rules, fidelity).allocation
        expectEqual(filled, plan, found, choice.names)
        #expect(filled.trained(choice.sites, fidelity) == budget)
      }
    }
    // The published rules are the defaults of both.
    let allocation = Allocation(
      threshold: 90, counts: found.positions(first: 90, of: choice.names.count).map(\.count),
      kinds: choice.sites.map(\.kind), classToken: twin.width, Allocation.Rules(form: form))
    expectEqual(
      allocation,
      TuningPlan(
        threshold: 90, ranking: ranks, names: choice.names, shapes: choice.shapes, classToken: twin.width, kind: kind),
      found, choice.names)
  }

  private func expectEqual(_ allocation: Allocation, _ plan: TuningPlan, _ ranking: Ranking, _ names: [String]) {
    #expect(allocation.threshold == plan.threshold && allocation.total == plan.total, "τ \(plan.threshold)")
    #expect(allocation.modules.map { names[$0] } == plan.modules, "τ \(plan.threshold)")
    #expect(allocation.vectors.map { names[$0] } == plan.vectors, "τ \(plan.threshold)")
    let selected = ranking.positions(first: allocation.threshold, of: names.count)
    for (index, name) in names.enumerated() {
      #expect(allocation.entries[index] == plan.entries[name]?.count ?? 0, "τ \(plan.threshold), \(name)")
      if let entries = plan.entries[name] { #expect(selected[index].map { Int($0) } == entries) }
    }
  }

  /// Three steps with modules, whole vectors and single entries, dropout, drop path and stochastic depth.
  @Test(arguments: ReferenceTwin.classifiers, Setting.all)
  func threeStepsAgree(_ twin: ReferenceTwin, _ setting: Setting) {
    let choice = Choice(twin, setting.form)
    let tower = twin.tower
    let head = LinearHead(width: twin.width, classes: twin.classes, seed: 2)
    var rules = Allocation.Rules(form: setting.form)
    (rules.rank, rules.alpha, rules.beta) = (2, 2, 2)
    let ranks = Reference.ranking(choice.scores.map { Matrix($0) })
    let threshold = ranks.count / 3
    let plan = TuningPlan(
      threshold: threshold, ranking: ranks, names: choice.names, shapes: choice.shapes, classToken: twin.width,
      kind: setting.kind, rank: 2, alpha: 2, beta: 2)
    let ranking = Ranking(of: choice.scores, largest: threshold)
    let allocation = Allocation(
      threshold: threshold, counts: ranking.positions(first: threshold, of: choice.names.count).map(\.count),
      kinds: choice.sites.map(\.kind), classToken: twin.width, rules)
    #expect(!plan.modules.isEmpty && !plan.vectors.isEmpty && !plan.entries.isEmpty)

    let branch = BranchSettings.Branch(rank: 2, dropout: 0.25, dropPath: 0.25)
    let tuning = SiteTuning(
      SensitivityTuning(rules, setting.fidelity, branch: branch)
        .designs(of: tower, choice.sites, allocation, ranking), seed: 1)
    let method = Method(encoder: tuning, head: head, tower: tower, stochasticDepth: setting.stochasticDepth)
    let names = method.trainables.map(\.name)
    let entries = trainedEntries(plan, followsPaper: setting.fidelity == .paper)
    #expect(Set(names) == trainedNames(plan, entries, setting.kind) && Set(names).count == names.count)

    // Branches and shifts away from zero, where some gradients vanish.
    var numbers = CheckNumbers(seed: twin.seed &+ 300)
    var values = method.trainables.map { trainable in
      let scale: Real = trainable.name.contains(".branch.") ? 0.5 : 0.1
      return trainable.initial.zipped(numbers.next(trainable.initial.shape, scale: scale)) { $0 + $1 }
    }
    var network = twin.network(tower, head: head, stochasticDepth: setting.stochasticDepth)
    for name in plan.modules {
      network.settings.branches[name] = moduleForm(
        name, setting.kind, dropout: 0.25, dropPath: 0.25, followsPaper: setting.fidelity == .paper)
    }
    let (learningRate, weightDecay) = (0.02, 0.25)
    var adam = Adam(method.slots, weightDecay: weightDecay, decay: .decoupled)
    var trained = Parameters(names, values)
    var moments: [String: Moments] = [:]
    for step in 0..<3 {
      let (images, labels) = (twin.images(step: step), twin.labels(step: step))
      let found = method.step(.images(images), labels: labels, values: values, seed: 5, step: step)
      adam.step(parameters: &values, gradients: found.gradients, learningRate: learningRate)

      let before = moments
      network.draws = twin.depthDraws(seed: 5, step: step).merging(
        branchDraws(twin, setting, choice.names, network, step: step)
      ) { old, _ in old }
      let loss = tuningStep(
        &trained, &moments, network, entries: entries, images: Images(images), labels: labels.map { Int($0) },
        learningRate: learningRate, weightDecay: weightDecay)
      var gradients: Parameters = [:]
      for (name, after) in moments {
        let first = before[name]?.first ?? after.first.map { _ in 0 }
        gradients[name] = after.first.zip(first) { ($0 - 0.9 * $1) / (1 - 0.9) }
      }

      expectTwin(
        found.terms.first { $0.name == "loss" }?.value ?? .nan, loss, within: twin.relativeError * max(1, loss), "loss")
      let delta = twin.relativeError * gradients.largest
      let update = UpdateTwin(learningRate: learningRate, gradientError: delta, step: step + 1)
      for (index, name) in names.enumerated() {
        expectTwin(Matrix(found.gradients[index]), gradients[name], "step \(step), gradient of \(name)") { _ in delta }
        update.compare(name, value: values[index], adam, with: trained[name], moments[name])
        if !ReferenceTwin.isDouble {
          trained[name] = Matrix(values[index])
          moments[name] = UpdateTwin.moments(name, adam)
        }
      }
    }
  }

  /// What is trained: class token, head, and what the plan says.
  private func trainedNames(_ plan: TuningPlan, _ entries: [String: [Int]], _ kind: ModuleKind) -> Set<String> {
    var names = Set(["vision.classToken", "head.weight", "head.bias"] + plan.vectors)
    for name in plan.modules {
      let parts = kind == .lora ? ["down", "up"] : ["down", "down.bias", "up", "up.bias"]
      for part in parts { names.insert("\(name).branch.\(part)") }
    }
    for name in entries.keys { names.insert("\(name).sparse") }
    return names
  }

  /// The library's own numbers for branches: those of dropout have the site's index as key, or that of the query where
  /// LoRA shares a sample; those of drop paths lie 2¹⁶ keys further on.
  private func branchDraws(
    _ twin: ReferenceTwin, _ setting: Setting, _ names: [String], _ network: Network, step: Int
  ) -> Draws {
    var draws: Draws = [:]
    let rows = twin.batch * network["vision.positions"].rows
    for (name, form) in network.settings.branches {
      guard let own = names.firstIndex(of: name) else { continue }
      var key = own
      let isShared = setting.form == .lora && setting.fidelity == .official
      for map in ["key", "value"] where isShared && name.hasSuffix(".attention.\(map)") {
        key = names.firstIndex(of: name.replacingOccurrences(of: ".attention.\(map)", with: ".attention.query")) ?? own
      }
      let read = form.isSequential ? network[name].rows : network[name].columns
      draws["\(name).dropout"] = twin.draws(.dropout, seed: 5, site: key, step: step, count: rows * read)
      draws["\(name).dropPath"] = twin.draws(
        .stochasticDepth, seed: 5, site: 1 << 16 + own, step: step, count: twin.batch)
    }
    return draws
  }

  /// Ranked tensors of a tower, with scores of which many are equal and some are 0.
  private struct Choice {
    let sites: [SensitivitySite]
    let names: [String]
    let shapes: [(rows: Int, columns: Int)]
    let scores: [Tensor]

    init(_ twin: ReferenceTwin, _ form: StructuredForm) {
      sites = SensitivitySite.all(of: twin.tower)
      names = rankedNames(blocks: twin.blocks)
      shapes = sites.map { site in
        let matrix = Matrix(site.parameter.value)
        return (matrix.rows, matrix.columns)
      }
      var numbers = CheckNumbers(seed: twin.seed &+ (form == .lora ? 400 : 500))
      scores = sites.map { site in
        // Tensors of several sizes of scores: some have most of their entries selected, some a few.
        let scale = Real.random(in: 0.3...2, using: &numbers)
        return numbers.next(site.parameter.value.shape, in: 0...scale).map { ($0 * 20).rounded(.down) / 20 }
      }
    }
  }
}

extension ReferenceTwin {
  /// The network with a head, as SPT has it.
  func network(_ tower: VisionTransformer, head: LinearHead, stochasticDepth: Real) -> Network {
    var network = network(tower)
    for trainable in head.trainables { network.weights[trainable.name] = Matrix(trainable.initial) }
    network.settings.stochasticDepth = Double(stochasticDepth)
    return network
  }

  /// Random numbers of the library: 2⁴⁰ for each site in each step.
  func draws(_ purpose: Random.Purpose, seed: UInt64, site: Int, step: Int, count: Int) -> [Double] {
    let random = Random(seed: seed, purpose: purpose, step: step)
    return (0..<UInt64(count)).map { Double(random.uniform(at: UInt64(site) << 40 + $0)) }
  }

  /// One number per sample for each residual branch: attention has key 2 i, the MLP 2 i + 1.
  func depthDraws(seed: UInt64, step: Int) -> Draws {
    var draws: Draws = [:]
    for index in 0..<blocks {
      for (part, name) in ["attention", "mlp"].enumerated() {
        draws["vision.blocks.\(index).\(name)"] = self.draws(
          .stochasticDepth, seed: seed, site: 2 * index + part, step: step, count: batch)
      }
    }
    return draws
  }
}
