import Datasets
import Formats
import Foundation
import Models
import Tensor

/// What a run will take: FLOP, time, memory and disk, by its counts of images and steps and a rehearsal of its parts.
package struct RunPlan: Sendable {
  /// A part of a run.
  package struct Part: Sendable {
    /// What it is, in words.
    package let name: String
    /// Images, prompts or steps.
    package let count: Int
    /// What it takes.
    package let cost: WorkCost
  }

  /// Bytes, by what they are for.
  package typealias Sizes = [(name: String, bytes: Int)]

  /// The parts in their order; those that the run does not have are left out.
  package private(set) var parts: [Part] = []
  /// The largest part of the memory at a time: what is held in any case, and the part that needs most.
  package private(set) var memory: Sizes = []
  /// The files of the run at its end.
  package private(set) var disk: Sizes = []
  /// Images whose features a cache keeps, the bytes of these, and what another run with the same images is spared.
  package private(set) var cacheable: (images: Int, bytes: Int, cost: WorkCost) = (0, 0, WorkCost())
  /// What of that every run with the same model and test images is spared: those images, and the texts.
  package private(set) var shared = WorkCost()
  /// The images of that.
  package private(set) var sharedImages = 0
  /// The number of trainable parameters.
  package let trained: Int

  /// All parts together.
  package var cost: WorkCost { parts.reduce(WorkCost()) { $0 + $1.cost } }
  /// The largest number of bytes at a time.
  package var memoryBytes: Int { memory.reduce(0) { $0 + $1.bytes } }
  /// The bytes of all files.
  package var diskBytes: Int { disk.reduce(0) { $0 + $1.bytes } }

  /// The plan of a run that begins anew.
  ///
  /// - rehearsal: the parts as they were measured, for this run or one of the same method, model and classes.
  /// - isCaching: whether features are kept, which spares the run a second pass over the same images.
  /// - writing: seconds to write a byte to disk.
  /// - transfer: test images of each folder with other data that the run is tested on at its end.
  package init(_ run: Run, _ rehearsal: Rehearsal, isCaching: Bool, writing: Double, transfer: [Int] = []) {
    let counts = Counts(run, rehearsal)
    trained = rehearsal.trained
    add(run, rehearsal, counts, isCaching: isCaching)
    add(run, rehearsal, transfer: transfer)
    memory = Self.memory(run, rehearsal, counts)
    disk = Self.disk(run, rehearsal, counts)
    let saves = min(counts.epochs, 1 + Int((parts.first { $0.name == "training" }?.cost.seconds ?? 0).rounded(.up)))
    let written = Double(saves * (disk.first?.bytes ?? 0)) * writing
    append("saving", counts.trainings * saves, WorkCost(seconds: written))
  }

  private mutating func append(_ name: String, _ count: Int, _ cost: WorkCost) {
    if count > 0 { parts.append(Part(name: name, count: count, cost: cost)) }
  }

  /// The numbers of images and steps of a run.
  struct Counts {
    let epochs, trainings, validation, test, texts, views: Int
    /// Training images of all trainings, and the steps of an epoch of each together.
    let images, steps: Int
    /// The steps of all epochs of all trainings, and of those the ones of heads alone.
    let totalSteps, headSteps: Int
    /// Passes over the validation split, whose results select an epoch, a budget or settings of a head.
    let validations: Int

    init(_ run: Run, _ rehearsal: Rehearsal) {
      let settings = run.configuration
      let (recipe, data) = (settings.recipe, run.data)
      epochs = rehearsal.takesSteps ? recipe.epochs : 0
      let budgets = settings.budgets?.count ?? 0
      trainings = budgets + 1
      let sizes = Array(repeating: data.train.count, count: budgets) + [run.images.count]
      images = sizes.reduce(0, +)
      steps = rehearsal.takesSteps ? sizes.reduce(0) { $0 + recipe.stepsPerEpoch(images: $1) } : 0
      let taken = sizes.map {
        rehearsal.takesSteps ? recipe.totalSteps(stepsPerEpoch: recipe.stepsPerEpoch(images: $0)) : 0
      }
      totalSteps = taken.reduce(0, +)
      headSteps = taken.reduce(0) { sum, steps in sum + (recipe.encoderSteps(of: steps).map { steps - $0 } ?? 0) }
      let judged = (1...max(1, recipe.epochs)).count { settings.selection.judges(epoch: $0, of: recipe.epochs) }
      let chooses = rehearsal.chooses && run.choosingSplit != nil ? 1 : 0
      validation = (settings.selection == .test ? data.folder.test : data.validation)?.count ?? 0
      let isOnce = !rehearsal.isTuned && !rehearsal.isConditional
      validations = (epochs == 0 ? 0 : isOnce ? min(1, judged) : judged) + chooses + budgets
      test = data.folder.test.count + (data.unseen?.test.count ?? 0)
      let classes = settings.data.classes.count + (settings.data.newClasses?.count ?? 0)
      texts = run.pretrained.clip == nil ? 0 : classes * settings.templates.count
      views = run.loader.transform == .evaluation ? 1 : recipe.views ?? 1
    }
  }

  /// Each folder with other data is a start of its own, without a cache.
  private mutating func add(_ run: Run, _ rehearsal: Rehearsal, transfer: [Int]) {
    let starts = Double(transfer.count) * WorkCost(seconds: run.setupSeconds, coreSeconds: run.setupSeconds)
    let images = transfer.reduce(0, +)
    let frozen = run.pretrained.clip == nil ? WorkCost() : rehearsal.pass(images, rehearsal.frozen)
    append("other data", images, starts + frozen + rehearsal.pass(images, rehearsal.tuned))
  }

  private mutating func add(_ run: Run, _ rehearsal: Rehearsal, _ counts: Counts, isCaching: Bool) {
    func pass(_ images: Int, _ encoder: WorkCost) -> WorkCost { rehearsal.pass(images, encoder) }
    let reading = WorkCost(seconds: run.setupSeconds, coreSeconds: run.setupSeconds)
    append("setup", 1, reading + rehearsal.finishing)
    append("texts", counts.texts, Double(counts.texts) * rehearsal.text)
    if let survey = run.survey {
      let images = min(survey.images, run.data.train.count)
      let each = Double(images) * rehearsal.choosing.each + rehearsal.choosing.fixed
      append("choosing", counts.trainings * images, Double(counts.trainings) * each)
    }
    let needsExamples = run.name.needsExamples
    let features = (needsExamples ? counts.views : rehearsal.isCached ? 1 : 0) * counts.images
    append("features", features, pass(features, rehearsal.frozen) + (needsExamples ? rehearsal.fitting : WorkCost()))
    if let base = (try? run.baseRun()).flatMap(\.self), let rehearsed = rehearsal.before.first {
      append("base", Counts(base, rehearsed).totalSteps, Self.training(base, rehearsed))
    }
    append("training", counts.totalSteps, Self.training(run, rehearsal))
    let validated = counts.validations * counts.validation
    append("validation", validated, pass(validated, rehearsal.tuned))
    let hasZeroShot = run.pretrained.clip != nil
    let isOnce = isCaching && !rehearsal.isTuned
    let tests = hasZeroShot && !isOnce ? pass(counts.test, rehearsal.frozen) : WorkCost()
    append("test", counts.test, tests + pass(counts.test, rehearsal.tuned))
    sharedImages =
      (rehearsal.isTuned ? 0 : min(1, counts.validations) * counts.validation)
      + (hasZeroShot || !rehearsal.isTuned ? counts.test : 0)
    let kept = (run.name.encoder.readsTrunk ? 0 : features) + sharedImages
    let row = FeatureKey.byteCount + rehearsal.embedding * MemoryLayout<Real>.size
    let texts = Double(counts.texts) * rehearsal.text
    cacheable = (kept, (kept + counts.texts) * row, pass(kept, rehearsal.frozen) + texts)
    shared = pass(sharedImages, rehearsal.frozen) + texts
  }

  private static func training(_ run: Run, _ rehearsal: Rehearsal) -> WorkCost {
    let counts = Counts(run, rehearsal)
    let batch = Double(min(run.configuration.recipe.batchSize, max(1, run.images.count)))
    func cost(_ step: (fixed: WorkCost, each: WorkCost), _ count: Int) -> WorkCost {
      let seen = Double(count)
      var cost = seen * (step.fixed + batch * step.each)
      guard !rehearsal.isCached else { return cost }
      cost = cost + rehearsal.pass(Int(seen * batch), WorkCost())
      cost.seconds = max(
        seen * (step.fixed.seconds + batch * step.each.seconds)
          + seen * batch * rehearsal.loading.coreSeconds / Double(Parallel.threads),
        seen * batch * rehearsal.loading.seconds)
      return cost
    }
    return cost(rehearsal.step, counts.totalSteps - counts.headSteps) + cost(rehearsal.headStep, counts.headSteps)
  }

  private static func memory(_ run: Run, _ rehearsal: Rehearsal, _ counts: Counts) -> Sizes {
    let batch = min(run.configuration.recipe.batchSize, max(1, run.images.count))
    let encoded = max(counts.test, counts.validations * counts.validation, rehearsal.isCached ? run.images.count : 0)
    let together = min(Evaluation.batchSize, encoded)
    // One batch at work and two that are prepared ahead (`Prefetcher`), where there are as many.
    func images(_ size: Int, batches: Int) -> Int { size * rehearsal.imageBytes * min(3, batches) }
    let batches = (encoded + Evaluation.batchSize - 1) / Evaluation.batchSize
    var uses = [
      (
        name: "evaluation",
        bytes: together * Int(rehearsal.evaluationBytes) + Int(rehearsal.sharedEvaluationBytes)
          + images(together, batches: batches)
      ),
      (
        name: "training step",
        bytes: Int(rehearsal.stepBytes.fixed + rehearsal.stepBytes.each * Double(batch))
          + (rehearsal.isCached ? 0 : images(batch, batches: counts.steps))
      ),
    ]
    if let survey = run.survey {
      let count = Double(min(survey.batch, run.data.train.count))
      let bytes = rehearsal.choosingBytes.fixed + rehearsal.choosingBytes.each * count - Double(rehearsal.stateBytes)
      uses.append(("choosing", Int(max(0, bytes))))
    }
    let largest = uses.max { $0.bytes < $1.bytes } ?? uses[0]
    return [
      ("program and weights", rehearsal.otherBytes), ("trained values and optimiser", rehearsal.stateBytes), largest,
    ]
  }

  private static func disk(_ run: Run, _ rehearsal: Rehearsal, _ counts: Counts) -> Sizes {
    let settings = run.configuration
    let best = settings.selection == .last ? 0 : rehearsal.bestBytes
    let all = run.data.train.items + (run.data.validation?.items ?? []) + run.data.folder.test.items
    // A line of `inputs.jsonl` besides the name, and one of `predictions.jsonl`.
    let lines = all.reduce(0) { $0 + $1.name.utf8.count + 160 }
    let names = run.data.folder.test.items.reduce(0) { $0 + $1.name.utf8.count }
    let answers = run.pretrained.clip == nil ? 80 : 130
    return [
      (
        "checkpoint",
        counts.trainings * (rehearsal.checkpointBytes + best)
          + rehearsal.before.reduce(0) { $0 + $1.checkpointBytes }
      ),
      ("delta", rehearsal.deltaBytes),
      ("predictions", names + counts.test * answers),
      ("records", lines + 300 * counts.epochs + 8000),
    ]
  }
}

extension Rehearsal {
  /// Images through an encoder, while the next ones are loaded on the cores that compute.
  fileprivate func pass(_ images: Int, _ encoder: WorkCost) -> WorkCost {
    var cost = Double(images) * (encoder + loading)
    let loadingSeconds = loading.coreSeconds / Double(Parallel.threads)
    cost.seconds = Double(images) * max(loading.seconds, encoder.seconds + loadingSeconds)
    return cost
  }
}
