import Datasets
import Foundation
import FrugalTestSupport
import Testing

@Suite struct ClassPartTests {
  @Test(arguments: [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (101, 51)])
  func theFirstHalfRoundedUpIsBase(_ count: Int, _ base: Int) {
    #expect(ClassPart.all.labels(of: count) == 0..<count)
    #expect(ClassPart.base.labels(of: count) == 0..<base)
    #expect(ClassPart.new.labels(of: count) == base..<count)
  }

  @Test func aPartOfAFolderCountsItsLabelsFromZero() throws {
    let whole = try ImageFolder(contentsOf: Fixtures.embedded.appendingPathComponent("pictures"))
    let new = whole.keeping(.new)
    #expect(new.folders == Array(whole.folders[2...]) && new.classNames == Array(whole.classNames[2...]))
    #expect(new.rawClassNames == Array(whole.rawClassNames[2...]) && new.test.classes == new.classNames)
    #expect(new.test.items.map(\.url) == whole.test.items.filter { $0.label >= 2 }.map(\.url))
    #expect(new.test.items.map(\.label) == whole.test.items.map(\.label).filter { $0 >= 2 }.map { $0 - 2 })
    #expect(new.train.count + whole.keeping(.base).train.count == whole.train.count)
    #expect(whole.keeping(.all).train == whole.train)
  }
}
