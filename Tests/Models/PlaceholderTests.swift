import Tensor
import Testing

@Test func placeholderModels() { #expect(MemoryLayout<Real>.size > 0) }
