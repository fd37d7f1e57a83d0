import Models
import Synchronization
import Tensor

/// An encoder tuning × a head.
///
/// The two halves know nothing of each other, so every pair is a method. The values of all tensors, the encoder's
/// first, belong to the caller.
public struct Method: Sendable {
  /// The encoder half.
  public let encoder: any EncoderTuning
  /// The classifier half.
  public let head: any Head
  /// The frozen image tower.
  public let tower: any ImageTower

  /// p, the probability that in training a sample skips a residual branch of the tower's last block.
  public let stochasticDepth: Real

  /// A pair of halves on an image tower.
  public init(encoder: any EncoderTuning, head: any Head, tower: any ImageTower, stochasticDepth: Real = 0) {
    (self.encoder, self.head, self.tower, self.stochasticDepth) = (encoder, head, tower, stochasticDepth)
    encoderCount = encoder.trainables.count
    initialHead = head.trainables.map(\.initial)
  }

  /// The number of the encoder's trainable tensors, and the initial ones of the head: stored, as making the tensors
  /// again at every step would fill hundreds of megabytes.
  private let encoderCount: Int
  private let initialHead: [Tensor]
  private let teacherHead = TeacherHead()

  /// The tensors to train, the encoder's first.
  public var trainables: [Trainable] { encoder.trainables + head.trainables }

  /// The tensors as an optimiser sees them, in the same order.
  public var slots: [ParameterSlot] { trainables.map(\.slot) }

  /// The number of learned parameters, those that a head learns without steps included.
  public var trainedCount: Int { trainables.reduce(head.fittedCount) { $0 + $1.count } }

  /// Those of the encoder: what counts against a budget.
  package var encoderTrainedCount: Int { encoder.trainables.reduce(0) { $0 + $1.count } }

  /// True if image features stay the same during training.
  public var hasFrozenEncoder: Bool { encoderCount == 0 && stochasticDepth == 0 }

  /// The result of one batch.
  public struct Step {
    /// The gradient for the optimiser, one tensor per trainable.
    public let gradients: [Tensor]
    /// The terms of the loss, by name.
    public let terms: [(name: String, value: Double)]
    /// The number of correctly classified images of the batch.
    public let correct: Int
  }

  /// The half that a step trains.
  public enum Stage: Sendable {
    /// Both.
    case joint
    /// The encoder alone; the head has the values at which its own stage starts, and these follow the encoder.
    case encoder
    /// The head alone, on the encoder as it is evaluated.
    case head
  }

  /// Images, or their features by a frozen encoder.
  public enum Input: Sendable {
    /// [batch, 3, size, size]
    case images(Tensor)
    /// [batch, width], what the projection reads
    case trunk(Tensor)
    /// [batch, embedding]
    case features(Tensor)
    /// [batch, embedding], as `Head.prepared` leaves them
    case prepared(Tensor)
  }

  /// Forward, backward and the method's rule for one batch.
  ///
  /// - labels: [batch]; values: one tensor per trainable; `seed` and `step` key all random numbers.
  /// - stage: the half that is trained; gradients of the other are 0.
  public func step(
    _ input: Input, labels: [Int32], values: [Tensor], seed: UInt64, step: Int, stage: Stage = .joint
  ) -> Step {
    self.step(input, labels: labels, values: values, seed: seed, step: step, stage: stage, nil)
  }

  /// The same before an observer.
  func step(
    _ input: Input, labels: [Int32], values: [Tensor], seed: UInt64, step: Int, stage: Stage = .joint,
    _ observer: StepObserver?
  ) -> Step {
    let tape = Tape()
    let leaves = values.map { tape.leaf($0) }
    let draws = TrainingDraws(seed: seed, step: step, stochasticDepth: stochasticDepth)
    if let observer {
      for (name, value) in encoder.derived(split(values).encoder) { observer.show(name, value) }
    }
    let (logits, objective) = objective(input, labels: labels, values: leaves, stage: stage, draws, observer)
    for term in objective.terms { observer?.show("loss/\(term.name)", Tensor(Real(term.value))) }
    let gradients = tape.gradients(of: objective.losses, for: leaves, releasing: true)
    let names = observer == nil ? [] : trainables.map(\.name)
    for (index, own) in gradients.enumerated() where gradients.count > 1 {
      observer?.show("gradient \(index + 1)", names, own)
    }
    let ofEncoder = gradients.map { split($0).encoder }
    let rule = rule(of: stage)
    let ruled =
      observer.map { rule.combined(ofEncoder, seed: seed, step: step, $0) }
      ?? rule.combined(ofEncoder, seed: seed, step: step)
    observer?.show("gradient", names, ruled + split(gradients[0]).head)
    let correct = zip(logits.value.rowMaxima(), labels).count { $0 == Int($1) }
    return Step(gradients: ruled + split(gradients[0]).head, terms: objective.terms, correct: correct)
  }

  /// The forward pass of one batch, in training mode if there are draws: logits [batch, classes], and the losses.
  package func objective(
    _ input: Input, labels: [Int32], values: [Variable], stage: Stage = .joint, _ draws: TrainingDraws? = nil,
    _ observer: StepObserver? = nil
  ) -> (logits: Variable, objective: Objective) {
    var (encoderValues, headValues) = split(values)
    // Constants: no tape leads through the encoder.
    if stage == .head { encoderValues = encoderValues.map { Variable($0.value) } }
    let pass = Pass(
      tunings: encoder.tunings(encoderValues), draws: stage == .head ? nil : draws,
      observer: observer?.below("forward").show, replacing: observer?.below("draw").draw)
    if stage == .encoder { headValues = head.start(pass) }
    let logits = logits(input, head, headValues, pass)
    let rule = rule(of: stage)
    let teacher = rule.needsTeacher ? teacherLogits(input) : nil
    if let teacher { observer?.show("teacher/logits", teacher.value) }
    let objective = rule.objective(logits: logits, teacher: teacher, labels: labels, values: encoderValues)
    guard stage != .encoder, let penalty = head.penalty(headValues) else { return (logits, objective) }
    return (logits, objective.adding(penalty))
  }

  /// The half that says which losses there are and how their gradients combine: none does for a head alone.
  private func rule(of stage: Stage) -> any EncoderTuning { stage == .head ? FrozenEncoder() : encoder }

  /// The values, with those of the head at which its stage starts on this encoder.
  package func startingHead(_ values: [Tensor]) -> [Tensor] {
    let own = split(values).encoder
    return own + head.start(Pass(tunings: encoder.tunings(own.map { Variable($0) }))).map(\.value)
  }

  /// A function from images, [batch, 3, size, size], to their features by the tuned encoder, [batch, embedding].
  package func features(values: [Tensor]) -> (Tensor) -> Tensor {
    let pass = Pass(tunings: encoder.tunings(split(values).encoder.map { Variable($0) }))
    return { tower(Variable($0), pass).value }
  }

  /// The logits of a batch, [batch, classes], without a tape.
  public func logits(_ input: Input, values: [Tensor]) -> Tensor { logits(values: values)(input) }

  /// A function from batches to their logits, for values that stay: tunings and classifier are formed, and masks
  /// thresholded, once.
  package func logits(values: [Tensor]) -> (Input) -> Tensor {
    let (encoderValues, headValues) = split(values.map { Variable($0) })
    let tunings = encoder.tunings(encoderValues)
    let head = self.head.settled(headValues, Pass(tunings: tunings))
    return { input in logits(input, head, headValues, Pass(tunings: tunings)).value }
  }

  /// One element per trainable tensor, split by the half the tensor belongs to.
  package func split<Value>(_ values: [Value]) -> (encoder: [Value], head: [Value]) {
    (Array(values.prefix(encoderCount)), Array(values.dropFirst(encoderCount)))
  }

  /// The logits of the untuned model, whose classifier is formed once.
  private func teacherLogits(_ input: Input) -> Variable {
    let values = initialHead.map { Variable($0) }
    return logits(input, teacherHead.made { head.settled(values, Pass()) }, values, Pass())
  }

  /// The head of a teacher: made at the first question, the same at all others.
  private final class TeacherHead: Sendable {
    private let head = Mutex<(any Head)?>(nil)

    func made(_ make: () -> any Head) -> any Head {
      head.withLock { known in
        let head = known ?? make()
        known = head
        return head
      }
    }
  }

  private func logits(_ input: Input, _ head: any Head, _ headValues: [Variable], _ pass: Pass) -> Variable {
    let logits =
      switch input {
      case .images(let images):
        head.logits(pass.observed("features", tower(Variable(images), pass)), headValues, pass)
      case .trunk(let trunk):
        head.logits(pass.observed("features", tower.projected(Variable(trunk), pass)), headValues, pass)
      case .features(let features): head.logits(Variable(features), headValues, pass)
      case .prepared(let features): head.logits(prepared: Variable(features), headValues, pass)
      }
    return pass.observed("logits", logits)
  }
}
