import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

@Suite struct DoctorTests {
  @Test func aSoundBuildIsFoundSound() async throws {
    let text = try await runFrugal("doctor", "--threads", "2")
    #expect(text.code == 0, "\(text.errors)")
    for part in ["version ", "processor ", "kernels ", "threads ", "memory ", "GFLOP/s", "linear ", "caches "] {
      #expect(text.output.contains(part), "\(text.output)")
    }
    let json = try await runFrugal("doctor", "--json", "--threads", "1").json()
    #expect(json["passed"].bool == true && json["threads"].int == 1)
    #expect(json["checks"].array?.count == QuickCheck.all().count)
  }

  @Test func aWrongResultIsNoticed() {
    #expect(QuickCheck(name: "a", error: 1e-3, bound: 1e-4).passed == false)
    #expect(QuickCheck(name: "a", error: .nan, bound: 1e-4).passed == false)
  }

  @Test func theMachineIsReadFromTheFilesOfTheKernel() {
    let machine = Machine(
      processor: "processor\t: 0\nmodel name\t: Any CPU: 3\nflags\t\t: fpu avx2 fma avx512f_not\n",
      memory: "MemTotal:       1000000 kB\nMemAvailable:    500000 kB\n")
    #expect(machine.name == "Any CPU: 3" && machine.features == ["avx2", "fma"])
    #expect(machine.memory == "1.0 GB, 0.5 GB of it available")
    #expect(Machine(processor: "", memory: "").memory == "not known")
  }
}
