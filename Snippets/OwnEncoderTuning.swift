//! Defines an encoder tuning that trains the scales of all norms, and takes some steps with it.
import Foundation
import Frugal

/// The scales γ of the norms of a tower; everything else stays frozen.
struct NormScales: EncoderTuning {
  let scales: [Parameter]

  init(_ tower: any ImageTower) { scales = tower.parameters.filter { $0.site.role == .normScale } }

  /// One tensor per norm, starting at its pretrained value.
  var trainables: [Trainable] { scales.map { Trainable($0.site.name, $0.value, isDecayed: false) } }

  /// What is trained takes the place of what was frozen.
  func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(uniqueKeysWithValues: zip(scales, values).map { ($0.site, .replaced($1)) })
  }
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("frugal-\(UUID())")
try MiniatureWorld.write(.eurosat, to: folder)
let data = try ImageFolder(contentsOf: folder.appendingPathComponent("eurosat"))

let clip = try PretrainedCLIP(contentsOf: MiniatureModels.clip)
let head = try ZeroShot(clip, Prompts(classes: data.classNames))
let method = Method(encoder: NormScales(clip.tower), head: head, tower: clip.tower)

let images = try ImageLoader(preprocessing: clip.preprocessing).images(of: data.train.items)
let labels = data.train.items.map { Int32($0.label) }
var values = method.trainables.map(\.initial)
var optimizer = Adam(method.slots)
for step in 0..<20 {
  let result = method.step(.images(images), labels: labels, values: values, seed: 1, step: step)
  optimizer.step(parameters: &values, gradients: result.gradients, learningRate: 1e-2)
  print("step \(step + 1): \(result.correct) of \(labels.count) correct")
}

let evaluation = try Evaluation(method, values: values, on: data.test, preprocessing: clip.preprocessing)
print("\(method.trainedCount) trainable parameters, \(evaluation.correct) of \(evaluation.total) correct on test")
