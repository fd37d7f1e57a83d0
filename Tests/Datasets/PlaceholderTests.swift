import Tensor
import Testing

@Test func placeholderDatasets() { #expect(MemoryLayout<Real>.size > 0) }
