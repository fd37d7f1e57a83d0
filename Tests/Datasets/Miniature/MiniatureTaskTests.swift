import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

@Suite("Miniature tasks") struct MiniatureTaskTests {
  /// SHA-256 of the pixels of all pictures of each task in world 1, version 2. Whoever changes one changes
  /// `MiniatureWorld.version`, too: results on other pictures are other results.
  static let digests = [
    "net": "72f29a04b87b97e310ba595f62a50449ed619c76032760622eef884e046a736d",
    "caltech": "fc32492fdbfcaa82a8c6c0edc794a193b09a1d29987731805aedb95e687ff5d8",
    "pets": "483d1591ea3c9ff9d24e0ea4dfc144dad7012cc29bef9c4444ba946680e715c5",
    "cars": "be7ae5b87e68021dfa0348336e1a1447105d13770c109584d5da1bf891699a58",
    "flowers": "d7a8d5b743dc769315785275c3f350cc611716c451fda10e00c6a040f96bc729",
    "food": "852946c14558a4c8ca3228f7b30497ae259a30b69c00460ad881e67dfdf8e31e",
    "aircraft": "825a26f844d7d826457b2728fe29a237d23276cedbeb75b8784975534eb19f2e",
    "sun": "0d344d066bb3ca09c632ea0fda2c3598579508d2389bee3bea8423914a55ca5b",
    "dtd": "69991eeec0d14a6b4c4b0d61fb92b434e2ea132c3144c840555cfa4c4ea9c778",
    "eurosat": "5f0c8efbc24cc77158c277c5d8d648582ac4f08a6608a3de2b6a99dbbb0f49fd",
    "ucf": "7aca99132f9c29d1612092950672d8a73a4928eabd9980f70b848e42c38441b1",
    "shapes": "223bae13e066111f6dec69008e802c169e0621599525da8d318c2b0735ccebea",
    "textures": "7686dfd308461b7ff8e54eec4befa6ab2bf1fe60869886e609d9a98afef62f7f",
    "petals": "343d87790fefc96aad50680023c873d561525863c96981f00ee5700d329a3208",
    "land": "0ddde6d53e86244980f7cacb05979729da100a7c1539cd0af8334a429add5ba2",
    "lesion": "65507dc747c97788de84bb435078e529bc85c3ffe866b8d9d08255d56bca4b4e",
    "grade": "aa5c3052323b41597a24faa463c06b894474a102ced409b27397f74aab787178",
    "count": "ba66e6a5c8fbf7ba5f96ba7079853c84e348b408b3966e0c19921fedc1770c3a",
    "place-x": "b452702d923e591da7fe5012371488acacb4f1165fc23435857a0b3a2702f947",
    "turn": "3ec1c822f6371d1435bf531698d7f74b75be09299bfd2cc63ae95384a81054b6",
  ]

  /// The sizes of the tasks whose likenesses they are.
  static let classes = [
    "net": 40, "caltech": 24, "pets": 12, "cars": 24, "flowers": 16, "food": 16, "aircraft": 16, "sun": 24, "dtd": 12,
    "eurosat": 10, "ucf": 16, "shapes": 24, "textures": 12, "petals": 16, "land": 10, "lesion": 2, "grade": 5,
    "count": 8, "place-x": 8, "turn": 8,
  ]

  static let names = MiniatureTask.all.map(\.name)

  @Test func thereAreElevenAndNine() {
    #expect(MiniatureTask.all.count { $0.suite == .eleven } == 11 && MiniatureTask.all.count { $0.suite == .vtab } == 9)
    #expect(Set(Self.names) == Set(Self.digests.keys) && Set(Self.names) == Set(Self.classes.keys))
    for name in Self.names { #expect(MiniatureTask.named(name)?.name == name) }
    #expect(MiniatureTask.named("no such task") == nil)
  }

  /// Words that no caption of pretraining has, and looks that it never shows; the others shift what it knows.
  @Test func twoOfTheElevenAreForeign() {
    let eleven = MiniatureTask.all.filter { $0.suite == .eleven }
    #expect(Set(eleven.filter { $0.familiarity == .foreign }.map(\.name)) == ["aircraft", "eurosat"])
    let stream = Miniature.PretrainingStream(seed: 1)
    let captions = (0..<20_000).flatMap { stream.caption($0).split(separator: " ").map(String.init) }
    let known = Set(captions)
    for task in eleven {
      let words = Set(task.classes.joined(separator: " ").split(separator: " ").map(String.init))
      #expect(words.isSubset(of: known) == (task.familiarity == .seen), "\(task.name): \(words.subtracting(known))")
    }
  }

  /// No picture twice, in one split or in two; and the very pixels that were published.
  @Test(arguments: names) func picturesAreThePublishedOnesAndAllDiffer(_ name: String) throws {
    let task = try #require(MiniatureTask.named(name))
    let pictures = MiniatureWorld.pictures(of: task, seed: 1)
    var images = [Image?](repeating: nil, count: pictures.count)
    images.withUnsafeMutableBufferPointer { images in
      let images = images.baseAddress!
      Parallel.forEach(pictures.count) { images[$0] = pictures[$0].image() }
    }
    var hash = SHA256()
    var seen: Set<[UInt8]> = []
    for image in images.compactMap(\.self) {
      #expect(image.width == 32 && image.height == 32)
      hash.update(image.pixels)
      seen.insert(image.pixels)
    }
    #expect(seen.count == pictures.count && Set(pictures.map(\.path)).count == pictures.count)
    #expect(hash.digest.description == Self.digests[name])
  }

  @Test(arguments: names) func splitsAreLargeEnoughAndBalanced(_ name: String) throws {
    let task = try #require(MiniatureTask.named(name))
    #expect(task.classes.count == Self.classes[name] && Set(task.classes).count == task.classes.count)
    #expect(task.chance == 1 / Double(task.classes.count))
    let least = task.suite == .eleven ? [32 * task.classes.count, 200, 600] : [800, 200, 1000]
    for (split, least) in zip(MiniatureTask.Split.allCases, least) {
      let count = task.count(split)
      // Rounded up to whole classes, so less than one picture a class too many, but for 8 a class to choose by.
      #expect(count >= least && (count < least + task.classes.count || task.counts[split] == 8), "\(split): \(count)")
      let labels = (0..<count).map { task.label($0) }
      #expect(Dictionary(grouping: labels) { $0 }.mapValues(\.count).values.allSatisfy { $0 == task.counts[split] })
      #expect(task.counts[split] >= 8)
    }
    #expect(task.template.components(separatedBy: "{}").count == 2)
    #expect(!task.summary.isEmpty && !task.summary.contains("\n"))
  }

  /// Class names are words in small letters: no two classes of different tasks that mean nothing share one.
  @Test func namesAreSmallLettersAndBirdsAreNowhereElse() throws {
    let birds = try #require(MiniatureTask.named("aircraft")).classes
    for task in MiniatureTask.all {
      for name in task.classes {
        #expect(name.allSatisfy { $0 == " " || $0.isNumber || ("a"..."z").contains($0) }, "\(name)")
        if task.name != "aircraft" {
          #expect(Set(name.split(separator: " ").map(String.init)).isDisjoint(with: birds), "\(name)")
        }
      }
    }
    let words = MiniatureTask.all.filter { $0.name != "aircraft" }.map(\.template).joined(separator: " ")
    #expect(Set(words.split(separator: " ").map(String.init)).isDisjoint(with: birds))
  }

  @Test(arguments: names) func aPictureDependsOnTaskSplitIndexAndSeed(_ name: String) throws {
    let task = try #require(MiniatureTask.named(name))
    let image = task.image(.test, 3, seed: 7)
    #expect(image == task.image(.test, 3, seed: 7))
    #expect(image != task.image(.test, 3, seed: 8))
    #expect(image != task.image(.train, 3, seed: 7) && image != task.image(.validation, 3, seed: 7))
    #expect(image != task.image(.test, 3 + task.classes.count, seed: 7))
    #expect(task.image(.train, 3, seed: 7) != task.image(.validation, 3, seed: 7))
  }

  @Test func tasksOfOneDrawingHaveDifferentPictures() throws {
    for (a, b) in [("caltech", "shapes"), ("dtd", "textures"), ("flowers", "petals"), ("eurosat", "land")] {
      let (a, b) = (try #require(MiniatureTask.named(a)), try #require(MiniatureTask.named(b)))
      #expect(a.classes == b.classes && a.template == b.template)
      #expect(a.image(.train, 0, seed: 1) != b.image(.train, 0, seed: 1))
    }
  }

  /// One label in five is drawn among all, so 15/16 of a fifth are wrong.
  @Test func aFifthOfFoodIsMislabelledInTrainOnly() throws {
    let task = try #require(MiniatureTask.named("food"))
    func share(_ split: MiniatureTask.Split) -> Double {
      let wrong = (0..<640).count { index in
        guard case .figure(let figure) = task.scene(split, index, seed: 1).objects[1].outline else { return true }
        return figure.rawValue != task.classes[task.label(index)]
      }
      return Double(wrong) / 640
    }
    #expect(share(.test) == 0)
    // Three standard deviations of 640 draws with probability 0.2 · 15/16.
    #expect(abs(share(.train) - 0.1875) < 0.047 && abs(share(.validation) - 0.1875) < 0.047)
  }

  @Test func countIsTheNumberOfObjects() throws {
    let task = try #require(MiniatureTask.named("count"))
    for index in 0..<80 { #expect(task.scene(.test, index, seed: 1).objects.count == index % 8 + 1) }
  }

  @Test func gradesAreDotsApart() throws {
    let task = try #require(MiniatureTask.named("grade"))
    for index in 0..<50 {
      let dots = task.scene(.test, index, seed: 1).objects.dropFirst()
      #expect(dots.count == [0, 2, 4, 7, 11][index % 5])
      for (position, dot) in dots.enumerated() {
        for other in dots.dropFirst(position + 1) {
          let offset = dot.centre - other.centre
          #expect((offset * offset).sum() >= 0.25 * 0.25)
        }
      }
    }
  }

  @Test func lesionIsInTheMiddleThirdOrNot() throws {
    let task = try #require(MiniatureTask.named("lesion"))
    for index in 0..<100 {
      let dots = task.scene(.test, index, seed: 1).objects
      let inside = dots.count { max(abs($0.centre.x), abs($0.centre.y)) < 1 / 3 }
      #expect(inside == index % 2 && (3...7).contains(dots.count))
    }
  }

  @Test func columnAndAngleAreTheClasses() throws {
    let (column, turn) = (try #require(MiniatureTask.named("place-x")), try #require(MiniatureTask.named("turn")))
    for index in 0..<80 {
      let x = column.scene(.test, index, seed: 1).objects[0].centre.x
      #expect(Int(((x + 0.8) / 0.2).rounded(.down)) == index % 8)
      let angle = turn.scene(.test, index, seed: 1).objects[0].rotation
      #expect(abs(angle - Double(index % 8) * Double.pi / 4) <= 0.3)
    }
  }

  @Test func relationsAreWhatTheyAreCalled() throws {
    let task = try #require(MiniatureTask.named("ucf"))
    for index in 0..<160 {
      let name = task.classes[task.label(index)]
      let objects = task.scene(.test, index, seed: 1).objects
      let (one, other) = (objects[0], objects[1])
      guard case .figure(let figure) = one.outline, case .figure(let reference) = other.outline else { continue }
      #expect(name.hasPrefix("\(figure.rawValue) ") && name.hasSuffix(" a \(reference.rawValue)"))
      let offset = one.centre - other.centre
      let word =
        abs(offset.x) > abs(offset.y) ? (offset.x < 0 ? "left of" : "right of") : (offset.y < 0 ? "above" : "below")
      #expect(name.contains(" \(word) "), "\(name): \(offset)")
    }
  }
}
