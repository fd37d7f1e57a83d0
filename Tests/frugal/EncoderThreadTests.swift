import Foundation
import FrugalTestSupport
import Testing

/// Encoder tunings of a classifier, through the command, on different numbers of threads.
@Suite struct EncoderThreadTests {
  private static let methods = [
    "ssf", "vpt-shallow", "vpt-deep", "adaptformer", "repadapter", "fact-tt", "fact-tk", "convpass", "gps", "lora",
    "adapter", "bitfit", "layernorm",
  ]

  /// The same bits for any number of threads, in the trained tensors and in what the run says of them.
  @Test(arguments: methods) func bitsDoNotDependOnThreads(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let own = method.hasPrefix("vpt") ? ["--prompts", "3"] : []
    for threads in ["1", "3"] {
      let out = folder.url.appendingPathComponent("run-\(threads)")
      let run = try await runFrugal(TinyBackbone.run(method, model: model, out: out, "--threads", threads) + own)
      #expect(run.code == 0, "\(run.errors)")
    }
    #expect(try folder.bytes("run-1/delta.safetensors") == folder.bytes("run-3/delta.safetensors"))
    #expect(try folder.result("run-1") == folder.result("run-3"))
  }
}
