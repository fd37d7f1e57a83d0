import FrugalTestSupport
import Methods
import Tensor
import Testing

@testable import frugal

/// From flags to settings.
@Suite struct TuneFlagsTests {
  func configuration(_ method: String, _ flags: String...) throws -> RunConfiguration {
    let folder = try TemporaryFolder()
    let words =
      ["--model", Workbench.model, "--data", Workbench.pictures, "--method", method, "--out", folder.path("run")]
      + flags
    return try TuneFlags.new(try Arguments(words, options: TuneCommand.options + commonOptions)).configuration
  }

  func expectRefusal(_ method: String, _ flags: String..., naming flag: String) throws {
    let words =
      ["--model", Workbench.model, "--data", Workbench.pictures, "--method", method, "--out", "never"] + flags
    let arguments = try Arguments(words, options: TuneCommand.options + commonOptions)
    let error = try #require(throws: (any Error).self) { try TuneFlags.new(arguments) }
    let usage = (error as? SettingError).map { UsageError($0) } ?? error
    #expect("\(usage)".hasPrefix(flag))
  }

  @Test func theReleasedCodeOfTaskResLeavesUnderscoresInNames() throws {
    #expect(try configuration("task-res").data.classes.contains("red_circle"))
    #expect(try configuration("task-res", "--as", "paper").data.classes.contains("red circle"))
    #expect(try configuration("r-amt").data.classes.contains("red circle"))
  }

  @Test func aDatasetBringsItsTemplateAndSettings() throws {
    let pets = try configuration("task-res", "--dataset", "oxford_flowers")
    #expect(pets.templates == ["a photo of a {}, a type of flower."] && pets.recipe[TaskResSettings.self]?.alpha == 1)
    #expect(try configuration("task-res", "--dataset", "imagenet").templates.count == 8)
    #expect(try configuration("r-amt", "--dataset", "imagenet").templates == ["a photo of a {}."])
  }

  @Test func everyFlagOfTheOptimiserArrives() throws {
    let recipe = try configuration(
      "task-res", "--optimizer", "sgd", "--lr", "0.25", "--momentum", "0.5", "--nesterov", "--weight-decay", "0.125",
      "--schedule", "constant", "--warmup", "linear", "--warmup-epochs", "3", "--warmup-lr", "0.0625", "--recount", "no"
    ).recipe.head
    #expect(recipe.kind == .sgd && recipe.learningRate == 0.25 && recipe.momentum == 0.5 && recipe.nesterov)
    #expect(recipe.weightDecay == 0.125 && recipe.course == .constant && recipe.warmup == .linear)
    #expect(recipe.warmupEpochs == 3 && recipe.warmupLearningRate == 0.0625 && !recipe.recounts)
  }

  @Test(arguments: [("10%", 40, 4), ("10%", 5, 1), ("10%", 4, 0), ("100%", 7, 7), ("0%", 7, 0)])
  func aWarmupMayBeAShareOfTheRun(share: String, epochs: Int, expected: Int) throws {
    let recipe = try configuration("lora", "--warmup-epochs", share, "--epochs", "\(epochs)").recipe
    #expect(recipe.encoder.warmupEpochs == expected && recipe.head.warmupEpochs == expected)
  }

  /// `--lr` is the encoder's rate: a head trained with it keeps that of its own recipe.
  @Test func aLearningRateIsThatOfTheEncoderUnlessOnlyAHeadIsTrained() throws {
    let both = try configuration("r-amt+task-res", "--lr", "0.25", "--weight-decay", "0.5").recipe
    #expect(both.encoder.learningRate == 0.25 && both.encoder.weightDecay == 0.5)
    #expect(both.head.learningRate == 2e-3 && both.head.weightDecay == 5e-4)
    let stated = try configuration(
      "r-amt+task-res", "--lr", "0.25", "--head-lr", "0.125", "--head-weight-decay", "0.0625"
    ).recipe
    #expect(stated.encoder.learningRate == 0.25 && stated.encoder.weightDecay == 0)
    #expect(stated.head.learningRate == 0.125 && stated.head.weightDecay == 0.0625)
    for flag in ["--lr", "--head-lr"] {
      let recipe = try configuration("task-res", flag, "0.25").recipe
      #expect(recipe.head.learningRate == 0.25 && recipe.encoder.learningRate == 0.25)
    }
    // What one rate for both meant in the first versions is said with two.
    var old = try configuration("r-amt+task-res").recipe
    (old.encoder.learningRate, old.head.learningRate) = (0.25, 0.25)
    #expect(try configuration("r-amt+task-res", "--lr", "0.25", "--head-lr", "0.25").recipe == old)
    let single = try configuration("r-amt", "--lr", "0.25").recipe
    #expect(single.head == single.encoder && single.head.learningRate == 0.25)
    try expectRefusal("task-res", "--lr", "1", "--head-lr", "1", naming: "--head-lr: expected no --lr with it")
    try expectRefusal("task-res", "--weight-decay", "1", "--head-weight-decay", "1", naming: "--head-weight-decay")
    try expectRefusal("r-amt", "--head-lr", "1", naming: "--head-lr: expected a method with a head that is trained")
  }

  /// Every flag of an optimiser has one of a head that is trained with the encoder.
  @Test func theOptimiserOfAHeadHasFlagsOfItsOwn() throws {
    let recipe = try configuration(
      "r-amt+coop", "--head-optimizer", "adamw", "--head-epsilon", "1e-5", "--head-schedule", "constant",
      "--head-warmup", "linear", "--head-warmup-epochs", "10%", "--head-recount", "no", "--head-schedule-lag", "2"
    ).recipe
    let published = try configuration("r-amt+coop").recipe
    #expect(recipe.encoder == published.encoder && recipe.head.kind == .adamw && recipe.head.epsilon == 1e-5)
    #expect(recipe.head.course == .constant && recipe.head.warmup == .linear && recipe.head.warmupEpochs == 3)
    #expect(!recipe.head.recounts && recipe.head.lag == 2)
    // A flag of both halves is read by those in which it means something.
    let shared = try configuration("r-amt+coop", "--momentum", "0.5", "--warmup-epochs", "4").recipe
    #expect(shared.encoder == published.encoder && shared.head.momentum == 0.5 && shared.head.warmupEpochs == 4)
    try expectRefusal(
      "r-amt+coop", "--optimizer", "adam", "--momentum", "0.5", naming: "--momentum: expected --optimizer sgd with it")
    try expectRefusal(
      "r-amt+coop", "--head-epsilon", "1e-5",
      naming: "--head-epsilon: expected --head-optimizer adam, adamw or sparse-adam with it, found sgd")
    try expectRefusal("r-amt+coop", "--momentum", "0.5", "--head-momentum", "0.5", naming: "--momentum: expected")
    try expectRefusal("task-res", "--warmup", "none", "--head-warmup", "none", naming: "--head-warmup: expected no")
    try expectRefusal("r-amt", "--head-warmup", "none", naming: "--head-warmup: expected a method with a head that is")
    // What cannot be half of a pair is no advice.
    try expectRefusal(
      "2sfs", "--head-lr", "1", naming: "--head-lr: expected a method with a head that is trained, found 2sfs")
  }

  /// β₁ and β₂ are settings of the Adam rules, absent where they are as usual.
  @Test func theMomentsOfAdamHaveFlags() throws {
    let recipe = try configuration("lora+linear", "--beta1", "0.8", "--beta2", "0.99", "--head-beta1", "0.7").recipe
    #expect(recipe.encoder.beta1 == 0.8 && recipe.encoder.beta2 == 0.99)
    #expect(recipe.head.beta1 == 0.7 && recipe.head.beta2 == 0.99)
    let usual = try configuration("task-res", "--beta1", "0.9", "--beta2", "0.999").recipe.head
    #expect(usual.beta1 == nil && usual.beta2 == nil)
    try expectRefusal("coop", "--beta1", "0.8", naming: "--beta1: expected --optimizer adam, adamw or sparse-adam")
    try expectRefusal("task-res", "--beta2", "1", naming: "--beta2: expected a number from 0.0 to 0.999999")
  }

  @Test func theRuleOfSeveralTemplatesHasAFlag() throws {
    #expect(try configuration("task-res").ensembling == .rawMean)
    #expect(try configuration("task-res", "--ensembling", "unit-mean").ensembling == .unitMean)
    #expect(try configuration("tip-adapter-f", "--ensembling", "raw-mean").ensembling == .rawMean)
    for method in ["coop", "cocoop", "linear"] {
      try expectRefusal(method, "--ensembling", "raw-mean", naming: "--ensembling: expected a method whose classifier")
    }
  }

  @Test func textFeaturesOfLengthOneNeedAResidual() throws {
    try expectRefusal(
      "task-res", "--residual", "image", "--unit-text",
      naming: "--unit-text: expected --residual text or both with it, found image")
  }

  @Test func theLagOfTheScheduleHasAFlag() throws {
    #expect(try configuration("r-amt+task-res", "--schedule-lag", "2").recipe.encoder.lag == 2)
    #expect(try configuration("linear", "--schedule-lag", "0").recipe.head.lag == nil)
    #expect(try configuration("linear").recipe.head.lag == 1)
    #expect(try configuration("linear", "--cooldown-epochs", "3").recipe.head.cooldownEpochs == 3)
    #expect(try configuration("gps", "--cooldown-epochs", "0").recipe.encoder.cooldownEpochs == nil)
  }

  @Test func theSparseOptimiserHasFlags() throws {
    let recipe = try configuration("bitfit", "--optimizer", "sparse-adam", "--density", "0.25", "--refresh", "7").recipe
    #expect(recipe.encoder.kind == .sparseAdam && recipe.encoder.density == 0.25 && recipe.encoder.refresh == 7)
    for flag in ["--density", "--refresh"] {
      try expectRefusal("bitfit", flag, "1", naming: "\(flag): expected --optimizer sparse-adam with it, found adamw")
    }
    #expect(try configuration("so").recipe.stopLoss == 0.01)
    #expect(try configuration("so", "--stop-loss", "0").recipe.stopLoss == nil)
    #expect(try configuration("bitfit", "--stop-loss", "0.5").recipe.stopLoss == 0.5)
  }

  @Test func tooFewImagesNameTheFlag() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal(
      "tune", "--model", Workbench.model, "--data", Workbench.pictures, "--method", "task-res", "--shots", "17",
      "--strict", "--out", folder.path("run"))
    let message = "expected at least 17 training images, found 16; --shots 16, or any --shots without --strict, uses"
    #expect(outcome.code == 1 && outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test func everyFlagOfTheMethodArrives() throws {
    let masks = try configuration(
      "r-pmt", "--lambda", "0.75", "--norm-weight", "0.5", "--tuned-share", "0.25", "--epochs", "7", "--batch", "5",
      "--crop", "center"
    ).recipe
    let own = masks[MaskTuningSettings.self]
    #expect(own?.lambda == 0.75 && own?.normWeight == 0.5 && own?.tunedShare == 0.25)
    #expect(masks.epochs == 7 && masks.batchSize == 5 && !masks.augments)
    #expect(try configuration("task-res", "--alpha", "0.3").recipe[TaskResSettings.self]?.alpha == 0.3)
  }

  @Test func flagsNobodyWouldReadAreRefused() throws {
    try expectRefusal("task-res", "--lambda", "0.5", naming: "--lambda")
    try expectRefusal("mask-tuning", "--lambda", "0.5", naming: "--lambda")
    try expectRefusal("r-amt", "--alpha", "0.5", naming: "--alpha")
    try expectRefusal("r-amt", "--tuned-share", "0.5", naming: "--tuned-share")
    try expectRefusal("r-amt", "--momentum", "0.5", naming: "--momentum")
    try expectRefusal("r-pmt", "--weight-decay", "0.1", naming: "--weight-decay")
  }
}
