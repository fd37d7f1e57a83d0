//! Tunes TaskRes on a small CLIP, with 16 images per class.
import Foundation
import Frugal

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("frugal-\(UUID())")
try MiniatureWorld.write(.eurosat, to: folder)

var request = RunRequest(method: "task-res", model: MiniatureModels.clip.path, data: folder.path + "/eurosat")
request.shots = .count(16)
let result = try Run(request, in: RunFolder(at: folder.path + "/run")).train()

print("zero-shot \(result.zeroShot?.correct ?? 0), TaskRes \(result.test.correct) of \(result.test.total) correct")
print("\(folder.path)/run/delta.safetensors has \(result.deltaBytes) bytes")
