import Checks
import Models
import Tensor
import Testing

@testable import Methods

/// What heads learn and store for a CLIP ViT-B/16, with ten classes of two images each.
@Suite struct HeadCountTests {
  /// The count that `frugal methods` shows, and the elements it stands for.
  struct Count: Sendable, CustomTestStringConvertible {
    let name, card: String
    let trained, stored: Int

    init(_ name: String, _ card: String, trained: Int, stored: Int) {
      (self.name, self.card, self.trained, self.stored) = (name, card, trained, stored)
    }

    var testDescription: String { name }

    static let all = [
      Count("task-res", "512 C", trained: 5120, stored: 5120),
      Count("linear", "768 C + C (CLIP: 512 C + C)", trained: 5130, stored: 5130),
      Count("linear-probe", "512 C + C (ViT: 768 C + C)", trained: 5130, stored: 5130),
      Count("gda", "0 (stores 512 C + C)", trained: 0, stored: 5130),
      // The keys and their labels.
      Count("tip-adapter", "0 (stores 512 C K)", trained: 0, stored: 512 * 20 + 20),
      Count("tip-adapter-f", "512 C K (K shots)", trained: 512 * 20, stored: 512 * 20 + 20),
      Count("clip-adapter", "131,072", trained: 131_072, stored: 131_072),
      Count("lp++", "514 C", trained: 5140, stored: 5140),
      Count("clap", "512 C", trained: 5120, stored: 5120),
      // The text features too, with which no text tower is needed.
      Count("coop", "8,192 (16 tokens)", trained: 8192, stored: 8192 + 5120),
      Count("cocoop", "35,360 (4 tokens)", trained: 35_360, stored: 35_360),
    ]
  }

  @Test func theTableHasEveryHead() {
    let heads = MethodCard.all.filter(\.isHead)
    #expect(heads.map(\.name) == Count.all.map(\.name))
    #expect(heads.map(\.card.count) == Count.all.map(\.card))
  }

  @Test(arguments: Count.all) func aHeadIsAsLargeAsItsCardSays(_ count: Count) throws {
    let method = try #require(MethodList.heads.first(where: { $0.name == count.name }))
    // The widths of ViT-B/16 where features and prompts have them; all else is small.
    let text = TransformerConfiguration(
      width: 512, hiddenWidth: 8, blocks: 1, heads: 8, activation: .quickGELU, epsilon: 1e-5)
    let model = CLIP.random(
      CLIPConfiguration(
        vision: TinyCLIP.vision, text: TextConfiguration(transformer: text, vocabulary: 12, contextLength: 24),
        embedding: 512), seed: 1)
    var numbers = CheckNumbers(seed: 2)
    let examples = HeadExamples(
      features: numbers.next([40, 512]), labels: (0..<40).map { Int32($0 % 10) }, views: 2)
    let prompts = PromptEncoder(
      classes: (0..<10).map { "\($0)" }, tower: model.text, startOfText: 10, endOfText: 11
    ) { $0.split(separator: " ").indices.map { Int32($0) } }
    let head = try method.head(
      MethodSetting(
        tower: model.vision, text: (numbers.next([10, 512]), model.logitScale), classes: 10,
        recipe: method.recipe(PublishedSetting(benchmark: nil, shots: 2, fidelity: .official)), fidelity: .official,
        seed: 1, examples: examples, prompts: prompts))
    #expect(Method(encoder: FrozenEncoder(), head: head, tower: model.vision).trainedCount == count.trained)
    var delta = Delta(
      .init(
        method: count.name, model: "abc", classes: prompts.classes, templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    head.write(head.trainables.map(\.initial), to: &delta)
    #expect(delta.tensors.values.reduce(0) { $0 + $1.count } == count.stored)
  }
}
