import Formats
import Foundation
import Models
import Tensor

/// The costs of the parts of a run, measured in a few seconds on small batches of its own images.
///
/// FLOP and memory are counted and grow with the batch along a line, which two batches give exactly; times are those of
/// this machine now.
package struct Rehearsal: Sendable {
  /// Reading, decoding and preparing an image.
  var loading = WorkCost()
  /// The bytes of a prepared image.
  var imageBytes = 0
  /// The text tower on one prompt.
  var text = WorkCost()
  /// The frozen encoder on one image, and the tuned one.
  var frozen = WorkCost(), tuned = WorkCost()
  /// The bytes that evaluating one image of a batch holds, and those that a batch of any size does.
  var evaluationBytes = 0.0, sharedEvaluationBytes = 0.0
  /// A look at the images to choose what to tune: what it takes in any case, and for each image.
  var choosing = (fixed: WorkCost(), each: WorkCost())
  /// The bytes of that, by the images of a batch.
  var choosingBytes = (fixed: 0.0, each: 0.0)
  /// Making a head of features.
  var fitting = WorkCost()
  /// A training step without images, and what an image of the batch adds; of a head alone, where the halves are trained
  /// one after the other and the other is that of an encoder.
  var step = (fixed: WorkCost(), each: WorkCost()), headStep = (fixed: WorkCost(), each: WorkCost())
  /// The bytes of a training step.
  var stepBytes = (fixed: 0.0, each: 0.0)
  /// What a step has to hold in any case: trained values, and those of the optimisers.
  var stateBytes = 0
  /// The bytes of the process besides tensors: program, mapped weights, decoded pictures; and those of weights that the
  /// frozen towers keep in another order, where batches are small.
  var otherBytes = 0
  /// Whether steps are taken on features that were computed once, and whether anything in the encoder is tuned.
  var isCached = false, isTuned = false
  /// Whether every image has a classifier of its own.
  var isConditional = false
  /// Whether there are steps of training, and whether the head chooses settings after them.
  var takesSteps = false, chooses = false
  /// The width of the features.
  var embedding = 0
  /// Making the delta, whose model is identified by its weights.
  var finishing = WorkCost()
  /// The number of trainable parameters.
  package var trained = 0
  /// That of the training that comes first, if there is one.
  var before: [Rehearsal] = []
  /// Bytes of the checkpoint, with and without the values of a best epoch, and of the delta.
  var checkpointBytes = 0, bestBytes = 0, deltaBytes = 0

  /// The larger of the two batches, which is large enough for the products of a training step to run as they do in one.
  private static let batch = 4
  /// Prompts that are encoded.
  private static let prompts = 16
  /// What is fast is repeated for as long.
  private static let leastSeconds = 0.2

  /// Measures the parts of a run; nothing is written.
  ///
  /// - Throws: what reading its images or making its method throws.
  package init(_ run: Run) throws {
    RunMachine.resetPeakMemory()
    let live = Workload.liveBytes
    let texts = try measureTexts(run)
    let textBytes = Workload.liveBytes - live
    let images = try RehearsedImages(run, 2 * Self.batch)
    (loading, imageBytes) = (images.loading, images.bytes)
    let before = Workload.liveBytes
    measureEncoder(run.tower, images)
    let packedBytes = max(0, textBytes) + max(0, Workload.liveBytes - before)
    let method = try measureChoice(run, texts)
    let made = Workload.liveBytes
    let recipe = run.configuration.recipe
    var state = TrainingState(
      startOf: method, recipe, stepsPerEpoch: recipe.stepsPerEpoch(images: run.images.count), seed: 1)
    try measureSteps(run, method, &state, images, above: made)
    measureTuned(method, state.values, images)
    bestBytes = state.values.reduce(0) { $0 + $1.count } * MemoryLayout<Real>.size
    checkpointBytes = try state.checkpoint(fingerprint: "").byteCount
    finishing = try WorkCost.measured { deltaBytes = try run.delta(method, state.values).file.byteCount }.cost
    otherBytes = max(0, RunMachine.memory("VmHWM") - WorkCost.largestBytes) + packedBytes
    if let base = try run.baseRun() { self.before = [try Rehearsal(base)] }
  }

  /// Repeats what is fast, and takes the fastest: what disturbs only adds.
  private func fastest(_ body: () throws -> Void) rethrows -> (cost: WorkCost, bytes: Int) {
    var best = try WorkCost.measured(body)
    var spent = best.cost.seconds
    while spent < Self.leastSeconds {
      let next = try WorkCost.measured(body).cost
      spent += max(next.seconds, 1e-4)
      best.cost.seconds = min(best.cost.seconds, next.seconds)
      best.cost.coreSeconds = min(best.cost.coreSeconds, next.coreSeconds)
    }
    return best
  }

  /// The text tower on some prompts.
  ///
  /// - Returns: a classifier of as many rows as there are classes: values do not change what a step costs.
  private mutating func measureTexts(_ run: Run) throws -> Tensor? {
    guard let clip = run.pretrained.clip else { return nil }
    let (settings, count) = (run.configuration, run.configuration.data.classes.count)
    let prompts = try Prompts(classes: settings.data.classes, templates: settings.templates).texts.prefix(Self.prompts)
    var found = Tensor.zeros([0, 0])
    text =
      try 1 / Double(prompts.count)
      * WorkCost.measured { found = try clip.directory.textFeatures(Array(prompts), truncate: settings.truncates) }.cost
    return found.rows((0..<count).map { $0 % prompts.count })
  }

  /// The frozen encoder on a batch; a first pass reads its weights from the disk.
  private mutating func measureEncoder(_ tower: any ImageTower, _ images: RehearsedImages) {
    embedding = tower.featureWidth
    let batch = Variable(images.batch(Self.batch))
    _ = tower(batch, Pass())
    let found = fastest { _ = tower(batch, Pass()) }
    frozen = 1 / Double(Self.batch) * found.cost
    evaluationBytes = Double(found.bytes) / Double(Self.batch)
  }

  /// Making the method, with its look at images or its head of features.
  private mutating func measureChoice(_ run: Run, _ texts: Tensor?) throws -> Method {
    let hasSurvey = run.survey != nil
    if hasSurvey {
      choosingBytes.fixed = Double(
        try WorkCost.measured { _ = try run.rehearsed(textFeatures: texts, batches: 1, of: 2) }.bytes)
    }
    var (made, marks) = (Method?.none, [WorkCost]())
    let begun = WorkCost.now
    let look = try WorkCost.measured {
      made = try run.rehearsed(textFeatures: texts, batches: 2, of: Self.batch) { marks.append(.now) }
    }
    guard let method = made else { trap("Rehearsal: expected a method, found none") }
    if hasSurvey, marks.count > 1 {
      // The second batch alone: the first reads weights, and ranking follows the last.
      choosing = (look.cost - (marks[1] - begun), 1 / Double(Self.batch) * (marks[1] - marks[0]))
      let each = max(0, Double(look.bytes) - choosingBytes.fixed) / Double(Self.batch - 2)
      choosingBytes = (max(0, Double(look.bytes) - each * Double(Self.batch)), each)
    }
    if run.name.needsExamples { fitting = look.cost }
    (takesSteps, chooses) = (!method.trainables.isEmpty, !method.head.choiceNames.isEmpty)
    (isTuned, trained) = (!method.encoder.trainables.isEmpty, method.trainedCount)
    isConditional = method.head.isConditional
    isCached =
      method.encoder.trunkExamples != nil
      || method.hasFrozenEncoder && (run.loader.transform == .evaluation || method.head.trainingExamples != nil)
    return method
  }

  /// Steps of training, of each stage.
  private mutating func measureSteps(
    _ run: Run, _ method: Method, _ state: inout TrainingState, _ images: RehearsedImages, above live: Int
  ) throws {
    guard takesSteps else { return }
    guard let start = state.headStart else {
      (step, stepBytes) = measureSteps(run, method, &state, .joint, images, above: live)
      return
    }
    let ofEncoder = measureSteps(run, method, &state, .encoder, images, above: live)
    state.steps = start
    let ofHead = measureSteps(run, method, &state, .head, images, above: live)
    (step, headStep) = (ofEncoder.cost, ofHead.cost)
    stepBytes = (
      max(ofEncoder.bytes.fixed, ofHead.bytes.fixed), max(ofEncoder.bytes.each, ofHead.bytes.each)
    )
  }

  /// Steps of one stage: on features in a batch of the run, on images in a small one and of one image.
  private mutating func measureSteps(
    _ run: Run, _ method: Method, _ state: inout TrainingState, _ stage: Method.Stage, _ images: RehearsedImages,
    above live: Int
  ) -> (cost: (fixed: WorkCost, each: WorkCost), bytes: (fixed: Double, each: Double)) {
    let first = state.steps
    let size = min(run.configuration.recipe.batchSize, max(1, run.images.count))
    let large = isCached ? size : min(size, Self.batch)
    func measured(_ count: Int) -> (cost: WorkCost, bytes: Int) {
      let input = input(of: method, count, images)
      let labels = images.labels(count)
      return fastest {
        let step = method.step(input, labels: labels, values: state.values, seed: 1, step: first, stage: stage)
        state.steps = first
        state.apply(step, epoch: 0, count: count)
      }
    }
    // The first one makes what is made once.
    _ = measured(large)
    let found = measured(large)
    // Before a step of one image, for which a frozen teacher keeps its weights in another order.
    stateBytes = max(0, Workload.liveBytes - live)
    guard large > 1 else { return ((found.cost, WorkCost()), (Double(found.bytes), 0)) }
    let one = measured(1)
    let cost =
      isCached ? (found.cost, WorkCost()) : WorkCost.line(through: one.cost, of: 1, found.cost, of: large)
    let each = Double(max(0, found.bytes - one.bytes)) / Double(large - 1)
    return (cost, (max(0, Double(found.bytes) - each * Double(large)), each))
  }

  /// A batch as a training step reads it.
  private func input(of method: Method, _ count: Int, _ images: RehearsedImages) -> Method.Input {
    if !isCached { return .images(images.batch(count)) }
    if let examples = method.encoder.trunkExamples {
      return .trunk(Tensor([count, examples.features.shape.width], repeating: 1))
    }
    return .prepared(method.head.prepared(Variable(Tensor([count, embedding], repeating: 1))).value)
  }

  /// The tuned encoder on a batch.
  private mutating func measureTuned(_ method: Method, _ values: [Tensor], _ images: RehearsedImages) {
    tuned = frozen
    guard isTuned || isConditional else { return }
    let (model, batch) = (method.logits(values: values), images.batch(Self.batch))
    let found = fastest { _ = model(.images(batch)) }
    tuned = 1 / Double(Self.batch) * found.cost
    // What one image after another takes is held once.
    let one = isConditional ? fastest { _ = model(.images(images.batch(1))) }.bytes : 0
    let each = Double(max(0, found.bytes - one)) / Double(Self.batch - (isConditional ? 1 : 0))
    sharedEvaluationBytes = max(0, Double(one) - each)
    evaluationBytes = max(evaluationBytes, each)
  }
}
