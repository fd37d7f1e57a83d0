import Checks
import FrugalTestSupport
import Reference
import Tensor
import Testing

@testable import Methods

/// What selects inputs, and training of what was selected, in plain loops (GPS (a) to (f)).
@Suite struct NeuronSelectionReferenceTests {
  /// Losses of up to 30, made of logits of up to 1/τ with roundings of 1e-6 each.
  @Test(arguments: [(2, 1, 1), (6, 3, 5), (8, 2, 3), (13, 4, 16), (32, 10, 40)])
  func theContrastiveLossAgrees(_ views: Int, _ classes: Int, _ width: Int) {
    var numbers = CheckNumbers(seed: UInt64(views))
    let features = numbers.next([views, width])
    let labels = (0..<views).map { $0 * $0 % classes }
    let found = SupervisedContrastiveLoss.of(Variable(features), labels: labels.map { Int32($0) }).value.scalar
    let wanted = supervisedContrastiveLoss(Matrix(features), labels: labels)
    expectClose([Double(found)], [wanted], rtol: 0, atol: GradientCheck.isDouble ? 1e-12 : 2e-5)
  }

  /// Sums over three batches, in which samples skip other blocks each time.
  @Test(arguments: ReferenceTwin.classifiers, [0, 0.3] as [Real])
  func sumsAgree(_ twin: ReferenceTwin, depth: Real) {
    let (tower, head) = (twin.tower, LinearHead(width: twin.width, classes: twin.classes, seed: 2))
    var selection = NeuronSelection(of: tower, seed: 9, stochasticDepth: depth)
    let names = selection.weights.map(\.site.name)
    var sums = Parameters(names, selection.sums)
    for step in 0..<3 {
      let (images, labels) = (twin.images(step: step), twin.labels(step: step))
      let loss = selection.add(images, labels: labels, head: head)
      var network = twin.network(tower, head: head, stochasticDepth: depth)
      network.draws = twin.depthDraws(seed: 9, step: step)
      let wanted = addGradients(to: &sums, network, images: Images(images), labels: labels.map { Int($0) })
      expectTwin(loss, wanted, within: twin.relativeError * max(1, wanted), "step \(step), loss")
    }
    for (name, found) in zip(names, selection.sums) {
      expectTwin(Matrix(found), sums[name], name) { _ in 3 * twin.relativeError * sums.largest }
    }
  }

  /// The inputs that sums choose, and three steps on these, on biases and on the head.
  ///
  /// In double precision both sides go on by themselves; in single precision Adam's first steps have the size of the
  /// rate whatever the gradient, so that only gradients of the first step are compared.
  @Test(arguments: ReferenceTwin.classifiers) func trainingAgrees(_ twin: ReferenceTwin) {
    let (tower, head) = (twin.tower, LinearHead(width: twin.width, classes: twin.classes, seed: 2))
    var network = twin.network(tower)
    for trainable in head.trainables { network.weights[trainable.name] = Matrix(trainable.initial) }
    var selection = NeuronSelection(of: tower, seed: 1)
    let names = selection.weights.map(\.site.name)
    selection.add(twin.images(step: 0), labels: twin.labels(step: 0), head: head)
    let chosen = selection.largest(2)
    var columns: [String: [[Int]]] = [:]
    for (index, name) in names.enumerated() {
      // Of the same sums, so that equal ones are chosen alike.
      let own = largestInputs(Matrix(selection.sums[index]), count: 2)
      let width = Matrix(selection.sums[index]).columns
      let positions = own.enumerated().flatMap { row, columns in columns.map { Int32(row * width + $0) } }
      #expect(chosen[index].positions == positions, "\(name)")
      columns[name] = own
    }
    let designs = NeuronSelection.designs(
      of: tower, Dictionary(uniqueKeysWithValues: zip(selection.weights.map(\.site), chosen)))
    let method = Method(encoder: SiteTuning(designs, seed: 1), head: head, tower: tower)
    var (values, optimizer, moments) = (method.trainables.map(\.initial), Adam(method.slots), [String: Moments]())
    for step in 0..<(GradientCheck.isDouble ? 3 : 1) {
      let (images, labels) = (twin.images(step: step), twin.labels(step: step))
      let found = method.step(.images(images), labels: labels, values: values, seed: 1, step: step)
      let (_, gradients) = classifierGradients(network, images: Images(images), labels: labels.map { Int($0) })
      let tuned = designs.map(\.parameter.site.name) + head.trainables.map(\.name)
      for (name, gradient) in zip(tuned, found.gradients) {
        let dense = gradients[name]
        let wanted = columns[name].map { columns in
          columns.enumerated().flatMap { row, own in own.map { dense?[row, $0] ?? .nan } }
        }
        let own = gradient.values.map { Double($0) }
        expectTwin(
          Matrix(row: own), Matrix(row: wanted ?? dense?.values ?? []), "step \(step), \(name)"
        ) { _ in twin.relativeError * gradients.largest }
      }
      let rate = learningRate(ofGPS: 9 + step, base: 0.01)
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: rate)
      adamStepOfChosen(&network.weights, gradients: gradients, chosen: columns, moments: &moments, learningRate: rate)
    }
  }

  /// The published recipe, epoch by epoch.
  @Test func ratesAreThoseOfTheRecipe() {
    let recipe = NeuronSelectionMethod().recipe(PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    let schedule = recipe.encoder.schedule(epochs: recipe.epochs)
    for epoch in 0..<recipe.epochs {
      expectClose(
        [schedule.rate(at: epoch)], [learningRate(ofGPS: epoch, base: 2e-3)], rtol: 1e-12, atol: 0, "epoch \(epoch)")
    }
    #expect(recipe.epochs == 110)
  }
}
