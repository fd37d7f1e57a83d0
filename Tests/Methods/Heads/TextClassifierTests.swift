import Checks
import Formats
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// TaskRes (a).
@Suite struct TextClassifierTests {
  /// Two classes, two templates, width 2, of lengths 5, 1; 2, 10.
  let features = Tensor([2, 2, 2], [3, 4, 0, 1, 2, 0, 6, 8])

  @Test func theRawMeanKeepsLengths() {
    #expect(TextEnsembling.rawMean.classifier(features) == Tensor([2, 2], [1.5, 2.5, 4, 4]))
  }

  /// Class 0: the mean of (0.6, 0.8) and (0, 1) is along (1, 3); class 1: of (1, 0) and (0.6, 0.8) along (2, 1).
  @Test func theUnitMeanWeighsTemplatesEqually() {
    let (ten, five) = (Real(10).squareRoot(), Real(5).squareRoot())
    expectClose(
      TextEnsembling.unitMean.classifier(features), Tensor([2, 2], [1 / ten, 3 / ten, 2 / five, 1 / five]), rtol: 1e-6,
      atol: 1e-7)
  }

  @Test func oneTemplateIsItself() {
    let one = features.reshaped(to: [4, 1, 2])
    #expect(TextEnsembling.rawMean.classifier(one) == features.reshaped(to: [4, 2]))
  }

  @Test func promptsAreFilledClassByClass() throws {
    let prompts = try Prompts(classes: ["cat", "dog {}"], templates: ["a {}.", "{} and {}"])
    #expect(prompts.texts == ["a cat.", "cat and cat", "a dog {}.", "dog {} and dog {}"])
  }

  /// Digests of the lists as open_clip 3.3.0 has them, one template a line.
  @Test(arguments: [
    (TemplateList.all, 80, "4f976686fb651bb5803d4689dcd849f75efe0ef19a3c801355bc9a6f03c8a5af"),
    (.selected, 7, "6ef3883987d224b7949da69fe0b615af152e1560eaac4c5c38555e50c882d415"),
  ]) func listsAreThePublishedOnes(_ list: TemplateList, _ count: Int, _ digest: String) throws {
    #expect(list.templates.count == count && Set(list.templates).count == count)
    #expect(SHA256.digest(of: Array(list.templates.joined(separator: "\n").utf8)).description == digest)
    #expect(try Prompts(classes: ["cat"], templates: list.templates).texts.count == count)
  }

  @Test func theNameOfAListStandsForItsTemplates() {
    let expanded = TemplateList.expanded(["{}, a pet.", "imagenet-7", "imagenet"])
    #expect(expanded == ["{}, a pet."] + Benchmark.selectedTemplates + ["imagenet"])
  }

  @Test(arguments: [([], "found none"), (["a photo"], "found \"a photo\""), (["a {}", "{ }"], "found \"{ }\"")])
  func templatesThatCannotBeFilledAreRefused(_ templates: [String], _ reason: String) throws {
    let error = #expect(throws: SettingError.self) { try Prompts(classes: ["cat"], templates: templates) }
    #expect(try #require(error).description.hasSuffix(reason))
  }
}

@Suite struct TaskResTests {
  let text = TinyCLIP.textFeatures
  let scale = Parameter(Site("logitScale", .logitScale), Tensor(0))

  @Test func theResidualStartsAtZeroWhereTheClassifierIsTheTextFeatures() {
    let head = TaskRes(textFeatures: text, alpha: 0.5, logitScale: scale)
    #expect(head.trainables.map(\.initial) == [.zeros(text.shape)])
    #expect(head.classifier([Variable(.zeros(text.shape))]).value == text)
    #expect(ZeroShot(textFeatures: text, logitScale: scale).classifier([]).value == text)
    #expect(ZeroShot(textFeatures: text, logitScale: scale).trainables.isEmpty)
  }

  @Test(arguments: [0, 0.5, 1] as [Real]) func theClassifierIsTextPlusAlphaTimesResidual(_ alpha: Real) {
    let residual = CheckNumbers(seed: 3).tensor(text.shape)
    let found = TaskRes(textFeatures: text, alpha: alpha, logitScale: scale).classifier([Variable(residual)]).value
    expectClose(found, text.zipped(residual) { $0 + alpha * $1 }, rtol: 1e-6, atol: 1e-7)
  }

  /// The length of a text feature sets how far a residual turns it: features are not normalised before.
  @Test func longerTextFeaturesTurnLess() {
    let residual = Variable(Tensor([1, 2], [0, 1]))
    func cosine(_ length: Real) -> Real {
      let head = TaskRes(textFeatures: Tensor([1, 2], [length, 0]), alpha: 1, logitScale: scale)
      return head.classifier([residual]).l2Normalized().value.values[0]
    }
    #expect(abs(cosine(1) - Real(0.5).squareRoot()) < 1e-6)
    #expect(abs(cosine(3) - 3 / Real(10).squareRoot()) < 1e-6)
  }

  /// Prompts are measured before names take the places of `{}`: 53 kB took 1.6 GB.
  @Test func longPromptsAreRefusedBeforeTheyAreFormed() throws {
    let (template, name) = (String(repeating: "{}", count: 8000), String(repeating: "x", count: 8000))
    let error = #expect(throws: SettingError.self) {
      try Prompts(classes: ["a", name], templates: ["a {}", template])
    }
    #expect(
      error?.description == "template: expected prompts of at most 16384 bytes, found 8000 times a class name of 8000 "
        + "bytes in a template of 16000")
    func isRead(_ template: String, _ name: String) -> Bool {
      (try? Prompts(classes: [name], templates: [template])) != nil
    }
    #expect(isRead("{}", String(repeating: "x", count: 16_384)) && !isRead("{}", String(repeating: "x", count: 16_385)))
    #expect(
      isRead("ab{}", String(repeating: "x", count: 16_382)) && !isRead("ab{}", String(repeating: "x", count: 16_383)))
    #expect(try Prompts(classes: [], templates: ["a {}"]).texts.isEmpty)
  }

  /// Templates for each of the classes are a product: two lists of 2,000 in 45 kB were four million prompts.
  @Test func tooManyPromptsAreRefusedBeforeTheyAreFormed() throws {
    func problem(_ classes: Int, _ templates: Int, bytes: Int = 2) -> String? {
      let template = "{}" + String(repeating: "x", count: bytes - 2)
      let names = (0..<classes).map { _ in "" }
      do throws(SettingError) {
        _ = try Prompts(classes: names, templates: Array(repeating: template, count: templates))
        return nil
      } catch { return error.description }
    }
    // ImageNet-21k in CLIP's templates.
    #expect(problem(21_843, 80, bytes: 40) == nil && problem(1 << 12, 1 << 9) == nil)
    let many = problem(1 << 12, 513)
    #expect(many == "template: expected at most 2097152 prompts, found 513 templates for each of 4096 classes")
    #expect(problem(1 << 13, 1, bytes: 16_386) == nil)
    let long = problem(8193, 1, bytes: 16_386)
    #expect(long == "template: expected prompts of at most 134217728 bytes in all, found 134234112")
  }
}
