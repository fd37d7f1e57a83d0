import Datasets
import Methods

extension MiniatureTask {
  /// The data set that a task of the eleven resembles, whose published settings its runs have.
  var likeness: Benchmark? { Self.likenesses[name] }

  private static let likenesses: [String: Benchmark] = [
    "net": .imagenet, "caltech": .caltech101, "pets": .oxfordPets, "cars": .stanfordCars, "flowers": .oxfordFlowers,
    "food": .food101, "aircraft": .fgvcAircraft, "sun": .sun397, "dtd": .dtd, "eurosat": .eurosat, "ucf": .ucf101,
  ]
}
