import Testing

@testable import Methods

@Suite struct MethodNameTests {
  @Test(arguments: [
    ("r-amt", "r-amt"), ("linear", "linear"), ("r-amt+task-res", "r-amt+task-res"),
    ("task-res+r-amt", "r-amt+task-res"), ("lora+zero-shot", "lora"), ("lp++", "lp++"),
  ])
  func aNameIsOneHalfOrAPairInAnyOrder(_ text: String, _ expected: String) throws {
    #expect(try MethodName(parts: text).description == expected)
  }

  /// The published runs of encoder tunings on ViTs have one optimiser; those of CLIP's methods have no linear head.
  @Test func aLinearHeadHasTheOptimizerOfTheEncoder() throws {
    let setting = PublishedSetting(benchmark: nil, shots: nil, fidelity: .official)
    for encoder in MethodList.encoders where encoder.isTrained && encoder.trainingProtocol == .allImages {
      let recipe = MethodName(encoder, LinearMethod()).recipe(setting)
      #expect(recipe.head == recipe.encoder, "\(encoder.name)")
    }
    let prompts = try MethodName(parts: "vpt-deep+linear").recipe(setting)
    #expect(prompts.head.kind == .sgd && prompts.head.learningRate == 0.25)
    let masks = try MethodName(parts: "r-amt+linear").recipe(setting)
    #expect(masks.head == LinearMethod().recipe(setting).head)
  }

  /// Every name and every pair, names with pluses of their own among them.
  @Test func everyNameIsReadAsItIsWritten() throws {
    for name in MethodList.names + MethodList.pairs.map(\.description) {
      #expect(try MethodName(parts: name).description == name)
    }
  }

  @Test(arguments: [
    ("ssf+lora", "one encoder tuning, as both parts are"), ("clap+coop", "one head, as both parts are"),
    ("coop+coop", "one head, as both parts are"), ("lp+++gda", "one head, as both parts are"),
    ("r-amt+coop+task-res", "at most two parts, an encoder tuning and a head"),
  ])
  func partsThatAreNoPairAreRefusedWithTheReason(_ text: String, _ reason: String) throws {
    let error = try #require(throws: SettingError.self) { try MethodName(parts: text) }
    #expect(error.setting == "method" && error.expected.hasPrefix(reason) && error.found == "\"\(text)\"")
  }

  @Test(arguments: [
    ("", ""), ("+", ""), ("r-amt+", ""), ("nonsense", "nonsense"), ("r-amt+task-rse", "task-rse"),
    ("nonsense+lora", "nonsense"), ("lp+", "lp"), ("lp++x", "lp"),
  ])
  func theUnknownPartIsNamed(_ text: String, _ part: String) throws {
    let error = try #require(throws: SettingError.self) { try MethodName(parts: text) }
    #expect(error.found == "\"\(part)\"" && error.known == MethodList.names)
  }
}
