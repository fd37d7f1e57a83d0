import Foundation

/// What one input may cost.
struct Limits {
  /// Seconds.
  var seconds = 5.0

  /// Bytes of memory beyond those before it, of an input of some length: what the readers promise of files, and the
  /// pixels of pictures, of which a worker allows 2²⁰.
  static func memory(_ count: Int) -> Int { 64 << 20 + 4 * count + 8 << 20 }

  /// Seconds of processor time of the process.
  static var time: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Ends the process, rather than the machine, where memory is asked for without end.
  static func guardMachine() {
    var limit = rlimit(rlim_cur: 8 << 30, rlim_max: 8 << 30)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
  }
}
