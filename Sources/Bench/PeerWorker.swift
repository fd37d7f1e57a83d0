import Checks
import Foundation
import Tensor

/// Answers requests, one JSON line each, so that another program can time our work interleaved with that of others.
struct PeerWorker {
  let items: [Item]

  private struct Demand: Decodable {
    let cmd, item: String?
    let threads: Int?
    let minimum: Double?
    let cold: Bool?

    enum CodingKeys: String, CodingKey {
      case cmd, item, threads, cold
      case minimum = "min_s"
    }
  }

  private struct Answer: Encodable {
    var ready: Bool?
    var item: String?
    var seconds: Double?
    var reps: Int?
    var otherCPU: Double?
    var gflop: Double?
    var images: Int?
    var shape: String?
    var peak: Double?
    var resident: Double?
    var error: String?

    enum CodingKeys: String, CodingKey {
      case ready, item, seconds, reps, gflop, images, shape, error
      case otherCPU = "other_cpu"
      case peak = "peak_rss_mb"
      case resident = "rss_import_mb"
    }
  }

  /// Serves until `quit` or the end of the input.
  func serve() {
    say(Answer(ready: true, resident: Double(ProcessMemory.resident) / 0x1p20))
    var current: (name: String, work: Work)?
    var warmed: Set<Int> = []
    while let line = readLine() {
      do {
        let demand = try JSONDecoder().decode(Demand.self, from: Data(line.utf8))
        if demand.cmd == "quit" { return }
        if demand.cmd == "peak" {
          say(Answer(peak: Double(ProcessMemory.peak) / 0x1p20))
          continue
        }
        let name = demand.item ?? ""
        guard let item = items.first(where: { $0.name == name }) else {
          throw Request.Mistake(description: "item: expected one of this case, found \"\(name)\"")
        }
        Parallel.threads = max(1, demand.threads ?? 1)
        if current?.name != name {
          current = nil
          ProcessMemory.resetPeak()
          current = (name, try item.prepare())
          warmed = []
        }
        guard let work = current?.work else { continue }
        if demand.cold != true, warmed.insert(Parallel.threads).inserted { work.run() }
        say(timed(work, name, atLeast: demand.minimum ?? 0))
      } catch {
        say(Answer(error: "\(error)"))
      }
    }
  }

  private func timed(_ work: Work, _ name: String, atLeast minimum: Double) -> Answer {
    let (busy, own, start) = (Process.busyOfAll(), Process.busyOfThis(), DispatchTime.now().uptimeNanoseconds)
    var (calls, elapsed) = (0, 0.0)
    repeat {
      work.run()
      calls += 1
      elapsed = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
    } while elapsed < minimum
    let others = (Process.busyOfAll() - busy - (Process.busyOfThis() - own)) / elapsed
    var answer = Answer(
      item: name, seconds: elapsed / Double(calls), reps: calls, otherCPU: max(0, others), shape: work.shape)
    switch work.amount {
    case .gflop(let count): answer.gflop = count
    case .images(let count): answer.images = count
    case .gigabytes, .giganumbers, .calls: break
    }
    return answer
  }

  private func say(_ answer: Answer) {
    guard let json = try? JSONEncoder().encode(answer) else { return }
    FileHandle.standardOutput.write(json + Data("\n".utf8))
  }
}

/// The kernel's statistics of this process and of the machine; 0 without `/proc`.
private enum Process {
  /// Seconds of work of all processors: all but idle and waiting.
  static func busyOfAll() -> Double {
    let line = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8))?.split(separator: "\n").first ?? ""
    let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard ticks.count >= 8 else { return 0 }
    return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Processor seconds of this process.
  static func busyOfThis() -> Double {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + 1e-6 * Double(time.tv_usec) }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
}
