//! Runs a network plainly and with one site on a tape, as the article "Sites and passes" of `Models` explains.
import Frugal

let model = try ImageBackbone(contentsOf: MiniatureModels.vit)
let size = model.tower.imageSize
let images = Variable(Random(seed: 1, purpose: .check).uniform([2, 3, size, size]))
let plain = model.tower(images, Pass())

let query = model.tower.parameters.first { $0.site.role == .query }!
let tape = Tape()
let weight = tape.leaf(query.value)
let tuned = model.tower(images, Pass(tunings: [query.site: .replaced(weight)]))
print("same features: \(plain.value == tuned.value)")

let gradient = tape.gradients(of: tuned.dot(tuned), for: [weight])[0]
print("\(query.site): gradient \(gradient.shape)")

_ = model.tower(images, Pass(observer: { name, value in print(name, value.shape) }))
