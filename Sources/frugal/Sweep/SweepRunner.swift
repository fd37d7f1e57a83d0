import Formats
import Foundation
import Methods

/// Runs what is not done of a sweep, beside other processes that do the same.
///
/// A run belongs to the process that has its claim; one that fails is written down and does not stop the others. At the
/// end the process waits for the runs of others, and takes over those whose process is gone.
struct SweepRunner {
  let cells: [SweepCell]
  let folder: SweepFolder
  /// The command that goes on after a Ctrl-C.
  let resumption: String
  /// Where features of frozen encoders are kept; `nil` for nowhere.
  let cache: FeatureCache?
  private let line = ProgressLine()
  private let interrupt = Interrupt()

  init(_ cells: [SweepCell], in folder: SweepFolder, resumption: String, cache: FeatureCache?) {
    (self.cells, self.folder, self.resumption, self.cache) = (cells, folder, resumption, cache)
  }

  /// How an attempt at a run ended.
  private enum Attempt { case done, failed, busy }

  /// Runs everything.
  ///
  /// - Returns: the names of the runs that failed.
  /// - Throws: `Interrupted` after a Ctrl-C; `FileError` if the folder of the sweep cannot be written.
  func run() throws -> [String] {
    let began = try folder.make()
    for cell in cells where cell.isFinished { folder.tidy(cell) }
    var open = cells.filter { !$0.isFinished }
    var (failed, pace) = ([String](), Pace(count: open.count))
    while !open.isEmpty {
      var busy: [SweepCell] = []
      for cell in open {
        switch try attempt(cell, since: began, pace) {
        case .done: pace.done += 1
        case .failed: failed.append(cell.name)
        case .busy: busy.append(cell)
        }
      }
      if busy.count == open.count { try wait(for: busy) }
      open = busy
    }
    line.finish()
    return failed
  }

  private func attempt(_ cell: SweepCell, since began: Double, _ pace: Pace) throws -> Attempt {
    if interrupt.isRequested { throw stopped() }
    // Another process may have done it, or failed at it, meanwhile.
    if cell.isFinished { return .done }
    if let failure = folder.failure(of: cell), failure.time >= began { return .failed }
    // The run on top of which it is trained comes first, be it of another process.
    if let earlier = cell.earlier(among: cells), !earlier.isTrained {
      guard let failure = folder.failure(of: earlier), failure.time >= began else { return .busy }
    }
    guard let claim = try folder.claim(cell) else { return .busy }
    defer { withExtendedLifetime(claim) {} }
    if cell.isFinished { return .done }
    do {
      let accuracy = try cell.isTrained ? nil : train(cell, claim, pace)
      try testTransfers(of: cell, claim, pace)
      folder.forgetFailure(of: cell)
      line.finish("\(cell.name)  " + (accuracy.map { "\(percent($0)) %" } ?? "tested on other data"))
      return .done
    } catch is Interrupted {
      guard !claim.isHeld, !interrupt.isRequested else { throw Interrupted() }
      return .busy
    } catch let error as FileError where error.isHeldFolder {
      return .busy
    } catch {
      line.finish()
      failure("\(cell.name): \(error)")
      try folder.record("\(error)", of: cell)
      return .failed
    }
  }

  /// Trains a run to its end and returns its accuracy in percent.
  private func train(_ cell: SweepCell, _ claim: FileClaim, _ pace: Pace) throws -> Double {
    var run = try cell.run()
    run.featureCache = cache
    warnOnce(run.pretrained.warnings)
    for text in run.notes { note("\(cell.name): \(text)") }
    report(unreadable: run.data.unreadable)
    let presenter = RunPresenter(
      resumption: resumption, on: line, interrupt, label: "\(pace.text)\(cell.name)", isEnded: { !claim.isHeld })
    return try cell.train(run, presenter)
  }

  /// Tests a finished run on all other data that it was not tested on.
  ///
  /// - Throws: the first error, after all were tried; `Interrupted` at once.
  private func testTransfers(of cell: SweepCell, _ claim: FileClaim, _ pace: Pace) throws {
    var problem: (any Error)?
    for data in cell.openTransfers {
      do { try test(cell, on: data, claim, pace) } catch let error as Interrupted { throw error } catch {
        problem = problem ?? RunError("transfer \(FileName.shown(data)): \(error)")
      }
    }
    if let problem { throw problem }
  }

  /// Tests a finished run on other data.
  private func test(_ cell: SweepCell, on data: String, _ claim: FileClaim, _ pace: Pace) throws {
    _ = try TransferEvaluation(cell.folder).test(on: data) { done, count in
      line.show("\(pace.text)\(cell.name)  images of \(TransferTest.name(of: data))", done, of: count)
      if interrupt.isRequested { throw stopped() }
      if !claim.isHeld { throw Interrupted() }
    }
  }

  /// Waits a little, as all that is left is being done by others.
  private func wait(for cells: [SweepCell]) throws {
    line.show("waiting for \(plural(cells.count, "run")) of other processes")
    for _ in 0..<20 {
      if interrupt.isRequested { throw stopped() }
      usleep(100_000)
    }
  }

  private func stopped() -> Interrupted {
    line.finish("stopped; to go on: \(resumption)")
    return Interrupted()
  }

  /// The number of the run at work, and the time left for all.
  private struct Pace {
    private let began = Date()
    private let total: Int
    var done = 0

    init(count: Int) { total = count }

    var text: String {
      let seconds = Date().timeIntervalSince(began) / Double(max(1, done)) * Double(total - done)
      return "\(done + 1)/\(total)" + (done > 0 ? "  \(ProgressLine.duration(seconds)) left" : "") + "  "
    }
  }
}
