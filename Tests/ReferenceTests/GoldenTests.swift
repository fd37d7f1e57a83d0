import Foundation
import Reference
import Testing

/// Networks and whole training steps against numbers of PyTorch and of the authors' code, recorded in single precision.
@Suite struct GoldenTests {
  private func expect(
    _ found: Parameters, _ wanted: Parameters, rtol: Double, atol: Double, _ comment: String
  ) {
    #expect(!wanted.isEmpty && Set(wanted.keys).isSubset(of: found.keys), "\(comment): names")
    for (name, value) in wanted {
      expectClose(found.at(name).values, value.values, rtol: rtol, atol: atol, "\(comment) \(name)")
    }
  }

  @Test(arguments: GoldenFolder.all) func aCLIPIsThatOfTransformers(_ golden: GoldenFolder) throws {
    let model = try #require(golden.arguments(of: "hf-tiny-forward", in: "clip")["directory"] as? String)
    let weights = try GoldenNames.parameters(golden.file("clip/\(model)/model.safetensors"))
    let (file, wanted) = (
      try golden.file("clip/hf-tiny-forward.safetensors"), try golden.file("clip/hf-tiny-gradients.safetensors")
    )
    let settings = TransformerSettings(blocks: 3, heads: 4, epsilon: 1e-5, nonlinearity: .quickGELU)
    var textSettings = settings
    (textSettings.blocks, textSettings.heads) = (2, 3)
    let (vision, text) = (Network(weights, settings), Network(weights, textSettings))
    let (images, labels) = (try file.images("images"), try file.integers("labels"))
    let table = try file.matrix("input_ids")
    let ids = (0..<table.rows).map { table.row($0).map { Int($0) } }
    // The end-of-text token has the largest id; what follows it is the same token again.
    let ends = ids.map { row in row.firstIndex(of: row.max() ?? 0) ?? 0 }
    let (seen, read) = (vision.visionTransformer(images), text.textTransformer(ids, ends: ends))
    expectClose(seen.features.values, try file.values("image_features"), rtol: 1e-5, atol: 1e-6, "image features")
    expectClose(read.features.values, try file.values("text_features"), rtol: 1e-5, atol: 1e-6, "text features")
    let scale = weights.at("logit_scale").values[0]
    let logits = clipLogits(features: seen.features, classifier: read.features, logitScale: scale)
    expectClose(logits.values, try file.values("logits_per_image"), rtol: 1e-5, atol: 1e-5, "logits")
    expectClose([crossEntropy(logits, labels: labels)], try file.values("loss"), rtol: 1e-5, atol: 1e-6, "loss")
    let d = clipLogitsBackward(
      crossEntropyBackward(logits, labels: labels), features: seen.features, classifier: read.features,
      logitScale: scale)
    var gradients = vision.visionTransformerBackward(d.features, seen, images: images).weights
    gradients.merge(text.textTransformerBackward(d.classifier, read, ids, ends: ends)) { $1 }
    gradients["logit_scale"] = Matrix(row: [d.logitScale])
    expect(gradients, try GoldenNames.parameters(wanted, prefix: "grad."), rtol: 1e-4, atol: 1e-6, "CLIP")
  }

  private func timmTower(_ golden: GoldenFolder) throws -> Network {
    Network(
      try GoldenNames.parameters(golden.file("vit/vit-weights.safetensors")),
      TransformerSettings(blocks: 3, heads: 4, epsilon: 1e-6, nonlinearity: .gelu))
  }

  @Test(arguments: GoldenFolder.all) func aViTIsThatOfTimm(_ golden: GoldenFolder) throws {
    let (tower, file) = (try timmTower(golden), try golden.file("vit/vit-forward.safetensors"))
    let (images, labels) = (try file.images("images"), try file.integers("labels"))
    let (loss, gradients) = classifierGradients(tower, images: images, labels: labels)
    expectClose([loss], try file.values("loss"), rtol: 1e-6, atol: 0, "loss")
    // The small set has their squares only, as sensitivities.
    guard !golden.isSmall else { return }
    let wanted = try GoldenNames.parameters(golden.file("vit/vit-gradients.safetensors"), prefix: "grad.")
    expect(gradients, wanted, rtol: 1e-5, atol: 1e-7, "ViT")
  }

  @Test(
    arguments: GoldenFolder.runs(
      "gdr1-official-lr", "gdr03-official-lr", "gdr1-large-lr", "gdr03-mlp-large-lr", "mt-large-lr", of: "ramt"))
  func stepsOfRAMTAreTheAuthors(_ run: GoldenRun) throws {
    let args = try run.arguments()
    let (rate, count) = (try #require(args["lr"] as? Double), try #require(args["steps"] as? Int))
    // Plain mask tuning is λ = 0.
    let (lambda, normWeight) = (args["gdr_lambda"] as? Double ?? 0, args["loss_weight"] as? Double ?? 0)
    let (file, weights) = (try run.file(), try run.folder.file("ramt/mini-vit.safetensors"))
    let tower = Network(
      try GoldenNames.parameters(weights),
      TransformerSettings(blocks: 2, heads: 2, epsilon: 1e-5, nonlinearity: .quickGELU))
    let groups = maskedGroups(blocks: 2, mlp: args["mask_mlp"] as? Bool == true)
    var masks: Parameters = [:]
    for name in groups.joined() { masks[name] = tower[name].map { _ in initialMask } }
    // A trace may begin with masks of an earlier run, some of them below the threshold.
    masks.merge(try GoldenNames.parameters(file, prefix: "s0.mask_real.")) { $1 }
    var moments: [String: Moments] = [:]
    for s in 1...count {
      var uniform = try GoldenNames.parameters(file, prefix: "s\(s).U.").mapValues(\.values)
      if uniform.isEmpty { uniform = masks.mapValues { $0.values.map { _ in 0 } } }
      let step = maskStep(
        tower, masks: masks, groups: groups, images: try file.images("s\(s).images"),
        labels: try file.integers("s\(s).labels"), classifier: try weights.matrix("text_features"),
        logitScale: try weights.values("logit_scale")[0], uniform: uniform, lambda: lambda, normWeight: normWeight)
      expectClose(step.logits.values, try file.values("s\(s).logits"), rtol: 1e-5, atol: 1e-5, "\(s) logits")
      expectClose([step.crossEntropy], try file.values("s\(s).ce"), rtol: 1e-5, atol: 1e-6, "\(s) L_ce")
      var wanted = try GoldenNames.parameters(file, prefix: "s\(s).g_ce.")
      for group in groups {
        let norm = maskNorm(group.map { masks.at($0) })
        for name in group {
          wanted[name] = wanted.at(name).zip(masks.at(name)) { $0 + normWeight * $1 / norm }
        }
      }
      expect(step.a, wanted, rtol: 1e-4, atol: 1e-7, "\(s) a")
      if lambda > 0 {
        expectClose(
          step.teacherLogits.values, try file.values("s\(s).teacher_logits"), rtol: 1e-5, atol: 1e-5, "\(s) teacher")
        expectClose([step.distillation], try file.values("s\(s).kl"), rtol: 1e-5, atol: 1e-6, "\(s) L_b")
        expectClose([step.norm], try file.values("s\(s).reg"), rtol: 1e-5, atol: 1e-6, "\(s) norm")
        expect(step.b, try GoldenNames.parameters(file, prefix: "s\(s).g_kl."), rtol: 1e-4, atol: 1e-7, "\(s) b")
      }
      updateMasks(&masks, &moments, step: step, learningRate: rate)
      let recorded = try GoldenNames.parameters(file, prefix: "s\(s).mask_real.")
      // Adam divides by |g| + ε: where a gradient is as small as ε, rounding of single precision moves a mask by a
      // small part of the learning rate.
      expect(masks, recorded, rtol: 0, atol: max(1e-7, 1e-3 * rate), "\(s) M")
      masks = recorded
    }
  }

  @Test(arguments: GoldenFolder.all)
  func sensitivitiesAndTheirAllocationsAreTheAuthors(_ folder: GoldenFolder) throws {
    let (tower, file) = (try timmTower(folder), try folder.file("spt/sensitivity.safetensors"))
    let names = rankedNames(blocks: 3)
    var sums = Parameters(uniqueKeysWithValues: names.map { ($0, tower[$0].map { _ in 0 }) })
    for batch in 0..<2 {
      let loss = addSensitivity(
        to: &sums, tower, images: try file.images("batch\(batch).images"),
        labels: try file.integers("batch\(batch).labels"))
      expectClose([loss], try file.values("batch\(batch).loss"), rtol: 1e-6, atol: 0, "loss")
    }
    let recorded = try GoldenNames.parameters(file, prefix: "sensitivity.")
    expect(recorded.filter { names.contains($0.key) }, sums, rtol: 1e-4, atol: 1e-12, "sensitivity")

    let golden = try folder.json("spt/allocation.json")
    let order = ranking(names.map { recorded.at($0) })
    for run in try #require(golden["runs"] as? [[String: Any]]) where run["structured_only"] as? Bool == false {
      guard run["structured_vector"] as? Bool == true else { continue }
      let plans = thresholds(unit: 1e4).map { tau in
        TuningPlan(
          threshold: tau, ranking: order, names: names,
          shapes: names.map { (recorded.at($0).rows, recorded.at($0).columns) }, classToken: 64,
          kind: run["structured_type"] as? String == "lora" ? .lora : .adapter, rank: run["rank"] as? Int ?? 0,
          alpha: run["alpha"] as? Double ?? 0, beta: run["beta"] as? Double ?? 0)
      }
      // Some runs record every ninth τ only.
      for recorded in try #require(run["sweep"] as? [[String: Any]]) {
        let plan = plans.first { $0.threshold == recorded["tau"] as? Int }
        #expect(plan?.total == recorded["total_with_cls"] as? Int, "τ = \(recorded["tau"] ?? "")")
      }
      for (budget, pick) in try #require(run["budgets"] as? [String: [String: Any]]) {
        let plan = try #require(nearest(plans, to: Double(budget) ?? 0, unit: 15_000))
        let vectors = try #require(pick["tuned_vectors"] as? [String]).map(GoldenNames.site)
        #expect(Set(plan.vectors) == Set(vectors), "\(budget)")
        #expect(Double(plan.total) == (15_000 * (pick["params"] as? Double ?? 0)).rounded(), "\(budget)")
        #expect(plan.entries.values.joined().count == pick["unstructured_params"] as? Int)
      }
    }
  }

  @Test(
    arguments: GoldenFolder.runs(
      "train-lora-budget0.2", "train-adapter-budget0.2", "train-lora-budget0.05", of: "spt"))
  func stepsOfSPTAreTheAuthors(_ run: GoldenRun) throws {
    let (file, count) = (try run.file(), try #require(run.arguments()["steps"] as? Int))
    let kind: ModuleKind = run.name.contains("lora") ? .lora : .adapter
    func site(_ name: String) -> String {
      var site = name
      for (letter, map) in [("q", "q"), ("k", "k"), ("v", "v"), ("proj", "proj"), ("fc1", "fc1"), ("fc2", "fc2")] {
        site = site.replacingOccurrences(of: "structured_\(letter).learnable.", with: "\(map).branch.")
      }
      site = site.replacingOccurrences(of: "branch.0", with: "branch.down")
      site = site.replacingOccurrences(of: kind == .lora ? "branch.1" : "branch.2", with: "branch.up")
      site = site.replacingOccurrences(of: "sparse_weight", with: "weight.sparse")
      return GoldenNames.site(site.replacingOccurrences(of: "sparse_bias", with: "bias.sparse"))
    }
    func parameters(_ prefix: String) throws -> Parameters {
      let names = file.names.filter { $0.hasPrefix(prefix) }
      return try Parameters(
        uniqueKeysWithValues: names.map { (site(String($0.dropFirst(prefix.count))), try file.matrix($0)) })
    }
    var (tower, trained) = (try timmTower(run.folder), try parameters("s0.param."))
    for name in trained.keys where name.hasSuffix(".branch.down") {
      let map = String(name.dropLast(12))
      tower.settings.branches[map] = moduleForm(map, kind, dropout: 0, dropPath: 0)
    }
    var entries: [String: [Int]] = [:]
    for (name, pairs) in try parameters("index.") {
      let columns = Double(tower[name].columns)
      entries[name] = (0..<pairs.rows).map {
        Int(pairs.columns == 2 ? pairs[$0, 0] * columns + pairs[$0, 1] : pairs[$0, 0])
      }
    }
    var moments: [String: Moments] = [:]
    for s in 1...count {
      let before = trained
      let loss = tuningStep(
        &trained, &moments, tower, entries: entries, images: try file.images("s\(s).images"),
        labels: try file.integers("s\(s).labels"), learningRate: 0.01, weightDecay: 0.01)
      expectClose([loss], try file.values("s\(s).loss"), rtol: 1e-5, atol: 1e-6, "\(s) loss")
      #expect(Set(trained.keys) == Set(before.keys))
      let wanted = try parameters("s\(s).param.")
      expect(trained, wanted, rtol: 1e-4, atol: 1e-5, "\(s)")
      trained = wanted
    }
  }

  @Test(
    arguments: GoldenFolder.runs("regular-alpha0.5", "regular-alpha1.0", "regular-alpha0.5-nowd", of: "taskres"))
  func stepsOfTaskResAreTheAuthors(_ run: GoldenRun) throws {
    let (args, file) = (try run.arguments(), try run.file())
    let (features, labels) = (try file.matrix("train_features"), try file.integers("train_labels"))
    let base = try file.matrix("base_text_features")
    let scale = try file.values("logit_scale")[0]
    let zero = clipLogits(features: try file.matrix("test_features"), classifier: base, logitScale: scale)
    expectClose(zero.values, try file.values("zero_shot_logits"), rtol: 1e-5, atol: 1e-5, "zero-shot logits")
    var residual = base.map { _ in 0 }
    var moments = Moments(like: residual)
    let (batches, rates) = (try file.matrix("batches"), try file.values("lrs"))
    var losses: [Double] = []
    for step in 1...30 {
      let batch = batches.row(step - 1).map { Int($0) }
      losses.append(
        residualStep(
          &residual, &moments, base: base, features: selectRows(features, batch), labels: batch.map { labels[$0] },
          logitScale: scale, alpha: try #require(args["alpha"] as? Double), learningRate: rates[step - 1],
          weightDecay: try #require(args["weight_decay_l2"] as? Double)))
      if step == 1 {
        expectClose(
          moments.first.map { $0 / (1 - 0.9) }.values, try file.values("step1.grad"), rtol: 1e-5, atol: 1e-8, "gradient"
        )
      }
      if file.names.contains("step\(step).x") {
        expectClose(residual.values, try file.values("step\(step).x"), rtol: 1e-4, atol: 1e-7, "step \(step)")
      }
    }
    expectClose(losses, try file.values("losses"), rtol: 1e-5, atol: 1e-6, "losses")
  }

  @Test(
    arguments: GoldenFolder.runs(
      "adam-wd0.01", "adam-wd0", "adam-zero-gradients", "adamw-wd0.1", "adamw-wd0", of: "optim"))
  func stepsOfAdamArePyTorchs(_ run: GoldenRun) throws {
    let (args, file) = (try run.arguments(), try run.file())
    for tensor in ["a", "b", "c"] {
      var parameter = Matrix(row: try file.values("p0.\(tensor)"))
      var moments = Moments(like: parameter)
      let (gradients, wanted) = (try file.values("grads.\(tensor)"), try file.values("params.\(tensor)"))
      for step in 0..<20 {
        let range = step * parameter.count..<(step + 1) * parameter.count
        adamStep(
          &parameter, gradient: Matrix(row: Array(gradients[range])), moments: &moments,
          learningRate: try #require(args["lr"] as? Double), weightDecay: args["weight_decay"] as? Double ?? 0,
          decay: run.name.hasPrefix("adamw") ? .decoupled : .coupled)
        expectClose(parameter.values, Array(wanted[range]), rtol: 1e-5, atol: 1e-6, "\(tensor), step \(step)")
      }
    }
  }

  /// The totals of the authors' published allocations of ViT-B/16, 19 tasks × 7 budgets for each kind of module.
  @Test(arguments: GoldenFolder.all, [ModuleKind.lora, .adapter])
  func publishedTotalsAreOurCosts(_ folder: GoldenFolder, _ kind: ModuleKind) throws {
    let published = try folder.json("spt/published-allocations-\(kind).json")
    let tasks = try #require(published["tasks"] as? [String: [String: [String: Any]]])
    #expect(tasks.count == (folder.isSmall ? 1 : 19))
    for (task, budgets) in tasks {
      for (budget, allocation) in budgets {
        let matrices = try #require(allocation["tuned_matrices"] as? [[Int]])
        let vectors = try #require(allocation["tuned_vectors"] as? [String])
        // In their order: query, key, value, output, up, down.
        let costs = [(768, 768), (768, 768), (768, 768), (768, 768), (3072, 768), (768, 3072)].map {
          kind.cost(out: $0.0, in: $0.1, rank: 8)
        }
        let modules = matrices.flatMap { zip($0, costs).map { $0 * $1 } }.reduce(0, +)
        let whole = vectors.reduce(0) { $0 + ($1.hasSuffix("fc1.bias") ? 3072 : 768) }
        #expect(modules + whole == allocation["structured_params"] as? Int, "\(task), \(budget)")
        let total = modules + whole + (allocation["unstructured_params"] as? Int ?? 0) + 768
        let params = try #require(allocation["params"] as? Double)
        #expect(abs(Double(total) / 1e6 - params) < 1e-6, "\(task), \(budget)")
      }
    }
  }
}
