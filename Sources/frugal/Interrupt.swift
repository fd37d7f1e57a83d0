@preconcurrency import Dispatch
import Foundation
import Synchronization
import Tensor

/// The run was stopped by Ctrl-C or SIGTERM after saying how to resume.
struct Interrupted: Error {}

/// Records a request to stop: the first Ctrl-C is noted, a second one ends the process at once.
final class Interrupt: Sendable {
  private let requested = Atomic<Bool>(false)
  private let sources: [any DispatchSourceSignal]

  /// Starts listening.
  init() {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for source in sources {
      source.setEventHandler { [weak self] in
        guard let self else { return }
        if self.requested.exchange(true, ordering: .relaxed) { exit(130) }
        note("\nstopping after this step; press Ctrl-C again to stop at once")
      }
      source.resume()
    }
  }

  /// True if the user asked to stop.
  var isRequested: Bool { requested.load(ordering: .relaxed) }
}
