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
      #expect(try configuration("task-res", flag, "0.25").recipe.head.learningRate == 0.25)
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
