import Testing
import Tensor
@Test func placeholderModels() { #expect(MemoryLayout<Real>.size > 0) }
