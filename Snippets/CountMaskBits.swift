//! Tunes masks (R-AMT) for a few epochs, reads them back from the delta and counts their bits.
import Foundation
import Frugal

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("frugal-\(UUID())")
try MiniatureWorld.write(.eurosat, to: folder)

var request = RunRequest(method: "r-amt", model: MiniatureModels.clip.path, data: folder.path + "/eurosat")
request.shots = .count(16)
// Few steps at a large rate, so that masks cross their threshold within a minute.
request.adjust = { recipe in
  recipe.epochs = 5
  recipe.encoder.learningRate = 1e-3
}
let run = try Run(request, in: RunFolder(at: folder.path + "/run"))
_ = try run.train()

// One bit per weight, under the name of the weight's site: 1 keeps the weight, 0 masks it.
let delta = try Delta(contentsOf: run.folder.delta, for: run.pretrained)
for (site, mask) in delta.masks.sorted(by: { $0.key < $1.key }) {
  print("\(site): \(mask.prunedCount) of \(mask.count) weights masked")
}
